// CRC-32/ISO-HDLC: polynomial 0x04C11DB7 reflected, initial and final value 0xFFFFFFFF.
//
// Usage:  crc32(bytes, length); the check value of "123456789" is 0xCBF43926. What lies in pieces is summed up by
//     handing each call the result of the one before: crc32(b, n, crc32(a, m)).
// Limits: a table of 16 words, four bits at a time: a quarter of the speed of the usual 1 KiB table, which a serial
//     line never notices.
#ifndef TINYHIL_LINK_CRC32_H_
#define TINYHIL_LINK_CRC32_H_

#include <stddef.h>
#include <stdint.h>

namespace tinyhil {
namespace link {

uint32_t crc32(const uint8_t* bytes, size_t length, uint32_t before = 0);

}  // namespace link
}  // namespace tinyhil

#endif  // TINYHIL_LINK_CRC32_H_

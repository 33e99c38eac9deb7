// Integers and reals as the link carries them: little-endian, at any address.
//
// Purpose: the only place that turns bytes into numbers and back, so that neither the byte order nor the alignment of
//     the CPU matters.
// Limits:  the caller has checked that the bytes are there.
#ifndef TINYHIL_LINK_LITTLE_ENDIAN_H_
#define TINYHIL_LINK_LITTLE_ENDIAN_H_

#include <stdint.h>
#include <string.h>

namespace tinyhil {
namespace link {

inline uint16_t get_u16(const uint8_t* from) { return static_cast<uint16_t>(from[0] | (from[1] << 8)); }

inline uint32_t get_u32(const uint8_t* from) {
  return get_u16(from) | (static_cast<uint32_t>(get_u16(from + 2)) << 16);
}

inline void put_u16(uint8_t* to, uint16_t value) {
  to[0] = static_cast<uint8_t>(value);
  to[1] = static_cast<uint8_t>(value >> 8);
}

inline void put_u32(uint8_t* to, uint32_t value) {
  put_u16(to, static_cast<uint16_t>(value));
  put_u16(to + 2, static_cast<uint16_t>(value >> 16));
}

inline void put_f32(uint8_t* to, float value) {
  static_assert(sizeof(float) == sizeof(uint32_t), "float has to be IEEE 754 binary32");
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  put_u32(to, bits);
}

}  // namespace link
}  // namespace tinyhil

#endif  // TINYHIL_LINK_LITTLE_ENDIAN_H_

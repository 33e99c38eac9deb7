// A line to the computer that runs the emulator, past the UART: a terminal of that computer, by Arm's semihosting.
//
// An emulated UART hands over one byte per turn of the emulator's main loop. Semihosting hands over as many as there
// are, and is 50 times faster.
//
// Usage:  open() first; where that says no, there is no such line. Then read() and write().
// Limits: read() stops everything until there is a byte, timers included. A program must not ask for it where the
//     emulator does not offer it, because the instruction that asks is a fault there: so the host leaves a word in
//     memory when it does (sections.ld).
#ifndef TINYHIL_BARE_METAL_HOST_LINE_H_
#define TINYHIL_BARE_METAL_HOST_LINE_H_

#include <stddef.h>
#include <stdint.h>

namespace tinyhil {
namespace port {
namespace host_line {

// Whether there is such a line; it is open then.
bool open();

// A number that the host has drawn for this start of the emulator; 0 where there is no such line.
uint32_t seed();

// The next byte, or -1 if the line is gone.
int read();

void write(const uint8_t* bytes, size_t length);

}  // namespace host_line
}  // namespace port
}  // namespace tinyhil

#endif  // TINYHIL_BARE_METAL_HOST_LINE_H_

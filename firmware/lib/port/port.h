// What a chip has to provide: a byte stream and a clock, as free functions.
//
// Purpose: the only code that knows hardware stands behind this header. Each folder beside it implements it for one
//     family of chips, or the part of it that several have in common; a project contains those that its target names.
// Usage:   init() first, everything else after it, all from one thread of execution.
#ifndef TINYHIL_PORT_H_
#define TINYHIL_PORT_H_

#include <stddef.h>
#include <stdint.h>

namespace tinyhil {
namespace port {

void init();

// The next byte that has arrived, 0..255, or -1 if there is none. Does not wait.
int read();

// Sends all bytes, waiting for the line where it has to.
void write(const uint8_t* bytes, size_t length);

// Goes over to another rate of the line, in bit/s, when all that was written has left it; 0 is the rate that it started
// with. False where it has not this one: then nothing has changed.
bool set_rate(uint32_t rate);

// How many requests of the largest size may be on their way while the CPU is busy and does not read(), 1..255.
uint8_t window();

// A clock that runs freely over all 32 bits. Undefined where tick_rate() is 0.
uint32_t ticks();

// Ticks per second, 0 where there is no clock.
uint32_t tick_rate();

// A number that differs from boot to boot and is constant in between. May stir in the time of its first call: call it
// only when a byte has arrived, which is never at the same tick twice.
uint32_t boot_id();

// Bytes that the stack may take, and the most of them that were ever in use since boot; 0 where that is not known.
uint32_t stack_bytes();
uint32_t stack_used();

// For pacing and timeouts only, never a measured figure. Runs over after 2^32. Once it has been called, it wants to be
// called at least every two minutes.
uint32_t milliseconds();

// Brightness of the board's LED by PWM, 0 dark to 255 bright; does nothing where there is none.
void led(uint8_t brightness);

// Called whenever read() had nothing: the place to sleep until an interrupt. Where milliseconds() has been called,
// somebody waits for a time: then it returns within a few milliseconds.
void idle();

}  // namespace port
}  // namespace tinyhil

#endif  // TINYHIL_PORT_H_

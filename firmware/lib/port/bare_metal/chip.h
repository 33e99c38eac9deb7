// What the folders of a chip provide for the part of the port that all bare metal shares (port_bare_metal.cpp).
//
// They also implement window(), ticks(), tick_rate() of port.h.
#ifndef TINYHIL_BARE_METAL_CHIP_H_
#define TINYHIL_BARE_METAL_CHIP_H_

#include <stddef.h>
#include <stdint.h>

namespace tinyhil {
namespace port {
namespace chip {

// Starts the clock, whatever line the port takes.
void start_clock();

// A counter that runs freely over all 32 bits, which ticks() does not notice being read, and its rate in Hz.
uint32_t count();
extern const uint32_t kCountHz;

// A number that differs from start to start, where the chip can read one; else 0.
uint32_t seed();

// Everything that the UART needs. Without this call the rest of it is not called.
void start_uart();

// As read(), write() and idle() of port.h.
int uart_read();
void uart_write(const uint8_t* bytes, size_t length);
void uart_idle();

}  // namespace chip
}  // namespace port
}  // namespace tinyhil

#endif  // TINYHIL_BARE_METAL_CHIP_H_

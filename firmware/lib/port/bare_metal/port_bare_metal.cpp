// What the ports of all chips without an operating system have in common: which line they take, boots, milliseconds.
#include "chip.h"
#include "host_line.h"
#include "port.h"

namespace tinyhil {
namespace port {
namespace {

// Whether the line is one to the computer that runs the emulator, instead of the UART.
bool by_host;

// Survives a warm reset: the startup code neither loads nor clears this section.
__attribute__((section(".noinit"))) uint32_t boots;

}  // namespace

void init() {
  chip::start_clock();
  by_host = host_line::open();
  if (!by_host) chip::start_uart();
  ++boots;
}

int read() { return by_host ? host_line::read() : chip::uart_read(); }

void write(const uint8_t* bytes, size_t length) {
  if (by_host) {
    host_line::write(bytes, length);
  } else {
    chip::uart_write(bytes, length);
  }
}

// The chips that these ports are for are emulated, and an emulated UART has no rate that the host could go along with.
bool set_rate(uint32_t) { return false; }

void idle() {
  if (!by_host) chip::uart_idle();
}

uint32_t boot_id() {
  static uint32_t id = 0;
  if (id == 0) {
    // Multiplication by an odd number spreads a small counter over all bits and maps no two counts to one.
    // The time tells cold starts apart, whose memory is the same. On a line to the host no time passes while nothing
    // comes, so it is the same as well, and the host's number tells them apart.
    id = (boots * 0x9E3779B1u) ^ ticks() ^ host_line::seed() ^ chip::seed();
    if (id == 0) id = 1;
  }
  return id;
}

uint32_t milliseconds() {
  static uint32_t whole = 0;
  static uint32_t rest = 0;  // counts, less than a millisecond of them
  static uint32_t last = 0;
  const uint32_t now = chip::count();
  rest += now - last;
  last = now;
  whole += rest / (chip::kCountHz / 1000);
  rest %= chip::kCountHz / 1000;
  return whole;
}

// The boards that these ports are for are emulated, and show none.
void led(uint8_t) {}

}  // namespace port
}  // namespace tinyhil

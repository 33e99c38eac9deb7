// From reset to main(), and what happens when the CPU faults, as far as all CPUs have it in common.
//
// A fault ends the frame that may be half written, says one line of text over the serial line, which the host shows as
// what the device printed last, and stops.
#include "cpu.h"

#include <stddef.h>

#include "port.h"
#include "stack.h"

extern "C" {

// Set by the linker script.
extern uint32_t __data_load[], __data_start[], __data_end[], __bss_start[], __bss_end[];
extern void (*const __init_array_start[])();
extern void (*const __init_array_end[])();

int main();

void begin() {
  tinyhil::port::paint_stack();
  const uint32_t* from = __data_load;
  for (uint32_t* to = __data_start; to != __data_end; ++to) *to = *from++;
  for (uint32_t* to = __bss_start; to != __bss_end; ++to) *to = 0;
  for (void (*const* init)() = __init_array_start; init != __init_array_end; ++init) (*init)();
  main();
  tinyhil::port::cpu::halt();
}

void report_fault(uint32_t number, uint32_t address) {
  char text[] = "\0fault 00 at 00000000\n";
  const char* const digits = "0123456789abcdef";
  text[7] = digits[(number >> 4) & 15];
  text[8] = digits[number & 15];
  for (int i = 0; i < 8; ++i) text[13 + i] = digits[(address >> (28 - 4 * i)) & 15];
  tinyhil::port::write(reinterpret_cast<const uint8_t*>(text), sizeof(text) - 1);
  tinyhil::port::cpu::halt();
}

}  // extern "C"

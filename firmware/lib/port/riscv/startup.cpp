// Reset and faults of a RISC-V hart in machine mode.
#include <stdint.h>

#include "bare_metal/cpu.h"

extern "C" {

void reset_handler() __attribute__((naked, noreturn, used, section(".vectors")));
void fault_handler() __attribute__((naked, noreturn, used, aligned(4)));

// Whatever traps is a fault, because no interrupt is enabled. It starts with an empty stack, because the fault may have
// used up the old one.
void fault_handler() {
  __asm volatile(
      ".option push         \n"
      ".option arch, +zicsr \n"  // which every hart has, and -march leaves out for the C library's sake
      "la sp, __stack_top   \n"
      "csrr a0, mcause      \n"
      "csrr a1, mepc        \n"
      "j report_fault       \n"
      ".option pop          \n");
}

void reset_handler() {
  __asm volatile(
      ".option push               \n"
      ".option arch, +zicsr       \n"
      ".option norelax            \n"  // which would take gp for set
      "la gp, __global_pointer$   \n"
      "la sp, __stack_top         \n"
      "la t0, fault_handler       \n"
      "csrw mtvec, t0             \n"
      "j begin                    \n"
      ".option pop                \n");
}

}  // extern "C"

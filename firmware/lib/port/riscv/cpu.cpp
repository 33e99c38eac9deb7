#include "bare_metal/cpu.h"

namespace tinyhil {
namespace port {
namespace cpu {

uint32_t* stack_pointer() {
  uint32_t* here;
  __asm volatile("mv %0, sp" : "=r"(here));
  return here;
}

// "RISC-V Semihosting" 1.0, chapter 2: these three instructions, uncompressed and in one page, with Arm's operations.
uint32_t ask_host(uint32_t operation, const void* parameters) {
  register uint32_t a0 asm("a0") = operation;
  register const void* a1 asm("a1") = parameters;
  asm volatile(
      ".option push           \n"
      ".option norvc          \n"
      ".balign 16             \n"
      "slli zero, zero, 0x1f  \n"
      "ebreak                 \n"
      "srai zero, zero, 7     \n"
      ".option pop            \n"
      : "+r"(a0)
      : "r"(a1)
      : "memory");
  return a0;
}

void halt() {
  for (;;) __asm volatile("wfi");
}

}  // namespace cpu
}  // namespace port
}  // namespace tinyhil

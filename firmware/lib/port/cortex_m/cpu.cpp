#include "bare_metal/cpu.h"

namespace tinyhil {
namespace port {
namespace cpu {

uint32_t* stack_pointer() {
  uint32_t* here;
  __asm volatile("mov %0, sp" : "=r"(here));
  return here;
}

// Arm's "Semihosting for AArch32 and AArch64", chapter 3: `bkpt 0xAB` on the M profile.
uint32_t ask_host(uint32_t operation, const void* parameters) {
  register uint32_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = parameters;
  asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void halt() {
  for (;;) __asm volatile("wfi");
}

}  // namespace cpu
}  // namespace port
}  // namespace tinyhil

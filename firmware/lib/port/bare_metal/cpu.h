// What the folder of a CPU's family provides for bare metal: `cortex_m`, `riscv`. Each also has the way from reset to
// begin().
#ifndef TINYHIL_BARE_METAL_CPU_H_
#define TINYHIL_BARE_METAL_CPU_H_

#include <stdint.h>

namespace tinyhil {
namespace port {
namespace cpu {

// Where the caller's part of the stack ends: nothing below it is in use.
uint32_t* stack_pointer();

// An operation of Arm's semihosting, which the emulator carries out: its number, the address of its parameters.
uint32_t ask_host(uint32_t operation, const void* parameters);

// Sleeps until an interrupt, for ever.
void halt() __attribute__((noreturn));

}  // namespace cpu
}  // namespace port
}  // namespace tinyhil

extern "C" {

// From a stack pointer that is set to main(). Both are called from assembly language too, which the optimiser does not
// see.
void begin() __attribute__((noreturn, used));

// Says a fault of the CPU by its number and the address where it happened, and stops. Wants an empty stack.
void report_fault(uint32_t number, uint32_t address) __attribute__((noreturn, used));
}

#endif  // TINYHIL_BARE_METAL_CPU_H_

// Reset and faults of a Cortex-M.
//
// Assembles for ARMv6-M (Cortex-M0) too. What is the chip's comes from its linker script and from the compiler's flags.
#include <stddef.h>
#include <stdint.h>

#include "bare_metal/cpu.h"

extern "C" {

// Set by the linker script.
extern uint32_t __stack_top[];

void reset_handler() __attribute__((noreturn));
void fault_handler() __attribute__((naked, noreturn));
void report_exception(uint32_t address) __attribute__((noreturn, used));

// Takes the saved program counter, the seventh word, from the stack, if the stack pointer is any good; then starts with
// an empty stack, because the fault may have used up the old one.
void fault_handler() {
  __asm volatile(
      ".syntax unified       \n"
      "mrs r1, msp           \n"
      "movs r0, #0           \n"
      "mvns r0, r0           \n"
      "ldr r2, =__ram_start  \n"
      "ldr r3, =__stack_top  \n"
      "mov sp, r3            \n"
      "subs r3, #32          \n"
      "cmp r1, r2            \n"
      "blo 1f                \n"
      "cmp r1, r3            \n"
      "bhi 1f                \n"
      "ldr r0, [r1, #24]     \n"
      "1:                    \n"
      "ldr r2, =report_exception\n"  // a branch reaches only 2 KB on ARMv6-M
      "bx r2                 \n"
      ".ltorg                \n");
}

void report_exception(uint32_t address) {
  report_fault(*reinterpret_cast<volatile uint32_t*>(0xE000ED04) & 0x1FF, address);  // ICSR.VECTACTIVE
}

void reset_handler() {
#ifdef __ARM_FP
  *reinterpret_cast<volatile uint32_t*>(0xE000ED88) |= 0xFu << 20;  // CPACR: full access to the FPU, and to Helium
  __asm volatile("dsb\n isb");
#endif
  begin();
}

typedef void (*Vector)();

// Exceptions of the CPU, of which ARMv6-M has fewer and reserves their places; no interrupt is enabled.
__attribute__((section(".vectors"), used)) const Vector vectors[16] = {
    reinterpret_cast<Vector>(__stack_top),
    reset_handler,
    fault_handler,  // NMI
    fault_handler,  // HardFault
    fault_handler,  // MemManage
    fault_handler,  // BusFault
    fault_handler,  // UsageFault
    fault_handler,  // SecureFault, from ARMv8-M on
    nullptr,
    nullptr,
    nullptr,
    fault_handler,  // SVCall
    fault_handler,  // DebugMonitor
    nullptr,
    fault_handler,  // PendSV
    fault_handler,  // SysTick
};

}  // extern "C"

// From reset to main() on a Cortex-M, and what happens when the CPU faults.
//
// Assembles for ARMv6-M (Cortex-M0) too. What is the chip's comes from its linker script and from the compiler's flags.
//
// A fault ends the frame that may be half written, says one line of text over the serial line, which the host shows as
// what the device printed last, and stops.
#include <stddef.h>
#include <stdint.h>

#include "port.h"
#include "stack.h"

extern "C" {

// Set by the linker script.
extern uint32_t __data_load[], __data_start[], __data_end[], __bss_start[], __bss_end[], __stack_top[];
extern void (*const __init_array_start[])();
extern void (*const __init_array_end[])();

int main();
void reset_handler() __attribute__((noreturn));
void fault_handler() __attribute__((naked, noreturn));
void report_fault(uint32_t address) __attribute__((noreturn, used));

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
      "ldr r2, =report_fault \n"  // a branch reaches only 2 KB on ARMv6-M
      "bx r2                 \n"
      ".ltorg                \n");
}

void report_fault(uint32_t address) {
  const uint32_t exception = *reinterpret_cast<volatile uint32_t*>(0xE000ED04) & 0x1FF;  // ICSR.VECTACTIVE
  char text[] = "\0fault 00 at 00000000\n";
  const char* const digits = "0123456789abcdef";
  text[7] = digits[(exception >> 4) & 15];
  text[8] = digits[exception & 15];
  for (int i = 0; i < 8; ++i) text[13 + i] = digits[(address >> (28 - 4 * i)) & 15];
  tinyhil::port::write(reinterpret_cast<const uint8_t*>(text), sizeof(text) - 1);
  for (;;) __asm volatile("wfi");
}

void reset_handler() {
#ifdef __ARM_FP
  *reinterpret_cast<volatile uint32_t*>(0xE000ED88) |= 0xFu << 20;  // CPACR: full access to the FPU
  __asm volatile("dsb\n isb");
#endif
  tinyhil::port::paint_stack();
  const uint32_t* from = __data_load;
  for (uint32_t* to = __data_start; to != __data_end; ++to) *to = *from++;
  for (uint32_t* to = __bss_start; to != __bss_end; ++to) *to = 0;
  for (void (*const* init)() = __init_array_start; init != __init_array_end; ++init) (*init)();
  main();
  for (;;) __asm volatile("wfi");
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
    nullptr,
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

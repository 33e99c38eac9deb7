// The clock of Arm's MPS2 board as QEMU emulates it with -icount shift=0, where an instruction takes 1 ns: a timer of the
// Cortex-M System Design Kit (CMSDK, technical reference manual ARM DDI 0479).
//
// The target's flags say:
//     TINYHIL_CMSDK_TIMER   its address
//     TINYHIL_CLOCK_HZ      its clock: 1 GHz divided by a whole number of instructions
#include "bare_metal/chip.h"
#include "port.h"

#if !defined(TINYHIL_CMSDK_TIMER) || !defined(TINYHIL_CLOCK_HZ)
#error "the target's flags have to define TINYHIL_CMSDK_TIMER and TINYHIL_CLOCK_HZ"
#endif

namespace tinyhil {
namespace port {
namespace {

struct CmsdkTimer {
  volatile uint32_t control;  // bit 0: enable
  volatile uint32_t value;    // counts down at the system clock
  volatile uint32_t reload;
};

CmsdkTimer* const timer = reinterpret_cast<CmsdkTimer*>(TINYHIL_CMSDK_TIMER);

const uint32_t kInstructionsPerSecond = 1000000000;
const uint32_t kInstructionsPerTick = kInstructionsPerSecond / TINYHIL_CLOCK_HZ;
static_assert(kInstructionsPerTick * TINYHIL_CLOCK_HZ == kInstructionsPerSecond && kInstructionsPerTick > 5,
              "a tick of the timer has to be a whole number of instructions, in which it can be looked at");

}  // namespace

namespace chip {

void start_clock() {
  timer->value = 0xFFFFFFFFu;
  timer->reload = 0xFFFFFFFFu;
  timer->control = 1;
}

// Of the timer of ticks().
uint32_t count() { return ~timer->value; }

const uint32_t kCountHz = TINYHIL_CLOCK_HZ;

}  // namespace chip

// Counts instructions, those of this function excepted: the timer is read to the nanosecond with a vernier.
// The loop below reads it every so many instructions as a tick has, and one more. Each turn meets the tick one
// instruction later in its course, so the timer moves on by one, until it moves on by two: that read is the very first
// instruction of a tick. Without this the same work took one tick more or less, by where in a tick it began.
//
// Not inline: the compiler takes a .rept for one instruction, and would branch further than it can.
__attribute__((noinline)) uint32_t ticks() {
  static uint32_t spent_here = 0;
  uint32_t turns = 0;
  uint32_t value;
  uint32_t before;
  uint32_t step;
  asm volatile(
      "ldr %[value], [%[timer]]\n"
      "nop\n"  // the first turn lacks the last three instructions of the others
      "nop\n"
      "nop\n"
      "1:\n"
      "mov %[before], %[value]\n"
      ".rept %c[rest]\n"
      "nop\n"
      ".endr\n"
      "add %[turns], %[turns], #1\n"
      "ldr %[value], [%[timer]]\n"
      "sub %[step], %[before], %[value]\n"
      "cmp %[step], #1\n"
      "beq 1b\n"
      : [value] "=&r"(value), [before] "=&r"(before), [step] "=&r"(step), [turns] "+&r"(turns)
      : [timer] "r"(&timer->value), [rest] "i"(kInstructionsPerTick - 5)
      : "cc", "memory");
  spent_here += turns * (kInstructionsPerTick + 1);
  return ~value * kInstructionsPerTick - spent_here;
}

uint32_t tick_rate() { return kInstructionsPerSecond; }

}  // namespace port
}  // namespace tinyhil

// The clock of Arm's MPS3 board with an SSE-300 subsystem, as QEMU emulates it with -icount shift=0, where an instruction
// takes 1 ns: the system counter (SSE-300 technical reference manual ARM 101773, "System Counter"), at 32 MHz.
#include "bare_metal/chip.h"
#include "port.h"

namespace tinyhil {
namespace port {
namespace {

typedef volatile uint32_t Register;

Register* const control = reinterpret_cast<Register*>(0x58100000);  // CNTCR; bit 0: enable
Register* const low = reinterpret_cast<Register*>(0x58101000);      // CNTCV, 64 bits that count up
Register* const high = low + 1;

const uint32_t kInstructionsPerSecond = 1000000000;
const uint32_t kHz = 32000000;
// A tick is 31.25 instructions, so these are whole numbers:
const uint32_t kTicks = 4;
const uint32_t kInstructions = 125;
static_assert(kInstructionsPerSecond / kHz * kTicks < kInstructions && kInstructions * (kHz / kTicks) == kInstructionsPerSecond,
              "the counter's ticks and the instructions do not go together");

}  // namespace

namespace chip {

void start_clock() { *control = 1; }

uint32_t count() { return *low; }

const uint32_t kCountHz = kHz;

}  // namespace chip

// Counts instructions, those of this function excepted: the counter is read to the nanosecond with a vernier, as in port
// mps2. Here a turn of the loop takes four ticks and one instruction, and ends when the counter has moved on by five.
//
// Not inline: the compiler takes a .rept for one instruction, and would branch further than it can.
__attribute__((noinline)) uint32_t ticks() {
  static uint32_t spent_here = 0;
  uint32_t turns = 0;
  uint32_t value;
  uint32_t before;
  uint32_t step;
  asm volatile(
      "ldr %[value], [%[low]]\n"
      "nop\n"  // the first turn lacks the last three instructions of the others
      "nop\n"
      "nop\n"
      "1:\n"
      "mov %[before], %[value]\n"
      ".rept %c[rest]\n"
      "nop\n"
      ".endr\n"
      "add %[turns], %[turns], #1\n"
      "ldr %[value], [%[low]]\n"
      "sub %[step], %[value], %[before]\n"
      "cmp %[step], %[few]\n"
      "beq 1b\n"
      : [value] "=&r"(value), [before] "=&r"(before), [step] "=&r"(step), [turns] "+&r"(turns)
      : [low] "r"(low), [rest] "i"(kInstructions - 5), [few] "i"(kTicks)
      : "cc", "memory");
  spent_here += turns * (kInstructions + 1);
  // Of the upper half two bits are needed; it may have moved on since the lower one was read.
  const uint32_t upper = *high;
  const uint32_t fours = ((*low < value ? upper - 1 : upper) << 30) | (value / kTicks);
  // The first instruction of a tick: the next whole nanosecond after the ticks before it.
  const uint32_t more = (value % kTicks * kInstructions + kTicks - 1) / kTicks;
  return fours * kInstructions + more - spent_here;
}

uint32_t tick_rate() { return kInstructionsPerSecond; }

}  // namespace port
}  // namespace tinyhil

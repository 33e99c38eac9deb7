// The clock of Arm's MPS3 board with an SSE-300 subsystem, as QEMU emulates it with -icount shift=0, where an instruction
// takes 1 ns: the system counter (SSE-300 technical reference manual ARM 101773, "System Counter"), at 32 MHz.
#include "bare_metal/chip.h"
#include "bare_metal/vernier.h"
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

// Counts instructions, those of reading the counter excepted.
__attribute__((noinline)) uint32_t ticks() {
  static uint32_t spent_here = 0;
  const Vernier read = read_to_the_instruction<kTicks, kInstructions>(low);
  const uint32_t value = read.clock;
  spent_here += read.spent;
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

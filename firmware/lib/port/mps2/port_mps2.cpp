// The clock of Arm's MPS2 board as QEMU emulates it with -icount shift=0, where an instruction takes 1 ns: a timer of the
// Cortex-M System Design Kit (CMSDK, technical reference manual ARM DDI 0479).
//
// The target's flags say:
//     TINYHIL_CMSDK_TIMER   its address
//     TINYHIL_CLOCK_HZ      its clock: 1 GHz divided by a whole number of instructions
#include "bare_metal/chip.h"
#include "bare_metal/vernier.h"
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
static_assert(kInstructionsPerTick * TINYHIL_CLOCK_HZ == kInstructionsPerSecond,
              "a tick of the timer has to be a whole number of instructions");

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

// Counts instructions, those of reading the timer excepted.
__attribute__((noinline)) uint32_t ticks() {
  static uint32_t spent_here = 0;
  const Vernier read = read_to_the_instruction<-1, kInstructionsPerTick>(&timer->value);
  spent_here += read.spent;
  return ~read.clock * kInstructionsPerTick - spent_here;
}

uint32_t tick_rate() { return kInstructionsPerSecond; }

}  // namespace port
}  // namespace tinyhil

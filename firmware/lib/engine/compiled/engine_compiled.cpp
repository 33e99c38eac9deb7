// Engine for a model that tinyhil has compiled ahead of time to a chain of operators (chain.h, generated).
//
// There is nothing to initialise and nothing that can fail: a model that does not fit is refused when it is compiled.
// Its memory is fixed. An input shares its memory with what is computed once it is not needed any more.
#include "chain.h"
#include "engine.h"

namespace tinyhil {
namespace engine {
namespace {

uint32_t ticks_of[chain::kOperators];
bool profiled = false;

}  // namespace

uint32_t init() {
  chain::reset();
  return 0;
}

uint32_t prepare(uint32_t) { return init(); }

void* input(uint8_t index) { return chain::kInputs[index]; }

const void* output(uint8_t index) { return chain::kOutputs[index]; }

uint32_t invoke() {
  for (uint16_t index = 0; index < chain::kOperators; ++index) chain::kRuns[index]();
  return 0;
}

void reset() { chain::reset(); }

uint32_t arena_bytes() { return chain::kMemoryBytes; }

uint32_t arena_capacity() { return 0; }

uint32_t arena_used() { return chain::kMemoryBytes; }

uint32_t arena_overrun() { return 0; }

uint32_t profile(uint32_t (*ticks)()) {
  for (uint16_t index = 0; index < chain::kOperators; ++index) {
    const uint32_t before = ticks();
    chain::kRuns[index]();
    ticks_of[index] = ticks() - before;
  }
  profiled = true;
  return 0;
}

uint16_t operators() { return profiled ? chain::kOperators : 0; }

const char* operator_name(uint16_t index) { return chain::kNames[index]; }

uint32_t operator_ticks(uint16_t index) { return ticks_of[index]; }

}  // namespace engine
}  // namespace tinyhil

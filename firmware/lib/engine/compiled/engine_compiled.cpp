// Engine for a model that bakenn has compiled ahead of time to C, under the name "model".
//
// One input, one output, int8, no state. There is nothing to initialise and nothing that can fail: a model that does
// not fit is refused when it is compiled. Its memory is fixed, and it is one function, in which no operator can be timed.
#include "bknn_model.h"
#include "engine.h"

namespace tinyhil {
namespace engine {
namespace {

alignas(4) int8_t input_bytes[BKNN_MODEL_INPUT_BYTES];
alignas(4) int8_t output_bytes[BKNN_MODEL_OUTPUT_BYTES];

#if BKNN_MODEL_ARENA_SIZE > 0
alignas(BKNN_MODEL_ARENA_ALIGNMENT) uint8_t arena[BKNN_MODEL_ARENA_SIZE];
#else
uint8_t* const arena = nullptr;
#endif

}  // namespace

uint32_t init() { return 0; }

uint32_t prepare(uint32_t) { return 0; }

void* input(uint8_t) { return input_bytes; }

const void* output(uint8_t) { return output_bytes; }

uint32_t invoke() {
  bknn_model_infer(arena, input_bytes, output_bytes);
  return 0;
}

void reset() {}

uint32_t arena_bytes() { return BKNN_MODEL_ARENA_SIZE; }

uint32_t arena_capacity() { return 0; }

uint32_t arena_used() { return BKNN_MODEL_ARENA_SIZE; }

uint32_t arena_overrun() { return 0; }

uint32_t profile(uint32_t (*)()) { return invoke(); }

uint16_t operators() { return 0; }

const char* operator_name(uint16_t) { return ""; }

uint32_t operator_ticks(uint16_t) { return 0; }

}  // namespace engine
}  // namespace tinyhil

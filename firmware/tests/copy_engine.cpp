// An engine that computes nothing, so that what is seen is the link: its output is the beginning of its input.
//
// -D TEST_INPUTS=N and -D TEST_OUTPUTS=N say how many int8 elements they have; TEST_OUTPUTS is not the larger one.
#include <stdint.h>
#include <string.h>

#include "engine.h"

namespace tinyhil {
namespace {

static_assert(TEST_OUTPUTS <= TEST_INPUTS, "there is not that much to copy");

int8_t input_bytes[TEST_INPUTS];
int8_t output_bytes[TEST_OUTPUTS];

const uint8_t kHash[32] = {};
const uint32_t kInputDims[] = {1, TEST_INPUTS};
const uint32_t kOutputDims[] = {1, TEST_OUTPUTS};
const TensorInfo kInput = {"in", DType::kInt8, 2, kInputDims, 1.0f, 0, TEST_INPUTS};
const TensorInfo kOutput = {"out", DType::kInt8, 2, kOutputDims, 1.0f, 0, TEST_OUTPUTS};

}  // namespace

const ModelInfo kModelInfo = {kHash, kHash, "copy", false, 1, 1, &kInput, &kOutput};

namespace engine {

uint32_t init() { return 0; }

void* input(uint8_t) { return input_bytes; }

const void* output(uint8_t) { return output_bytes; }

void reset() {}

uint32_t invoke() {
  memcpy(output_bytes, input_bytes, TEST_OUTPUTS);
  return 0;
}

uint32_t prepare(uint32_t) { return 0; }

uint32_t arena_bytes() { return 0; }

uint32_t arena_capacity() { return 0; }

uint32_t arena_used() { return 0; }

uint32_t arena_overrun() { return 0; }

uint32_t profile(uint32_t (*)()) { return invoke(); }

uint16_t operators() { return 0; }

const char* operator_name(uint16_t) { return ""; }

uint32_t operator_ticks(uint16_t) { return 0; }

}  // namespace engine
}  // namespace tinyhil

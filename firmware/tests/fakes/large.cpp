// A model without state, with tensors of every element type, one of them larger than any payload.
//
// It takes
//     "samples" int8[1,5000], "mask" uint8[3,7], "levels" int16[2,3], "offsets" int32[2] and "gain" float32[1]
// and gives an output of the same type and shape for each of them: its bits inverted, but "gain" doubled. It destroys its
// inputs, as an engine may that shares one arena among all tensors. An inference fails if mask[0] is 255.
#include <string.h>

#include "engine.h"
#include "fake.h"

namespace {

int8_t samples[5000], samples_out[5000];
uint8_t mask[21], mask_out[21];
int16_t levels[6], levels_out[6];
int32_t offsets[2], offsets_out[2];
float gain[1], gain_out[1];

void* const kInputAt[] = {samples, mask, levels, offsets, gain};
const void* const kOutputAt[] = {samples_out, mask_out, levels_out, offsets_out, gain_out};

const uint32_t kSamplesDims[] = {1, 5000};
const uint32_t kMaskDims[] = {3, 7};
const uint32_t kLevelsDims[] = {2, 3};
const uint32_t kOffsetsDims[] = {2};
const uint32_t kGainDims[] = {1};

// The shapes of the outputs are those of the inputs.
const tinyhil::TensorInfo kTensors[] = {
    {"samples", tinyhil::DType::kInt8, 2, kSamplesDims, 0.5f, -128, sizeof(samples)},
    {"mask", tinyhil::DType::kUint8, 2, kMaskDims, 0.25f, 255, sizeof(mask)},
    {"levels", tinyhil::DType::kInt16, 2, kLevelsDims, 0.125f, 0, sizeof(levels)},
    {"offsets", tinyhil::DType::kInt32, 1, kOffsetsDims, 0.0f, 0, sizeof(offsets)},
    {"gain", tinyhil::DType::kFloat32, 1, kGainDims, 0.0f, 0, sizeof(gain)},
};

template <typename T, size_t N>
void invert(const T (&from)[N], T (&to)[N]) {
  for (size_t i = 0; i < N; ++i) to[i] = static_cast<T>(~from[i]);
}

}  // namespace

namespace tinyhil {

const ModelInfo kModelInfo = {fake::kModelHash, fake::kProjectHash, "fake", false, 5, 5, kTensors, kTensors};

namespace engine {

uint32_t init() { return fake::init_status; }

void* input(uint8_t index) { return kInputAt[index]; }

const void* output(uint8_t index) { return kOutputAt[index]; }

uint32_t invoke() {
  if (mask[0] == 255) return fake::kInvokeStatus;
  fake::clock_ticks += fake::kTicksEach;
  invert(samples, samples_out);
  invert(mask, mask_out);
  invert(levels, levels_out);
  invert(offsets, offsets_out);
  gain_out[0] = 2 * gain[0];
  for (uint8_t i = 0; i < kModelInfo.inputs; ++i) memset(kInputAt[i], 0xA5, kTensors[i].bytes);
  return 0;
}

void reset() {}

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

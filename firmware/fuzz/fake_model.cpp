#include "fake_model.h"

#include <algorithm>

#include "engine.h"

namespace fake {

Model model;
const char* const kName = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ~";

namespace {

const size_t kSizes[2][kTensors] = {{3, 4, 100}, {3, 8, 200}};

// Bytes that tell a tensor from the others, and a place in it from those around it, before anything is written.
Bytes numbered(size_t size, uint32_t first) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(first + i);
  return bytes;
}

}  // namespace

void restart(uint32_t init_status) {
  for (uint8_t i = 0; i < kTensors; ++i) {
    numbered(kSizes[0][i], 0x40 * i).swap(model.input[i]);
    numbered(kSizes[1][i], 0x40 * i + 0x20).swap(model.output[i]);
  }
  numbered(kRawBytes, 0xC0).swap(model.raw);
  model.inferences = 0;
  model.init_status = init_status;
  model.arena = kCapacity;
  model.profiles = 0;
  model.preprocessed = 0;
  model.clock = 0xFFFFFFC0u;  // soon to run over
}

uint32_t used() { return model.arena < kNeeded ? 0 : kNeeded; }

uint32_t overrun() { return kCapacity - model.arena; }

uint32_t operator_ticks(uint16_t index) { return model.profiles * 0x01010101u + index; }

Bytes inputs() {
  Bytes all;
  for (uint8_t i = 0; i < kTensors; ++i) all.insert(all.end(), model.input[i].begin(), model.input[i].end());
  return all;
}

Bytes written() {
  Bytes all = inputs();
  all.insert(all.end(), model.raw.begin(), model.raw.end());
  return all;
}

Bytes preprocessed(const Bytes& raw, uint32_t before) {
  Bytes made(kInputBytes);
  uint32_t mix = before;
  for (size_t i = 0; i < kRawBytes; ++i) mix = mix * 31 + raw[i];
  for (size_t i = 0; i < kInputBytes; ++i) made[i] = static_cast<uint8_t>((mix += 0x9E3779B9u) >> 24);
  made.insert(made.end(), raw.begin(), raw.end());
  made[kInputBytes] ^= 0xA5;
  return made;
}

void preprocess() {
  model.clock += kPreprocessTicks;
  const Bytes made = preprocessed(model.raw, model.preprocessed++);
  Bytes::const_iterator from = made.begin();
  for (uint8_t i = 0; i < kTensors; ++i) {
    const Bytes::const_iterator end = from + static_cast<ptrdiff_t>(model.input[i].size());
    std::copy(from, end, model.input[i].begin());
    from = end;
  }
  std::copy(from, made.end(), model.raw.begin());
}

Bytes compute(const uint8_t* vector, uint32_t before) {
  if (vector[0] == 127) return Bytes();
  Bytes outputs(kOutputBytes);
  uint32_t mix = before;
  for (size_t i = 0; i < kInputBytes; ++i) mix = mix * 31 + vector[i];
  for (size_t i = 0; i < kOutputBytes; ++i) outputs[i] = static_cast<uint8_t>((mix += 0x9E3779B9u) >> 24);
  return outputs;
}

}  // namespace fake

namespace tinyhil {
namespace {

const uint8_t kModelHash[32] = {0x00, 0x11, 0x22};
const uint8_t kProjectHash[32] = {0xFE, 0xDC};
const uint32_t kXDims[] = {1, 3};
const uint32_t kSizeDims[] = {2};
const uint32_t kWideDims[] = {25};
const uint32_t kSumDims[] = {1, 1, 1, 1, 1, 2};
const uint32_t kMixedDims[] = {200};
const TensorInfo kInputs[fake::kTensors] = {
    {"x", DType::kInt8, 2, kXDims, 0.5f, -128, 3},
    {"size", DType::kInt16, 1, kSizeDims, 0.25f, 0, 4},
    {"wide", DType::kFloat32, 1, kWideDims, 0.0f, 0, 100},
};
const TensorInfo kOutputs[fake::kTensors] = {
    {"twice", DType::kInt8, 2, kXDims, 0.125f, 127, 3},
    // As long a name, and as many dimensions, as there may be.
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk", DType::kInt32, 6, kSumDims, 0.0f, 0, 8},
    {"mixed", DType::kUint8, 1, kMixedDims, 1.0f, 0, 200},
};

}  // namespace

const ModelInfo kModelInfo = {kModelHash, kProjectHash, "sixteen letters!", true, fake::kTensors, fake::kTensors,
                              kInputs,    kOutputs};

namespace engine {

uint32_t init() {
  fake::model.inferences = 0;
  fake::model.arena = fake::kCapacity;
  return fake::model.init_status;
}

uint32_t prepare(uint32_t bytes) {
  fake::model.inferences = 0;
  fake::model.arena = bytes;
  return bytes < fake::kNeeded ? fake::kPrepareStatus : 0;
}

void* input(uint8_t index) { return fake::model.input[index].data(); }

const void* output(uint8_t index) { return fake::model.output[index].data(); }

uint32_t invoke() {
  fake::model.clock += fake::kTicksEach;
  const fake::Bytes outputs = fake::compute(fake::inputs().data(), fake::model.inferences);
  if (outputs.empty()) return fake::kInvokeStatus;
  ++fake::model.inferences;
  fake::Bytes::const_iterator from = outputs.begin();
  for (uint8_t i = 0; i < fake::kTensors; ++i) {
    fake::Bytes& to = fake::model.output[i];
    to.assign(from, from + static_cast<ptrdiff_t>(to.size()));
    from += static_cast<ptrdiff_t>(to.size());
    fake::model.input[i].assign(fake::model.input[i].size(), 0xA5);
  }
  return 0;
}

void reset() { fake::model.inferences = 0; }

uint32_t arena_bytes() { return fake::model.arena; }

uint32_t arena_capacity() { return fake::kCapacity; }

uint32_t arena_used() { return fake::used(); }

uint32_t arena_overrun() { return fake::overrun(); }

uint32_t profile(uint32_t (*ticks)()) {
  ticks();
  const uint32_t status = invoke();
  if (status == 0) ++fake::model.profiles;
  return status;
}

uint16_t operators() { return fake::kOperators; }

const char* operator_name(uint16_t index) { return fake::kName + (fake::kOperators - 1 - index); }

uint32_t operator_ticks(uint16_t index) { return fake::operator_ticks(index); }

}  // namespace engine
}  // namespace tinyhil

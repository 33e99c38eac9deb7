// A small model that keeps state: it counts its inferences.
//
// It takes "x" int8[1,3] and "grösse" int16[2] and gives, element by element,
//     "double" int8[1,3] = 2 x + 1,   and a tensor int32[1,1,1,1,1,2] with a name of 63 bytes = 1000 grösse + calls,
// where calls is the number of inferences since start or reset. An inference fails if x[0] is 127.
//
// Its arena has 1234 bytes, of which it says to need 1000; with fewer it is not prepared, and with fewer than 1100 it
// writes a byte behind it in each inference. Its profile has 40 operators, "op 00" to "op 38" and one with a name of 64
// characters, which take one tick, two, and so on.
#include "engine.h"
#include "fake.h"

namespace {

const uint32_t kCapacity = 1234;
const uint32_t kNeeded = 1000;
const uint32_t kSafe = 1100;

uint32_t calls = 0;
uint32_t arena = kCapacity;
uint32_t overrun = 0;
uint16_t timed = 0;
char op_name[] = "op 00";
int8_t x[3];
int16_t size[2];
int8_t twice[3];
int32_t sum[2];

const uint32_t kXDims[] = {1, 3};
const uint32_t kSizeDims[] = {2};
const uint32_t kSumDims[] = {1, 1, 1, 1, 1, 2};

const tinyhil::TensorInfo kInputs[] = {
    {"x", tinyhil::DType::kInt8, 2, kXDims, 0.5f, -128, sizeof(x)},
    {"gr\xC3\xB6sse", tinyhil::DType::kInt16, 1, kSizeDims, 0.25f, 0, sizeof(size)},
};
const tinyhil::TensorInfo kOutputs[] = {
    {"double", tinyhil::DType::kInt8, 2, kXDims, 0.125f, 127, sizeof(twice)},
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk", tinyhil::DType::kInt32, 6, kSumDims, 0.0f, 0,
     sizeof(sum)},
};

}  // namespace

namespace tinyhil {

const ModelInfo kModelInfo = {fake::kModelHash, fake::kProjectHash, "fake", true, 2, 2, kInputs, kOutputs};

namespace engine {

uint32_t init() {
  calls = 0;
  arena = kCapacity;
  overrun = 0;
  return fake::init_status;
}

uint32_t prepare(uint32_t bytes) {
  calls = 0;
  arena = bytes;
  overrun = 0;
  return bytes < kNeeded ? fake::kPrepareStatus : 0;
}

void* input(uint8_t index) { return index == 0 ? static_cast<void*>(x) : size; }

const void* output(uint8_t index) { return index == 0 ? static_cast<const void*>(twice) : sum; }

uint32_t invoke() {
  if (x[0] == 127) return fake::kInvokeStatus;
  fake::clock_ticks += fake::kTicksEach;
  for (int i = 0; i < 3; ++i) twice[i] = static_cast<int8_t>(2 * x[i] + 1);
  for (int i = 0; i < 2; ++i) sum[i] = 1000 * size[i] + static_cast<int32_t>(calls);
  ++calls;
  if (arena < kSafe) ++overrun;
  return 0;
}

void reset() { calls = 0; }

uint32_t arena_bytes() { return arena; }

uint32_t arena_capacity() { return kCapacity; }

uint32_t arena_used() { return arena < kNeeded ? 0 : kNeeded; }

uint32_t arena_overrun() { return overrun; }

uint32_t profile(uint32_t (*ticks)()) {
  const uint32_t status = invoke();
  timed = status == 0 ? 40 : 0;
  ticks();  // a device without a clock has to give one that can be called
  return status;
}

uint16_t operators() { return timed; }

const char* operator_name(uint16_t index) {
  if (index == 39) return "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";
  op_name[3] = static_cast<char>('0' + index / 10);
  op_name[4] = static_cast<char>('0' + index % 10);
  return op_name;
}

uint32_t operator_ticks(uint16_t index) { return index + 1u; }

}  // namespace engine
}  // namespace tinyhil

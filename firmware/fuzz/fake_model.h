// The model of the server's fuzzer: tensors of several types, in memory of exactly their size, so that the address
// sanitizer sees one byte too many. A payload of 100 bytes does not hold a vector; one of 128 holds its inputs, but not
// its outputs; one of 4096 holds many.
//
//     "x" int8[1,3], "size" int16[2], "wide" float32[25]   ->   "twice" int8[1,3], "sum" int32[2], "mixed" uint8[200]
//
// What it computes depends on all input bytes and on the number of inferences before. It destroys its inputs, and
// fails with status 77 if x[0] is 127. Its arena takes kCapacity bytes, and it is not prepared in fewer than kNeeded.
// A profile has kOperators operators, with names of all lengths up to one too many.
//
// Its preprocessing takes one raw sample, int16[1,13,5], which no payload of 100 or 128 bytes holds. What it makes of
// it depends on all of its bytes and on how often there was preprocessing before. It spoils the raw sample.
#ifndef TINYHIL_FUZZ_FAKE_MODEL_H_
#define TINYHIL_FUZZ_FAKE_MODEL_H_

#include <stddef.h>
#include <stdint.h>

#include <vector>

namespace fake {

typedef std::vector<uint8_t> Bytes;

constexpr uint8_t kTensors = 3;  // inputs, and outputs too
constexpr size_t kInputBytes = 3 + 2 * 2 + 25 * 4;
constexpr size_t kOutputBytes = 3 + 2 * 4 + 200;
constexpr size_t kRawBytes = 2 * 13 * 5;
constexpr uint32_t kInvokeStatus = 77;
constexpr uint32_t kTicksEach = 7;
constexpr uint32_t kPreprocessTicks = 11;
constexpr uint32_t kPrepareStatus = 9;
constexpr uint32_t kCapacity = 300;
constexpr uint32_t kNeeded = 100;
constexpr uint16_t kOperators = 65;

// The name of the last operator is the whole of it but what is cut off; of the others it is ever shorter ends.
extern const char* const kName;

// Both sides of the model: what it is for the engine, and what a test expects of it.
struct Model {
  Bytes input[kTensors];
  Bytes output[kTensors];
  Bytes raw;             // the raw sample
  uint32_t inferences;   // since the start or the last reset
  uint32_t init_status;  // what the engine's init() returns
  uint32_t arena;        // what it was last prepared in
  uint32_t profiles;     // since the start
  uint32_t preprocessed;  // raw samples since the start
  uint32_t clock;
};
extern Model model;

// Starts the model anew.
void restart(uint32_t init_status);

// What the engine says to need, how much of its arena it has overrun, and what an operator of its last profile took.
uint32_t used();
uint32_t overrun();
uint32_t operator_ticks(uint16_t index);

// All inputs, one after the other.
Bytes inputs();

// All that a host may write: the inputs, then the raw sample.
Bytes written();

// What preprocessing number `before` makes of written() if its raw sample is this one.
Bytes preprocessed(const Bytes& raw, uint32_t before);

// The device's preprocessing.
void preprocess();

// The outputs of the inference number `before` for one vector, or nothing if the inference fails.
Bytes compute(const uint8_t* vector, uint32_t before);

}  // namespace fake

#endif  // TINYHIL_FUZZ_FAKE_MODEL_H_

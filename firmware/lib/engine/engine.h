// The one header in front of every engine: whatever computes the model.
//
// Purpose:   the server talks to this; each folder beside it implements it, and a project contains exactly one of them.
// Usage:     init() first; then, for each vector, write all inputs, invoke(), read all outputs; and reset() before a
//     vector that has to find no trace of those before it. init() again, or prepare(), begins anew.
// Ownership: the engine owns the memory of its tensors. Their addresses are aligned for their elements and constant
//     from one init() or prepare() to the next.
// Limits:    one model per image, its facts fixed at compile time in kModelInfo.
#ifndef TINYHIL_ENGINE_H_
#define TINYHIL_ENGINE_H_

#include <stdint.h>

namespace tinyhil {

enum class DType : uint8_t { kInt8 = 1, kUint8 = 2, kInt16 = 3, kInt32 = 4, kFloat32 = 5 };

struct TensorInfo {
  const char* name;  // UTF-8, at most 63 bytes
  DType dtype;
  uint8_t rank;          // 1..6
  const uint32_t* dims;  // `rank` dimensions, each at least 1, batch included
  float scale;           // real units per LSB, above 0; 0 where the tensor is not quantized
  int32_t zero_point;
  uint32_t bytes;  // of one whole tensor, at least 1
};

struct ModelInfo {
  const uint8_t* model_sha256;    // 32 bytes: of the .tflite file
  const uint8_t* project_sha256;  // 32 bytes: of everything else that the firmware is made from
  const char* engine;             // name of the engine, 1..16 characters of printable ASCII
  bool stateful;                  // whether an inference depends on those before it
  uint8_t inputs;                 // 1..255
  uint8_t outputs;                // 1..255
  const TensorInfo* input;        // `inputs` of them
  const TensorInfo* output;       // `outputs` of them
};

// Generated with the model.
extern const ModelInfo kModelInfo;

namespace engine {

// Prepares the model, in the whole arena where there is one. Returns 0, or a status of the engine's own that says why
// the model is not accepted.
uint32_t init();

// As init(), in the first `bytes` of the arena, 1..arena_capacity(). Never called where arena_capacity() is 0.
uint32_t prepare(uint32_t bytes);

// Where input `index` has to be written: kModelInfo.input[index].bytes bytes. Undefined unless the last init() or
// prepare() succeeded, like everything that computes.
void* input(uint8_t index);

// Where output `index` can be read after invoke(): kModelInfo.output[index].bytes bytes.
const void* output(uint8_t index);

// Computes the outputs from the inputs, which it may destroy. Returns 0, or a status of the engine's own.
uint32_t invoke();

// Takes a stateful model back to its state after init(), and has no effect on any other.
void reset();

// Working memory that the engine was last prepared in. It may contain the tensors.
uint32_t arena_bytes();

// The largest arena that prepare() takes, 0 where the working memory is fixed.
uint32_t arena_capacity();

// How much of the arena the engine itself says that it needs, 0 where it does not say.
uint32_t arena_used();

// Bytes of the whole arena behind arena_bytes() that have changed since the engine was prepared. Anything but 0 means
// that the engine writes where it must not.
uint32_t arena_overrun();

// As invoke(), with each operator timed by `ticks`, which runs freely over all 32 bits. Returns what invoke() returns.
uint32_t profile(uint32_t (*ticks)());

// How many operators the last profile() has timed, in the order of execution; 0 where the engine times none.
uint16_t operators();

// Of operator `index` in the last profile(): its name, printable ASCII, and its ticks.
const char* operator_name(uint16_t index);
uint32_t operator_ticks(uint16_t index);

}  // namespace engine
}  // namespace tinyhil

#endif  // TINYHIL_ENGINE_H_

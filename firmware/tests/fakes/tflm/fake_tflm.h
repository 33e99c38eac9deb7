// A fake of the few parts of TensorFlow Lite Micro that the engine tflm uses, with knobs for what it shall do.
//
// The library itself is a third party's, comes with PlatformIO and is not in this repository; so where it is not
// installed, the engine is compiled against these declarations and run on this imitation. It computes nothing a model
// would: each operator adds its number to what it is given. That the engine computes right with the real library is
// shown by a run on a target.
#ifndef TINYHIL_TESTS_FAKE_TFLM_H_
#define TINYHIL_TESTS_FAKE_TFLM_H_

#include <stddef.h>
#include <stdint.h>

#define TFLITE_SCHEMA_VERSION (3)

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

enum TfLiteType {
  kTfLiteNoType = 0,
  kTfLiteFloat32 = 1,
  kTfLiteInt32 = 2,
  kTfLiteUInt8 = 3,
  kTfLiteInt16 = 7,
  kTfLiteInt8 = 9,
};

union TfLitePtrUnion {
  char* raw;
};

struct TfLiteTensor {
  TfLiteType type;
  TfLitePtrUnion data;
  size_t bytes;
};

namespace fake {

// In place of std::abs(), which the library's headers declare by including the C++ library's: a macro of that name makes
// nonsense of it.
int abs(int value);

// Set by the test before it calls the engine.
struct Knobs {
  uint32_t schema_version = TFLITE_SCHEMA_VERSION;
  bool refuse_operator = false;
  size_t minimum_arena = 0;       // AllocateTensors() fails below
  TfLiteType type = kTfLiteInt8;  // of every tensor
  size_t input_bytes = 0;
  size_t output_bytes = 0;
  size_t inputs = 1;
  size_t operators = 1;  // that Invoke() runs
  bool invoke_fails = false;
  bool reset_fails = false;
  size_t writes_beyond = 0;  // bytes behind the arena that Invoke() overwrites
};

// What the fake has seen.
struct Seen {
  int alive = 0;  // interpreters that are constructed and not destroyed
  int made = 0;
  int resets = 0;
  uint32_t registered = 0;
  const uint8_t* arena = nullptr;
  size_t arena_size = 0;
  const void* model = nullptr;
};

extern Knobs knobs;
extern Seen seen;
extern uint32_t clock;  // each operator takes 100 ticks more than the one before it

}  // namespace fake

#endif  // TINYHIL_TESTS_FAKE_TFLM_H_

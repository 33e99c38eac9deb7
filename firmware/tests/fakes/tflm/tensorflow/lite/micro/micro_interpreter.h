// A fake: see fake_tflm.h.
#ifndef TINYHIL_TESTS_FAKE_MICRO_INTERPRETER_H_
#define TINYHIL_TESTS_FAKE_MICRO_INTERPRETER_H_

#include "fake_tflm.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/micro_profiler_interface.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace tflite {

class MicroResourceVariables;

class MicroInterpreter {
 public:
  MicroInterpreter(const Model* model, const MicroOpResolver& resolver, uint8_t* arena, size_t size,
                   MicroResourceVariables* variables = nullptr, MicroProfilerInterface* profiler = nullptr);
  ~MicroInterpreter();

  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteStatus Reset();

  size_t inputs_size() const { return fake::knobs.inputs; }
  size_t outputs_size() const { return 1; }
  TfLiteTensor* input(size_t index) { return index == 0 ? &input_ : nullptr; }
  TfLiteTensor* output(size_t index) { return index == 0 ? &output_ : nullptr; }
  size_t arena_used_bytes() const { return fake::knobs.minimum_arena / 2; }  // too little, as the library says too

 private:
  uint8_t* arena_;
  size_t size_;
  MicroProfilerInterface* profiler_;
  TfLiteTensor input_;
  TfLiteTensor output_;
  int state_;
};

}  // namespace tflite

#endif  // TINYHIL_TESTS_FAKE_MICRO_INTERPRETER_H_

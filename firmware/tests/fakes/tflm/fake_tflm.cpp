// A fake: see fake_tflm.h.
#include "fake_tflm.h"

#include <string.h>

#include "tensorflow/lite/micro/micro_interpreter.h"

namespace fake {

Knobs knobs;
Seen seen;
uint32_t clock = 0xFFFFFF00u;  // it will wrap round

}  // namespace fake

namespace tflite {
namespace {

const char* const kNames[] = {"FULLY_CONNECTED", "RESHAPE", "ADD"};

}  // namespace

MicroInterpreter::MicroInterpreter(const Model*, const MicroOpResolver&, uint8_t* arena, size_t size,
                                   MicroResourceVariables*, MicroProfilerInterface* profiler)
    : arena_(arena), size_(size), profiler_(profiler), input_(), output_(), state_(0) {
  ++fake::seen.alive;
  ++fake::seen.made;
  fake::seen.arena = arena;
  fake::seen.arena_size = size;
}

MicroInterpreter::~MicroInterpreter() { --fake::seen.alive; }

TfLiteStatus MicroInterpreter::AllocateTensors() {
  if (size_ < fake::knobs.minimum_arena) return kTfLiteError;
  memset(arena_, 0x5A, size_);
  input_.type = output_.type = fake::knobs.type;
  input_.data.raw = reinterpret_cast<char*>(arena_);
  input_.bytes = fake::knobs.input_bytes;
  output_.data.raw = reinterpret_cast<char*>(arena_ + 16);
  output_.bytes = fake::knobs.output_bytes;
  return kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Invoke() {
  int sum = ++state_;
  for (size_t i = 0; i < input_.bytes; ++i) sum += input_.data.raw[i];
  for (size_t i = 0; i < fake::knobs.operators; ++i) {
    const uint32_t handle = profiler_->BeginEvent(kNames[i % 3]);
    fake::clock += 100 * (i + 1);
    profiler_->EndEvent(handle);
  }
  for (size_t i = 0; i < output_.bytes; ++i) output_.data.raw[i] = static_cast<char>(sum);
  for (size_t i = 0; i < fake::knobs.writes_beyond; ++i) arena_[size_ + i] = static_cast<uint8_t>(~arena_[size_ + i]);
  return fake::knobs.invoke_fails ? kTfLiteError : kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Reset() {
  ++fake::seen.resets;
  state_ = 0;
  return fake::knobs.reset_fails ? kTfLiteError : kTfLiteOk;
}

}  // namespace tflite

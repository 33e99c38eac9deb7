// A fake: see fake_tflm.h.
#ifndef TINYHIL_TESTS_FAKE_MICRO_PROFILER_INTERFACE_H_
#define TINYHIL_TESTS_FAKE_MICRO_PROFILER_INTERFACE_H_

#include "fake_tflm.h"

namespace tflite {

class MicroProfilerInterface {
 public:
  virtual ~MicroProfilerInterface() {}
  virtual uint32_t BeginEvent(const char* tag) = 0;
  virtual void EndEvent(uint32_t event_handle) = 0;
};

}  // namespace tflite

#endif  // TINYHIL_TESTS_FAKE_MICRO_PROFILER_INTERFACE_H_

// A fake: see fake_tflm.h.
#ifndef TINYHIL_TESTS_FAKE_SCHEMA_GENERATED_H_
#define TINYHIL_TESTS_FAKE_SCHEMA_GENERATED_H_

#include "fake_tflm.h"

namespace tflite {

struct Model {
  uint32_t version() const { return fake::knobs.schema_version; }
};

inline const Model* GetModel(const void* bytes) {
  fake::seen.model = bytes;
  return static_cast<const Model*>(bytes);
}

}  // namespace tflite

#endif  // TINYHIL_TESTS_FAKE_SCHEMA_GENERATED_H_

// A fake: see fake_tflm.h.
#ifndef TINYHIL_TESTS_FAKE_MICRO_MUTABLE_OP_RESOLVER_H_
#define TINYHIL_TESTS_FAKE_MICRO_MUTABLE_OP_RESOLVER_H_

#include "fake_tflm.h"

namespace tflite {

class MicroOpResolver {
 public:
  virtual ~MicroOpResolver() {}
};

template <unsigned int tOpCount>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  TfLiteStatus AddFullyConnected() { return add(); }
  TfLiteStatus AddReshape() { return add(); }

 private:
  // As the library does: the table has room for so many, and no more.
  TfLiteStatus add() {
    if (fake::knobs.refuse_operator || count_ == tOpCount) return kTfLiteError;
    ++count_;
    ++fake::seen.registered;
    return kTfLiteOk;
  }

  unsigned int count_ = 0;
};

}  // namespace tflite

#endif  // TINYHIL_TESTS_FAKE_MICRO_MUTABLE_OP_RESOLVER_H_

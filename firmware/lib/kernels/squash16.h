// Sigmoid and tanh of every element of a tensor of int16.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/integer_ops/{logistic,tanh}.h (int16).
// Inline for the same reason as binary.h.
#ifndef TINYHIL_KERNELS_SQUASH16_H_
#define TINYHIL_KERNELS_SQUASH16_H_

#include <stdint.h>

#include "fixed_point.h"
#include "sigmoid16.h"

namespace tinyhil {
namespace kernels {

// value * multiplier / 2^right, halves up: what the table of sigmoid16.h is read with. `multiplier` is at most 32767.
TINYHIL_INLINE int32_t at_scale_of_table(int16_t value, int32_t multiplier, int32_t right) {
  return (value * multiplier + ((1 << right) >> 1)) >> right;
}

TINYHIL_INLINE void logistic(const int16_t* input, int16_t* output, int32_t count, int32_t multiplier, int32_t right) {
  for (int32_t i = 0; i < count; ++i) output[i] = sigmoid16(at_scale_of_table(input[i], multiplier, right));
}

TINYHIL_INLINE void tanh(const int16_t* input, int16_t* output, int32_t count, int32_t multiplier, int32_t right) {
  for (int32_t i = 0; i < count; ++i) output[i] = tanh16(at_scale_of_table(input[i], multiplier, right));
}

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_SQUASH16_H_

// Softmax and its logarithm along the last dimension, in fixed point.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/{softmax,log_softmax}.h and kernels/internal/common.h, gemmlowp's
// fixedpoint.h.
#ifndef TINYHIL_KERNELS_SOFTMAX_H_
#define TINYHIL_KERNELS_SOFTMAX_H_

#include <stdint.h>

namespace tinyhil {
namespace kernels {

// How an int8 input becomes the exponent: (input - greatest of the row) * multiplier * 2^(shift - 31) with 26 fractional
// bits. What lies more than -lowest_difference below the greatest counts as nothing.
struct SoftmaxScaling {
  int32_t multiplier;
  int32_t shift;              // to the left, 0 .. 31
  int32_t lowest_difference;  // 0 or less
};

// `input` and `output` are `rows` rows of `depth` values, 1 .. 4095. They must not overlap.
void softmax(const int8_t* input, int8_t* output, int32_t rows, int32_t depth, const SoftmaxScaling& scaling);
void softmax(const int8_t* input, int16_t* output, int32_t rows, int32_t depth, const SoftmaxScaling& scaling);

// Logarithm of the softmax. `scaling` as above; `reverse_multiplier` and `reverse_shift` (to the left, 0 or less) bring a
// value with 26 fractional bits back to the input's scale. The output has the scale 1/16 and the zero point 127.
void log_softmax(const int8_t* input, int8_t* output, int32_t rows, int32_t depth, const SoftmaxScaling& scaling,
                 int32_t reverse_multiplier, int32_t reverse_shift);

// Tables of 512 intervals over all of int16, for the softmax of int16.
struct SoftmaxTables {
  const int16_t* exponential;  // 513 values: exp(x) for x from -10 to 0
  const int16_t* reciprocal;   // 513 values: 1 / (1 + x) for x from 0 to 1
};

// `multiplier` and `shift` scale a difference so that -65535 is -10. `depth` is 1 .. 65535.
void softmax(const int16_t* input, int16_t* output, int32_t rows, int32_t depth, int32_t multiplier, int32_t shift,
             const SoftmaxTables& tables);

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_SOFTMAX_H_

// What is done to each element by itself.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/leaky_relu.h, micro/kernels/{activations.h,elementwise.cc}.
// Inline for the same reason as binary.h. A RELU is a requantize() of quantize.h with the zero point as its lowest value.
#ifndef TINYHIL_KERNELS_UNARY_H_
#define TINYHIL_KERNELS_UNARY_H_

#include <stdint.h>

#include "fixed_point.h"

namespace tinyhil {
namespace kernels {

// `table` has the outputs for -128 .. 127, in this order.
TINYHIL_INLINE void look_up(const int8_t* input, int8_t* output, int32_t count, const int8_t* table) {
  for (int32_t i = 0; i < count; ++i) output[i] = table[input[i] + 128];
}

template <typename T>
TINYHIL_INLINE void clamp_all(const T* input, T* output, int32_t count, int32_t lowest, int32_t highest) {
  for (int32_t i = 0; i < count; ++i) output[i] = static_cast<T>(clamp(input[i], lowest, highest));
}

struct LeakyRelu {
  int32_t offset;      // minus the zero point of the input
  int32_t multiplier;  // of what is not negative
  int32_t shift;
  int32_t alpha_multiplier;  // of what is negative, without its sign
  int32_t alpha_shift;
  int32_t alpha_sign;
  int32_t zero_point;  // of the output
  int32_t lowest;
  int32_t highest;
};

template <typename T>
TINYHIL_INLINE void leaky_relu(const T* input, T* output, int32_t count, const LeakyRelu& relu) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t value = input[i] + relu.offset;
    const int32_t scaled =
        value >= 0 ? multiply_by_quantized_multiplier(value, relu.multiplier, relu.shift)
                   : multiply_by_quantized_multiplier(value, relu.alpha_multiplier, relu.alpha_shift) * relu.alpha_sign;
    output[i] = static_cast<T>(clamp(scaled + relu.zero_point, relu.lowest, relu.highest));
  }
}

// `offset` is minus the zero point of the input.
template <typename T>
TINYHIL_INLINE void absolute(const T* input, T* output, int32_t count, int32_t offset, int32_t multiplier,
                             int32_t shift, int32_t zero_point, int32_t lowest, int32_t highest) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t value = input[i] + offset;
    const int32_t scaled = multiply_by_quantized_multiplier(value < 0 ? -value : value, multiplier, shift);
    output[i] = static_cast<T>(clamp(scaled + zero_point, lowest, highest));
  }
}

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_UNARY_H_

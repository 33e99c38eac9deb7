// Between real numbers and integers, and between integers of different scales.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/{quantize,dequantize,requantize}.h.
// Inline for the same reason as binary.h.
#ifndef TINYHIL_KERNELS_QUANTIZE_H_
#define TINYHIL_KERNELS_QUANTIZE_H_

#include <stdint.h>

#include "fixed_point.h"

namespace tinyhil {
namespace kernels {

// The nearest integer, halves away from zero. What is no integer of 32 bits is INT32_MIN, as on the CPU that the reference
// runs on, and not the nearest there is, as on Arm.
TINYHIL_INLINE int32_t round_to_int(float value) {
  if (!(value >= -2147483648.0f && value < 2147483648.0f)) return INT32_MIN;
  const int32_t whole = static_cast<int32_t>(value);
  const float rest = value - static_cast<float>(whole);  // exact
  return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

// `lowest` and `highest` are those of T.
template <typename T>
TINYHIL_INLINE void quantize(const float* input, T* output, int32_t count, float scale, int32_t zero_point,
                             int32_t lowest, int32_t highest) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = static_cast<T>(clamp(wrapping_add(round_to_int(input[i] / scale), zero_point), lowest, highest));
  }
}

template <typename T>
TINYHIL_INLINE void dequantize(const T* input, float* output, int32_t count, float scale, int32_t zero_point) {
  // TFLM multiplies doubles, where the product of a float and an integer of 17 bits is exact; so there is one rounding.
  for (int32_t i = 0; i < count; ++i) output[i] = scale * static_cast<float>(input[i] - zero_point);
}

// `offset` is minus the zero point of the input.
template <typename From, typename To>
TINYHIL_INLINE void requantize(const From* input, To* output, int32_t count, int32_t offset, int32_t multiplier,
                               int32_t shift, int32_t zero_point, int32_t lowest, int32_t highest) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t scaled = multiply_by_quantized_multiplier(wrapping_add(input[i], offset), multiplier, shift);
    output[i] = static_cast<To>(clamp(wrapping_add(scaled, zero_point), lowest, highest));
  }
}

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_QUANTIZE_H_

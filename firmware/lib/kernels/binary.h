// Arithmetic of two tensors, element by element, with the shapes of broadcast.h.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/{add,sub,mul,maximum_minimum}.h, their kin in integer_ops,
// prelu.h, and micro/kernels/squared_difference.cc.
// All of it is inline: each call has constants for shape and scales, so that what the compiler leaves of it is a loop with
// literal numbers, no larger than a call with its tables and about twice as fast.
#ifndef TINYHIL_KERNELS_BINARY_H_
#define TINYHIL_KERNELS_BINARY_H_

#include <stdint.h>

#include "broadcast.h"
#include "fixed_point.h"

namespace tinyhil {
namespace kernels {

// How two inputs of different scales come to one, and from there to the output's. The wide input is the one of the
// greater scale: TFLM multiplies it by exactly a half, which is a shift. The other one is given one bit more than TFLM
// gives it, because rounding_high_mul halves it again.
struct CommonScale {
  int32_t wide_factor;  // a power of two, negative for what is subtracted
  int32_t wide_start;   // wide_factor times minus the zero point
  int32_t narrow_factor;
  int32_t narrow_start;
  int32_t narrow_multiplier;
  int32_t narrow_right;  // bits, 0 .. 30
  int32_t narrow_sign;   // 1, or -1 for what is subtracted
  int32_t multiplier;    // of the result
  int32_t shift;         // of the result, to the left, -30 .. 30; 0 or less for a sum
  int32_t offset;        // the zero point of the output
  int32_t lowest;
  int32_t highest;
};

// Both inputs in the scale that they share, added. With their factors each stays within 32 bits and the sum within 31.
TINYHIL_INLINE int32_t common_sum(int32_t wide, int32_t narrow, const CommonScale& scale) {
  const int32_t shifted = narrow * scale.narrow_factor + scale.narrow_start;
  const int32_t scaled = divide_by_pot(rounding_high_mul(shifted, scale.narrow_multiplier), scale.narrow_right);
  return wide * scale.wide_factor + scale.wide_start + scaled * scale.narrow_sign;
}

// Sum or difference.
template <typename T>
TINYHIL_INLINE void add(const Broadcast& shape, const T* wide, const T* narrow, T* output, const CommonScale& scale) {
  for_each_pair(shape, wide, narrow, output, [&](T a, T b) TINYHIL_LAMBDA -> T {
    const int32_t product = rounding_high_mul(common_sum(a, b, scale) * 2, scale.multiplier);
    return static_cast<T>(clamp(divide_by_pot(product, -scale.shift) + scale.offset, scale.lowest, scale.highest));
  });
}

template <typename T>
TINYHIL_INLINE void squared_difference(const Broadcast& shape, const T* wide, const T* narrow, T* output,
                                       const CommonScale& scale) {
  for_each_pair(shape, wide, narrow, output, [&](T a, T b) TINYHIL_LAMBDA -> T {
    const int32_t difference = common_sum(a, b, scale);
    const int32_t product = multiply_by_quantized_multiplier(difference * difference, scale.multiplier, scale.shift);
    return static_cast<T>(clamp(product + scale.offset, scale.lowest, scale.highest));
  });
}

struct Product {
  int32_t offset1;  // minus the zero point
  int32_t offset2;
  int32_t multiplier;
  int32_t shift;   // to the left, -31 .. 31
  int32_t offset;  // the zero point of the output
  int32_t lowest;
  int32_t highest;
};

template <typename T>
TINYHIL_INLINE void multiply(const Broadcast& shape, const T* input1, const T* input2, T* output,
                             const Product& product) {
  for_each_pair(shape, input1, input2, output, [&](T a, T b) TINYHIL_LAMBDA -> T {
    const int32_t value = (a + product.offset1) * (b + product.offset2);
    const int32_t scaled = multiply_by_quantized_multiplier(value, product.multiplier, product.shift);
    return static_cast<T>(clamp(scaled + product.offset, product.lowest, product.highest));
  });
}

struct Prelu {
  int32_t offset;        // minus the zero point of the input
  int32_t alpha_offset;  // minus the zero point of the slopes
  int32_t multiplier;    // of what is not negative
  int32_t shift;         // to the left, -31 .. 30
  int32_t alpha_multiplier;
  int32_t alpha_shift;
  int32_t zero_point;  // of the output
  int32_t lowest;
  int32_t highest;
};

template <typename T>
TINYHIL_INLINE void prelu(const Broadcast& shape, const T* input, const int8_t* alpha, T* output, const Prelu& prelu) {
  for_each_pair(shape, input, alpha, output, [&](T a, int8_t slope) TINYHIL_LAMBDA -> T {
    const int32_t value = a + prelu.offset;
    const int32_t scaled = value >= 0 ? multiply_by_quantized_multiplier(value, prelu.multiplier, prelu.shift)
                                      : multiply_by_quantized_multiplier(value * (slope + prelu.alpha_offset),
                                                                         prelu.alpha_multiplier, prelu.alpha_shift);
    return static_cast<T>(clamp(scaled + prelu.zero_point, prelu.lowest, prelu.highest));
  });
}

template <typename T>
TINYHIL_INLINE void maximum(const Broadcast& shape, const T* input1, const T* input2, T* output) {
  for_each_pair(shape, input1, input2, output, [](T a, T b) TINYHIL_LAMBDA -> T { return a > b ? a : b; });
}

template <typename T>
TINYHIL_INLINE void minimum(const Broadcast& shape, const T* input1, const T* input2, T* output) {
  for_each_pair(shape, input1, input2, output, [](T a, T b) TINYHIL_LAMBDA -> T { return a < b ? a : b; });
}

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_BINARY_H_

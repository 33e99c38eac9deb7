// Fixed point arithmetic that the kernels share, bit for bit what TensorFlow Lite Micro computes in its default build.
//
// Source of the arithmetic: gemmlowp's fixedpoint.h and TFLM's kernels/internal/common.cc, with double rounding: once
// after the multiplication and once after the shift to the right.
// Relies on `>>` of a negative number being arithmetic, as it is on every compiler that this firmware is built with.
#ifndef TINYHIL_KERNELS_FIXED_POINT_H_
#define TINYHIL_KERNELS_FIXED_POINT_H_

#include <stdint.h>

// For what stands in inner loops: `-Os` would call it.
#define TINYHIL_INLINE inline __attribute__((always_inline))
#define TINYHIL_LAMBDA __attribute__((always_inline))

namespace tinyhil {
namespace kernels {

TINYHIL_INLINE int32_t clamp(int32_t value, int32_t lowest, int32_t highest) {
  return value < lowest ? lowest : value > highest ? highest : value;
}

// The sum as 32 bits hold it.
TINYHIL_INLINE int32_t wrapping_add(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}

// `value` times two to the power of `shift`, 0 .. 31; bits that leave the word are lost, as in TFLM, but without
// undefined behaviour.
TINYHIL_INLINE int32_t shift_left(int32_t value, int32_t shift) {
  return static_cast<int32_t>(static_cast<uint32_t>(value) << shift);
}

// a * b / 2^31, halves rounded up; INT32_MIN squared gives INT32_MAX.
// gemmlowp adds a nudge by the sign and divides towards zero, which is the same as this shift for every product.
inline int32_t saturating_rounding_doubling_high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return static_cast<int32_t>((static_cast<int64_t>(a) * b + (1 << 30)) >> 31);
}

// a * b / 2^32, halves rounded up: saturating_rounding_doubling_high_mul of half of `a`. One instruction where the CPU
// has the DSP extension, which the compiler does not find by itself.
TINYHIL_INLINE int32_t rounding_high_mul(int32_t a, int32_t b) {
#if defined(__ARM_FEATURE_DSP)
  int32_t result;
  __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
  return result;
#else
  return static_cast<int32_t>((static_cast<int64_t>(a) * b + (static_cast<int64_t>(1) << 31)) >> 32);
#endif
}

// value / 2^exponent, halves rounded away from zero. `exponent` is 0 .. 31.
TINYHIL_INLINE int32_t rounding_divide_by_pot(int32_t value, int32_t exponent) {
  const int32_t mask = static_cast<int32_t>((static_cast<uint32_t>(1) << exponent) - 1);
  const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
  return (value >> exponent) + ((value & mask) > threshold ? 1 : 0);
}

// The same for |value| < 2^30 and a constant exponent, 0 .. 30, where it is two instructions and the shift.
TINYHIL_INLINE int32_t divide_by_pot(int32_t value, int32_t exponent) {
  return exponent == 0 ? value : (value + ((1 << exponent) >> 1) + (value >> 31)) >> exponent;
}

// value * multiplier * 2^(shift - 31), rounded twice. `multiplier` is at least 0, `shift` is -31 .. 31.
TINYHIL_INLINE int32_t multiply_by_quantized_multiplier(int32_t value, int32_t multiplier, int32_t shift) {
  const int32_t left = shift > 0 ? shift : 0;
  const int32_t right = shift > 0 ? 0 : -shift;
  // The multiplier is never INT32_MIN, so the product needs no saturation.
  const int64_t product = static_cast<int64_t>(shift_left(value, left)) * multiplier;
  return rounding_divide_by_pot(static_cast<int32_t>((product + (1 << 30)) >> 31), right);
}

// The same for a sum of 48 bits, -2^47 .. 2^47 - 1, as the layers of int16 have it: the multiplier is rounded to 16 bits
// and the product once. `shift` is -31 .. 7.
inline int32_t multiply_by_quantized_multiplier(int64_t value, int32_t multiplier, int32_t shift) {
  const int32_t reduced = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
  const int32_t right = 15 - shift;
  return static_cast<int32_t>((value * reduced + (static_cast<int64_t>(1) << (right - 1))) >> right);
}

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_FIXED_POINT_H_

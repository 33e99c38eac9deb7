// Dot products of a row of values with a row of weights, which most of the work of a network is.
//
// Four products a turn: on a Cortex-M4 counting and branching cost as much as a product.
// No zero points here: what they add is the same for every inference and is part of the bias.
#ifndef TINYHIL_KERNELS_DOT_H_
#define TINYHIL_KERNELS_DOT_H_

#include <stdint.h>

#include "fixed_point.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#include <string.h>
#endif

namespace tinyhil {
namespace kernels {

// a + b modulo 2^64, as fixed_point.h has it for 32 bits.
inline int64_t wrapping_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

// sum of values[i] * weights[i], modulo 2^32.
template <typename T>
inline int32_t dot32(const T* values, const int8_t* weights, int32_t count) {
  uint32_t sum = 0;
  for (; count >= 4; count -= 4, values += 4, weights += 4) {
    sum += static_cast<uint32_t>(values[0] * weights[0]);
    sum += static_cast<uint32_t>(values[1] * weights[1]);
    sum += static_cast<uint32_t>(values[2] * weights[2]);
    sum += static_cast<uint32_t>(values[3] * weights[3]);
  }
  for (; count > 0; --count) sum += static_cast<uint32_t>(*values++ * *weights++);
  return static_cast<int32_t>(sum);
}

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
// Two products an instruction, where the CPU has that. In assembly, because not every compiler of a board's core knows
// functions for it.
inline int32_t two_products(uint32_t values, uint32_t weights, int32_t sum) {
  int32_t result;
  __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(values), "r"(weights), "r"(sum));
  return result;
}

// Bytes 0 and 2 as two numbers of 16 bits.
inline uint32_t even_bytes(uint32_t bytes) {
  uint32_t result;
  __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(bytes));
  return result;
}

// Bytes 1 and 3.
inline uint32_t odd_bytes(uint32_t bytes) {
  uint32_t result;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(bytes));
  return result;
}

inline int32_t dot32(const int8_t* values, const int8_t* weights, int32_t count) {
  int32_t sum = 0;
  for (; count >= 4; count -= 4, values += 4, weights += 4) {
    uint32_t four_values;
    uint32_t four_weights;
    memcpy(&four_values, values, 4);
    memcpy(&four_weights, weights, 4);
    sum = two_products(even_bytes(four_values), even_bytes(four_weights), sum);
    sum = two_products(odd_bytes(four_values), odd_bytes(four_weights), sum);
  }
  for (; count > 0; --count) sum = wrapping_add(sum, *values++ * *weights++);
  return sum;
}
#endif

// The same sum in 64 bits. A product of 16 by 8 bits has 23, so 256 of them fit into a word.
inline int64_t dot64(const int16_t* values, const int8_t* weights, int32_t count) {
  int64_t sum = 0;
  for (; count > 256; count -= 256, values += 256, weights += 256) sum += dot32(values, weights, 256);
  return sum + dot32(values, weights, count);
}

// The sum in the type of the bias, by which TFLM chooses how wide it adds.
template <typename T>
inline int32_t dot(const T* values, const int8_t* weights, int32_t count, int32_t bias) {
  return wrapping_add(dot32(values, weights, count), bias);
}

inline int64_t dot(const int16_t* values, const int8_t* weights, int32_t count, int64_t bias) {
  return wrapping_add(dot64(values, weights, count), bias);
}

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_DOT_H_

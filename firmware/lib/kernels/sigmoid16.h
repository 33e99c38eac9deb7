// Sigmoid and tanh of 16 bits, from one table with linear interpolation.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/integer_ops/logistic.h and tanh.h (int16), which read
// the same table, because tanh(x) = 2 sigmoid(2 x) - 1.
#ifndef TINYHIL_KERNELS_SIGMOID16_H_
#define TINYHIL_KERNELS_SIGMOID16_H_

#include <stdint.h>

namespace tinyhil {
namespace kernels {

// sigmoid(i / 24) * 2^16. Every entry is TFLM's, which are up to 1 above what rounding gives.
extern const uint16_t kSigmoid16[256];

// sigmoid(x / 12288) * 2^15: what is quantized by 2^-12 comes in times three.
inline int16_t sigmoid16(int32_t x) {
  const uint32_t magnitude = static_cast<uint32_t>(x < 0 ? -x : x);
  const uint32_t index = magnitude >> 9;
  uint32_t value = 0x7FFFu << 10;
  if (index < 255) {
    const uint32_t low = kSigmoid16[index];
    value = (low << 9) + (magnitude & 0x1FF) * (kSigmoid16[index + 1] - low);
  }
  value = x >= 0 ? value + (1 << 9) : (1 << 25) - value + (1 << 9) - 1;
  return static_cast<int16_t>(value >> 10);
}

// tanh(x / 12288) * 2^15.
inline int16_t tanh16(int32_t x) {
  const uint32_t magnitude = static_cast<uint32_t>(x < 0 ? -x : x);
  const uint32_t index = magnitude >> 8;
  int32_t value = 0xFFFF << 8;
  if (index < 255) {
    const uint32_t low = kSigmoid16[index];
    value = static_cast<int32_t>((low << 8) + (magnitude & 0xFF) * (kSigmoid16[index + 1] - low));
  }
  value = x >= 0 ? value - (1 << 23) + (1 << 7) : -value + (1 << 23) + (1 << 7) - 1;
  return static_cast<int16_t>(value >> 8);
}

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_SIGMOID16_H_

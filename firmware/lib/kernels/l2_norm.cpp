#include "l2_norm.h"

#include "fixed_point.h"

namespace tinyhil {
namespace kernels {
namespace {

int32_t multiply(int32_t a, int32_t b) { return saturating_rounding_doubling_high_mul(a, b); }

// `value` times two to the power of `shift`, at most INT32_MAX. Values here are not negative.
int32_t saturating_shift(int32_t value, int32_t shift) {
  return value > (1 << (31 - shift)) - 1 ? INT32_MAX : shift_left(value, shift);
}

// One over the square root of `value`, at least 0, is multiplier * 2^(-right - 31): five steps of Newton and Raphson
// with three integer bits, from 1 on.
int32_t inverse_root(int32_t value, int32_t* right) {
  *right = 0;
  if (value <= 1) return INT32_MAX;
  int32_t shift = 11;
  for (; value >= (1 << 29); value /= 4) ++shift;
  const int32_t pairs = (__builtin_clz(static_cast<uint32_t>(value)) - 1) / 2 - 1;
  shift -= pairs;
  const int32_t half = rounding_divide_by_pot(shift_left(value, 2 * pairs) >> 1, 1);
  const int32_t three_halves = (1 << 28) + (1 << 27);
  int32_t x = 1 << 28;
  for (int32_t i = 0; i < 5; ++i) {
    const int32_t cube = saturating_shift(multiply(multiply(x, x), x), 6);
    x = saturating_shift(multiply(three_halves, x) - multiply(half, cube), 3);
  }
  x = multiply(x, 1518500250);  // half of the square root of two
  if (shift < 0) return shift_left(x, -shift);
  *right = shift;
  return x;
}

}  // namespace

void l2_norm(const int8_t* input, int8_t* output, int32_t rows, int32_t depth, int32_t zero_point) {
  for (; rows > 0; --rows, input += depth, output += depth) {
    int32_t squares = 0;
    for (int32_t i = 0; i < depth; ++i) {
      const int32_t value = input[i] - zero_point;
      squares += value * value;
    }
    int32_t right;
    const int32_t multiplier = inverse_root(squares, &right);
    for (int32_t i = 0; i < depth; ++i) {
      const int32_t value = multiply_by_quantized_multiplier(input[i] - zero_point, multiplier, 7 - right);
      output[i] = static_cast<int8_t>(clamp(value, -128, 127));
    }
  }
}

}  // namespace kernels
}  // namespace tinyhil

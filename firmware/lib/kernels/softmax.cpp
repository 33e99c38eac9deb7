#include "softmax.h"

#include "fixed_point.h"

namespace tinyhil {
namespace kernels {
namespace {

// Numbers are called after their count of integer bits: q0 has 31 fractional bits, q2 has 29, q5 has 26, q12 has 19.

int32_t multiply(int32_t a, int32_t b) { return saturating_rounding_doubling_high_mul(a, b); }

// exp(x) in q0, for x in q5, -32 .. 0.
// A Taylor series around -1/8 for the part of x above the next multiple of 1/4, times exp of each power of two in the rest.
int32_t exp_of_negative(int32_t x) {
  static const int32_t kFactors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  if (x == 0) return INT32_MAX;
  const int32_t quarter = 1 << 24;
  const int32_t fraction = (x & (quarter - 1)) - quarter;
  const int32_t t = shift_left(fraction, 5) + (1 << 28);
  const int32_t t2 = multiply(t, t);
  const int32_t t3 = multiply(t2, t);
  const int32_t t4 = multiply(t2, t2);
  const int32_t third = 715827883;
  const int32_t tail = rounding_divide_by_pot(multiply(rounding_divide_by_pot(t4, 2) + t3, third) + t2, 1);
  const int32_t exp_of_eighth = 1895147668;  // of -1/8
  int32_t result = exp_of_eighth + multiply(exp_of_eighth, t + tail);
  const int32_t rest = fraction - x;  // a multiple of 1/4
  for (int i = 0; i < 7; ++i) {
    if (rest & (quarter << i)) result = multiply(result, kFactors[i]);
  }
  return result;
}

// 1 / (1 + x) in q0, for x in q0, 0 .. 1: three steps of Newton and Raphson.
int32_t reciprocal_of_one_plus(int32_t x) {
  const int32_t half_denominator = static_cast<int32_t>((static_cast<int64_t>(x) + INT32_MAX + 1) / 2);
  const int32_t one = 1 << 29;                                              // in q2
  int32_t result = 1515870810 + multiply(half_denominator, -1010580540);    // 48/17 - 32/17 * half_denominator in q2
  for (int i = 0; i < 3; ++i) {
    const int32_t error = one - multiply(half_denominator, result);
    result += shift_left(multiply(result, error), 2);
  }
  const int32_t limit = (1 << 30) - 1;  // half of the result in q2 has one integer bit too many for q0: saturate
  return result > limit ? INT32_MAX : shift_left(result, 1);
}

int32_t leading_zeros(uint32_t value) { return value == 0 ? 32 : __builtin_clz(value); }

template <typename T>
T greatest(const T* row, int32_t depth) {
  T result = row[0];
  for (int32_t i = 1; i < depth; ++i) {
    if (row[i] > result) result = row[i];
  }
  return result;
}

int32_t exponential(int32_t difference, const SoftmaxScaling& scaling) {
  return exp_of_negative(
      saturating_rounding_doubling_high_mul(shift_left(difference, scaling.shift), scaling.multiplier));
}

// The sum of the exponentials of a row, in q12.
uint32_t sum_of_exponentials(const int8_t* row, int32_t depth, int32_t top, const SoftmaxScaling& scaling) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < depth; ++i) {
    const int32_t difference = row[i] - top;
    if (difference >= scaling.lowest_difference) {
      sum += static_cast<uint32_t>(rounding_divide_by_pot(exponential(difference, scaling), 12));
    }
  }
  return sum;
}

// Output bits 8 or 16.
template <typename Output, int kBits>
void softmax_of_bytes(const int8_t* input, Output* output, int32_t rows, int32_t depth, const SoftmaxScaling& scaling) {
  const int32_t lowest = -(1 << (kBits - 1));
  for (; rows > 0; --rows, input += depth, output += depth) {
    const int32_t top = greatest(input, depth);
    const uint32_t sum = sum_of_exponentials(input, depth, top, scaling);
    const int32_t zeros = leading_zeros(sum);
    const int32_t scale = reciprocal_of_one_plus(static_cast<int32_t>((sum << zeros) - (1u << 31)));
    const int32_t exponent = 12 - zeros + 31 - kBits;
    for (int32_t i = 0; i < depth; ++i) {
      const int32_t difference = input[i] - top;
      int32_t share = 0;
      // A row whose sum is 512 or more has only shares below half of a step of 1/256.
      if (difference >= scaling.lowest_difference && exponent <= 31) {
        share = rounding_divide_by_pot(multiply(scale, exponential(difference, scaling)), exponent);
      }
      output[i] = static_cast<Output>(clamp(share + lowest, lowest, -lowest - 1));
    }
  }
}

// `value` times two to the power of `shift`, at most INT32_MAX; `value` is not negative.
int32_t saturating_shift(int32_t value, int32_t shift) {
  return shift > 0 && value > (1 << (31 - shift)) - 1 ? INT32_MAX : shift_left(value, shift);
}

// Logarithm in q5 of x in q12, 1 or more: x is a power of two or of two times the square root of two, whichever leaves the
// smaller rest, and a rational function of the rest.
int32_t logarithm(int32_t x) {
  const int32_t quarter = 1 << 23;  // in q6
  const int32_t sqrt_half = 1518500250;
  const int32_t fourth_root_of_half = 1805811301;
  const int32_t zeros = leading_zeros(static_cast<uint32_t>(x));
  const int32_t first = saturating_shift(multiply(saturating_shift(x, zeros - 1), sqrt_half), 1);
  const int32_t first_power = (12 - zeros) * (1 << 25) + quarter;
  const int32_t headroom = leading_zeros(static_cast<uint32_t>(multiply(x, sqrt_half))) - 1;
  const int32_t second = saturating_shift(x, headroom);
  const int32_t second_power = (12 - headroom) * (1 << 25) - quarter;
  const int32_t rest = first < second ? first : second;
  const int32_t power = first_power > second_power ? first_power : second_power;
  const int32_t p = static_cast<int32_t>((static_cast<int64_t>(rest) + fourth_root_of_half + 1) / 2);
  const int32_t q = (rest - fourth_root_of_half) * 2;
  const int32_t square = multiply(q, q);
  const int32_t numerator = multiply(q, rest) + multiply(multiply(q, square), 117049297);
  const int32_t denominator = multiply(p, 1057819769 + q + multiply(127690142, square)) + multiply(638450708, q);
  const int32_t quotient = multiply(rounding_divide_by_pot(numerator, 6), reciprocal_of_one_plus(denominator));
  return (multiply(power, 1488522236) + quotient) * 2;
}

// The table's value, linear between its points.
int32_t look_up(int32_t value, const int16_t* table) {
  const int16_t* point = table + 256 + (value >> 7);
  return static_cast<int16_t>(point[0] + ((static_cast<int16_t>(point[1] - point[0]) * (value & 127) + 64) >> 7));
}

}  // namespace

void softmax(const int8_t* input, int8_t* output, int32_t rows, int32_t depth, const SoftmaxScaling& scaling) {
  softmax_of_bytes<int8_t, 8>(input, output, rows, depth, scaling);
}

void softmax(const int8_t* input, int16_t* output, int32_t rows, int32_t depth, const SoftmaxScaling& scaling) {
  softmax_of_bytes<int16_t, 16>(input, output, rows, depth, scaling);
}

void log_softmax(const int8_t* input, int8_t* output, int32_t rows, int32_t depth, const SoftmaxScaling& scaling,
                 int32_t reverse_multiplier, int32_t reverse_shift) {
  for (; rows > 0; --rows, input += depth, output += depth) {
    const int32_t top = greatest(input, depth);
    const int32_t log = logarithm(static_cast<int32_t>(sum_of_exponentials(input, depth, top, scaling)));
    // Below this difference the result would leave 32 bits.
    const int32_t edge = multiply_by_quantized_multiplier(log + INT32_MIN, reverse_multiplier, reverse_shift);
    const int32_t lowest = edge > scaling.lowest_difference - 1 ? edge : scaling.lowest_difference - 1;
    for (int32_t i = 0; i < depth; ++i) {
      const int32_t difference = input[i] - top;
      int32_t result = -128;
      if (difference > lowest) {
        const int32_t scaled = multiply_by_quantized_multiplier(difference, scaling.multiplier, scaling.shift);
        result = clamp(rounding_divide_by_pot(scaled - log, 22) + 127, -128, 127);
      }
      output[i] = static_cast<int8_t>(result);
    }
  }
}

void softmax(const int16_t* input, int16_t* output, int32_t rows, int32_t depth, int32_t multiplier, int32_t shift,
             const SoftmaxTables& tables) {
  for (; rows > 0; --rows, input += depth, output += depth) {
    const int32_t top = greatest(input, depth);
    int32_t sum = 0;  // 15 fractional bits
    for (int32_t i = 0; i < depth; ++i) {
      const int32_t difference = multiply_by_quantized_multiplier(input[i] - top, multiplier, shift) + 32767;
      output[i] = static_cast<int16_t>(look_up(clamp(difference, -32768, 32767), tables.exponential));
      sum += output[i];
    }
    // sum = (1 + x) * 2^k; x is looked up, symmetric around 0.
    const int32_t headroom = leading_zeros(static_cast<uint32_t>(sum));
    const int32_t normal = static_cast<int32_t>(((static_cast<int64_t>(sum) << (headroom - 1)) + (1 << 13)) >> 14);
    const int32_t scale = look_up(clamp(normal - (1 << 15) - (1 << 16), -32768, 32767), tables.reciprocal);
    const int32_t right = 31 - headroom;
    for (int32_t i = 0; i < depth; ++i) {
      const int64_t product = static_cast<int64_t>(output[i]) * scale + (1 << (right - 1));
      output[i] = static_cast<int16_t>(clamp(static_cast<int32_t>(product >> right), 0, 32767));
    }
  }
}

}  // namespace kernels
}  // namespace tinyhil

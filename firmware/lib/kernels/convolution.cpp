#include "convolution.h"

#include "dot.h"
#include "fixed_point.h"

namespace tinyhil {
namespace kernels {
namespace {

// A sum as an output: scaled, moved to the zero point, clamped.
template <typename T, typename Bias>
T output_of(const Convolution& sizes, Bias sum, const int32_t* multipliers, const int8_t* shifts, int32_t channel) {
  const int32_t at = channel * sizes.per_channel;
  const int32_t scaled = multiply_by_quantized_multiplier(sum, multipliers[at], shifts[at]);
  return static_cast<T>(clamp(wrapping_add(scaled, sizes.output_zero_point), sizes.lowest, sizes.highest));
}

// `sum` and `times` the zero point for each of `count` weights.
template <typename Bias>
Bias add_zero_points(const Convolution& sizes, int32_t times, const int8_t* weights, int32_t count, Bias sum) {
  if (sizes.input_zero_point == 0) return sum;
  int32_t weight = 0;
  for (int32_t i = 0; i < count; ++i) weight += weights[i];
  return wrapping_add(sum, static_cast<Bias>(times * weight * sizes.input_zero_point));
}

// What pixels outside of the picture add: as if each of them had the zero point as its value.
template <typename Bias>
Bias outside(const Convolution& sizes, const int8_t* weights, int32_t count, Bias sum) {
  return add_zero_points(sizes, 1, weights, count, sum);
}

// The sum over one row of a filter. `row` is the row of the picture under it, null if there is none; `x` is where the
// filter begins in it.
template <typename T, typename Bias>
Bias row_sum(const Convolution& sizes, const T* row, int32_t x, const int8_t* weights, Bias sum) {
  const int32_t depth = sizes.filter_depth;
  if (row == nullptr) return outside(sizes, weights, sizes.filter_width * depth, sum);
  if (sizes.dilation_width == 1 && depth == sizes.input_depth) {  // all that is inside is one run
    const int32_t first = x < 0 ? (-x < sizes.filter_width ? -x : sizes.filter_width) : 0;
    int32_t last = sizes.input_width - x;
    last = last > sizes.filter_width ? sizes.filter_width : last < first ? first : last;
    sum = outside(sizes, weights, first * depth, sum);
    sum = dot(row + (x + first) * depth, weights + first * depth, (last - first) * depth, sum);
    return outside(sizes, weights + last * depth, (sizes.filter_width - last) * depth, sum);
  }
  for (int32_t i = 0; i < sizes.filter_width; ++i, x += sizes.dilation_width, weights += depth) {
    if (x < 0 || x >= sizes.input_width) {
      sum = outside(sizes, weights, depth, sum);
    } else {
      sum = dot(row + x * sizes.input_depth, weights, depth, sum);
    }
  }
  return sum;
}

template <typename T>
const T* row_of(const Convolution& sizes, const T* input, int32_t y) {
  return y < 0 || y >= sizes.input_height ? nullptr : input + y * sizes.input_width * sizes.input_depth;
}

}  // namespace

template <typename T, typename Bias>
void convolution(const Convolution& sizes, const T* input, const int8_t* weights, const Bias* bias,
                 const int32_t* multipliers, const int8_t* shifts, T* output) {
  const int32_t weights_row = sizes.filter_width * sizes.filter_depth;
  const int32_t of_a_group = sizes.output_depth / (sizes.input_depth / sizes.filter_depth);
  for (int32_t batch = 0; batch < sizes.batches; ++batch) {
    for (int32_t y = 0; y < sizes.output_height; ++y) {
      for (int32_t x = 0; x < sizes.output_width; ++x) {
        const int8_t* filter = weights;
        for (int32_t channel = 0; channel < sizes.output_depth; ++channel) {
          const T* group = input + channel / of_a_group * sizes.filter_depth;
          Bias sum = bias == nullptr ? 0 : bias[channel];
          for (int32_t i = 0; i < sizes.filter_height; ++i, filter += weights_row) {
            const T* row = row_of(sizes, group, y * sizes.stride_height - sizes.top + i * sizes.dilation_height);
            sum = row_sum(sizes, row, x * sizes.stride_width - sizes.left, filter, sum);
          }
          *output++ = output_of<T>(sizes, sum, multipliers, shifts, channel);
        }
      }
    }
    input += sizes.input_height * sizes.input_width * sizes.input_depth;
  }
}

template <typename T, typename Bias>
void depthwise_convolution(const Convolution& sizes, const T* input, const int8_t* weights, const Bias* bias,
                           const int32_t* multipliers, const int8_t* shifts, T* output) {
  for (int32_t batch = 0; batch < sizes.batches; ++batch) {
    for (int32_t y = 0; y < sizes.output_height; ++y) {
      for (int32_t x = 0; x < sizes.output_width; ++x) {
        for (int32_t channel = 0; channel < sizes.output_depth; ++channel) {
          const T* own = input + channel / sizes.filter_depth;
          const int8_t* filter = weights + channel;
          Bias sum = bias == nullptr ? 0 : bias[channel];
          for (int32_t i = 0; i < sizes.filter_height; ++i) {
            const T* row = row_of(sizes, own, y * sizes.stride_height - sizes.top + i * sizes.dilation_height);
            int32_t at = x * sizes.stride_width - sizes.left;
            for (int32_t j = 0; j < sizes.filter_width; ++j, at += sizes.dilation_width, filter += sizes.output_depth) {
              if (row == nullptr || at < 0 || at >= sizes.input_width) continue;
              const int32_t product = (row[at * sizes.input_depth] - sizes.input_zero_point) * *filter;
              sum = wrapping_add(sum, static_cast<Bias>(product));
            }
          }
          *output++ = output_of<T>(sizes, sum, multipliers, shifts, channel);
        }
      }
    }
    input += sizes.input_height * sizes.input_width * sizes.input_depth;
  }
}

// Gathers for each output what TFLM scatters from each input: the same products, in another order.
template <typename T, typename Bias>
void transpose_convolution(const Convolution& sizes, const T* input, const int8_t* weights, const Bias* bias,
                           const int32_t* multipliers, const int8_t* shifts, T* output) {
  const int32_t depth = sizes.input_depth;
  for (int32_t batch = 0; batch < sizes.batches; ++batch) {
    for (int32_t y = 0; y < sizes.output_height; ++y) {
      for (int32_t x = 0; x < sizes.output_width; ++x) {
        const int8_t* filter = weights;
        for (int32_t channel = 0; channel < sizes.output_depth; ++channel) {
          Bias sum = bias == nullptr ? 0 : bias[channel];
          for (int32_t i = 0; i < sizes.filter_height; ++i) {
            const int32_t above = y + sizes.top - i;
            const bool hit = above >= 0 && above % sizes.stride_height == 0;
            const T* row = hit ? row_of(sizes, input, above / sizes.stride_height) : nullptr;
            for (int32_t j = 0; j < sizes.filter_width; ++j, filter += depth) {
              const int32_t before = x + sizes.left - j;
              const int32_t at = before / sizes.stride_width;
              if (row == nullptr || before < 0 || at * sizes.stride_width != before || at >= sizes.input_width) continue;
              sum = dot(row + at * depth, filter, depth, sum);
              sum = add_zero_points(sizes, -1, filter, depth, sum);
            }
          }
          *output++ = output_of<T>(sizes, sum, multipliers, shifts, channel);
        }
      }
    }
    input += sizes.input_height * sizes.input_width * depth;
  }
}

#define TINYHIL_CONVOLUTION(T, Bias)                                                                               \
  template void convolution<T, Bias>(const Convolution&, const T*, const int8_t*, const Bias*, const int32_t*,     \
                                     const int8_t*, T*);                                                           \
  template void depthwise_convolution<T, Bias>(const Convolution&, const T*, const int8_t*, const Bias*,           \
                                               const int32_t*, const int8_t*, T*);                                 \
  template void transpose_convolution<T, Bias>(const Convolution&, const T*, const int8_t*, const Bias*,           \
                                               const int32_t*, const int8_t*, T*)
TINYHIL_CONVOLUTION(int8_t, int32_t);
TINYHIL_CONVOLUTION(int16_t, int32_t);
TINYHIL_CONVOLUTION(int16_t, int64_t);
#undef TINYHIL_CONVOLUTION

}  // namespace kernels
}  // namespace tinyhil

// Sums, means, extremes and their places along some of the dimensions.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/{reduce,arg_min_max}.h.
// Inline for the same reason as binary.h.
#ifndef TINYHIL_KERNELS_REDUCE_H_
#define TINYHIL_KERNELS_REDUCE_H_

#include <stdint.h>

#include "fixed_point.h"

namespace tinyhil {
namespace kernels {

// The input's dimensions, those that stay and those that are reduced, each the outermost first, neighbours of one kind
// taken as one; a size of 1 where there are less. A step is the distance of two elements in the input.
struct Reduction {
  int32_t kept[3];
  int32_t kept_steps[3];
  int32_t reduced[3];
  int32_t reduced_steps[3];
};

// output = finish(the fold of the elements by `function`, from `start` on).
template <typename T, typename Function, typename Finish>
TINYHIL_INLINE void reduce(const Reduction& shape, const T* input, T* output, int32_t start, const Function& function,
                           const Finish& finish) {
  for (int32_t i = 0; i < shape.kept[0]; ++i) {
    for (int32_t j = 0; j < shape.kept[1]; ++j) {
      for (int32_t k = 0; k < shape.kept[2]; ++k) {
        const T* const first = input + i * shape.kept_steps[0] + j * shape.kept_steps[1] + k * shape.kept_steps[2];
        int32_t result = start;
        for (int32_t a = 0; a < shape.reduced[0]; ++a) {
          for (int32_t b = 0; b < shape.reduced[1]; ++b) {
            const T* element = first + a * shape.reduced_steps[0] + b * shape.reduced_steps[1];
            for (int32_t c = 0; c < shape.reduced[2]; ++c, element += shape.reduced_steps[2]) {
              result = function(result, *element);
            }
          }
        }
        *output++ = static_cast<T>(finish(result));
      }
    }
  }
}

// `start` is minus the zero point of the input times the count of reduced elements; a mean has that count in its factor.
template <typename T>
TINYHIL_INLINE void sum(const Reduction& shape, const T* input, T* output, int32_t start, int32_t multiplier,
                        int32_t shift, int32_t zero_point, int32_t lowest, int32_t highest) {
  reduce(
      shape, input, output, start, [](int32_t total, int32_t value) TINYHIL_LAMBDA { return wrapping_add(total, value); },
      [=](int32_t total) TINYHIL_LAMBDA {
        return clamp(wrapping_add(multiply_by_quantized_multiplier(total, multiplier, shift), zero_point), lowest,
                     highest);
      });
}

template <typename T>
TINYHIL_INLINE void reduce_max(const Reduction& shape, const T* input, T* output, int32_t start) {
  reduce(
      shape, input, output, start, [](int32_t best, int32_t value) TINYHIL_LAMBDA { return value > best ? value : best; },
      [](int32_t best) TINYHIL_LAMBDA { return best; });
}

template <typename T>
TINYHIL_INLINE void reduce_min(const Reduction& shape, const T* input, T* output, int32_t start) {
  reduce(
      shape, input, output, start, [](int32_t best, int32_t value) TINYHIL_LAMBDA { return value < best ? value : best; },
      [](int32_t best) TINYHIL_LAMBDA { return best; });
}

// The place of the first of the greatest values (`sign` 1) or of the least (`sign` -1) among `count` that lie `inner`
// apart.
template <typename T>
TINYHIL_INLINE void arg_extreme(const T* input, int32_t* output, int32_t outer, int32_t count, int32_t inner,
                                int32_t sign) {
  for (int32_t i = 0; i < outer; ++i, input += (count - 1) * inner) {
    for (int32_t j = 0; j < inner; ++j, ++input) {
      int32_t place = 0;
      for (int32_t k = 1; k < count; ++k) {
        if (input[k * inner] * sign > input[place * inner] * sign) place = k;
      }
      *output++ = place;
    }
  }
}

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_REDUCE_H_

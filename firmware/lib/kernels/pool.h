// Means and maxima over windows of a picture.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/integer_ops/pooling.h.
#ifndef TINYHIL_KERNELS_POOL_H_
#define TINYHIL_KERNELS_POOL_H_

#include <stdint.h>

namespace tinyhil {
namespace kernels {

// Every window has at least one pixel inside of the picture.
struct Pool {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t depth;
  int32_t filter_height;
  int32_t filter_width;
  int32_t output_height;
  int32_t output_width;
  int32_t stride_height;
  int32_t stride_width;
  int32_t top;  // pixels before the picture that the first window covers
  int32_t left;
  int32_t lowest;
  int32_t highest;
};

// T is int8_t or int16_t. A mean is rounded to the nearest, halves away from zero.
template <typename T>
void average_pool(const Pool& pool, const T* input, T* output);
template <typename T>
void max_pool(const Pool& pool, const T* input, T* output);

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_POOL_H_

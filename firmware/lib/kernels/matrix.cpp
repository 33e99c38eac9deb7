#include "matrix.h"

#include "dot.h"
#include "fixed_point.h"

namespace tinyhil {
namespace kernels {
namespace {

template <typename T, typename Sum>
T* multiply(const Matrices& sizes, const T* left, const T* right, T* output, int32_t lowest) {
  for (int32_t i = 0; i < sizes.rows; ++i, left += sizes.left_row) {
    for (int32_t j = 0; j < sizes.columns; ++j) {
      Sum sum = 0;
      const T* a = left;
      const T* b = right + j * sizes.right_column;
      for (int32_t k = 0; k < sizes.depth; ++k, a += sizes.left_depth, b += sizes.right_depth) {
        sum = wrapping_add(sum, static_cast<Sum>((*a - sizes.left_zero_point) * (*b - sizes.right_zero_point)));
      }
      const int32_t scaled = multiply_by_quantized_multiplier(sum, sizes.multiplier, sizes.shift);
      *output++ = static_cast<T>(clamp(wrapping_add(scaled, sizes.output_zero_point), lowest, -1 - lowest));
    }
  }
  return output;
}

template <typename T, typename Sum>
void all_batches(const Matrices& sizes, const T* left, const T* right, T* output, int32_t lowest) {
  for (int32_t x = 0; x < sizes.batches[0]; ++x) {
    for (int32_t y = 0; y < sizes.batches[1]; ++y) {
      for (int32_t z = 0; z < sizes.batches[2]; ++z) {
        const T* a = left + x * sizes.left_batch[0] + y * sizes.left_batch[1] + z * sizes.left_batch[2];
        const T* b = right + x * sizes.right_batch[0] + y * sizes.right_batch[1] + z * sizes.right_batch[2];
        output = multiply<T, Sum>(sizes, a, b, output, lowest);
      }
    }
  }
}

}  // namespace

void batch_matmul(const Matrices& sizes, const int8_t* left, const int8_t* right, int8_t* output) {
  all_batches<int8_t, int32_t>(sizes, left, right, output, -128);
}

void batch_matmul(const Matrices& sizes, const int16_t* left, const int16_t* right, int16_t* output) {
  all_batches<int16_t, int64_t>(sizes, left, right, output, -32768);
}

}  // namespace kernels
}  // namespace tinyhil

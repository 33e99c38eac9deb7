// Products of matrices that are both computed.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/batch_matmul.h.
#ifndef TINYHIL_KERNELS_MATRIX_H_
#define TINYHIL_KERNELS_MATRIX_H_

#include <stdint.h>

namespace tinyhil {
namespace kernels {

// output[batch][i][j] = sum over k of left[batch][i][k] * right[batch][k][j]. Steps are in elements and may be 0, for a
// batch that is repeated.
struct Matrices {
  int32_t batches[3];
  int32_t left_batch[3];
  int32_t right_batch[3];
  int32_t rows;
  int32_t columns;
  int32_t depth;
  int32_t left_row;
  int32_t left_depth;
  int32_t right_depth;
  int32_t right_column;
  int32_t left_zero_point;
  int32_t right_zero_point;
  int32_t multiplier;
  int32_t shift;
  int32_t output_zero_point;
};

void batch_matmul(const Matrices& sizes, const int8_t* left, const int8_t* right, int8_t* output);
void batch_matmul(const Matrices& sizes, const int16_t* left, const int16_t* right, int16_t* output);

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_MATRIX_H_

// Rows divided by their lengths.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/integer_ops/l2normalization.h and kernels/internal/common.h
// (GetInvSqrtQuantizedMultiplierExp).
#ifndef TINYHIL_KERNELS_L2_NORM_H_
#define TINYHIL_KERNELS_L2_NORM_H_

#include <stdint.h>

namespace tinyhil {
namespace kernels {

// `input` and `output` are `rows` rows of `depth` values, at most 33000. `zero_point` is the input's; the output has the
// scale 1/128 and the zero point 0.
void l2_norm(const int8_t* input, int8_t* output, int32_t rows, int32_t depth, int32_t zero_point);

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_L2_NORM_H_

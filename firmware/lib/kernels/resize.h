// Pictures of another size, by linear interpolation between four pixels.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/resize_bilinear.h (ResizeBilinearInteger).
#ifndef TINYHIL_KERNELS_RESIZE_H_
#define TINYHIL_KERNELS_RESIZE_H_

#include <stdint.h>

namespace tinyhil {
namespace kernels {

struct Bilinear {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t depth;
  int32_t output_height;
  int32_t output_width;
};

// rows, columns: for each row or column of the output three numbers: the first and the second of the input between
// which it stands, and how many 1024ths of the way it is from the first to the second.
void resize_bilinear(const Bilinear& sizes, const int16_t* rows, const int16_t* columns, const int8_t* input,
                     int8_t* output);

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_RESIZE_H_

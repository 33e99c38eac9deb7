#include "resize.h"

namespace tinyhil {
namespace kernels {

// The four weights add up to 2^20, and none is above 1.5^2 times that, so all fits into 32 bits.
void resize_bilinear(const Bilinear& sizes, const int16_t* rows, const int16_t* columns, const int8_t* input,
                     int8_t* output) {
  const int32_t depth = sizes.depth;
  const int32_t row_size = sizes.input_width * depth;
  for (int32_t batch = 0; batch < sizes.batches; ++batch, input += sizes.input_height * row_size) {
    for (int32_t y = 0; y < sizes.output_height; ++y) {
      const int8_t* upper = input + rows[3 * y] * row_size;
      const int8_t* lower = input + rows[3 * y + 1] * row_size;
      const int32_t down = rows[3 * y + 2];
      for (int32_t x = 0; x < sizes.output_width; ++x) {
        const int32_t first = columns[3 * x] * depth;
        const int32_t second = columns[3 * x + 1] * depth;
        const int32_t right = columns[3 * x + 2];
        for (int32_t channel = 0; channel < depth; ++channel) {
          const int32_t above = upper[first + channel] * (1024 - right) + upper[second + channel] * right;
          const int32_t below = lower[first + channel] * (1024 - right) + lower[second + channel] * right;
          const int32_t sum = above * (1024 - down) + below * down;
          *output++ = static_cast<int8_t>((sum > 0 ? sum + (1 << 19) : sum - (1 << 19)) / (1 << 20));
        }
      }
    }
  }
}

}  // namespace kernels
}  // namespace tinyhil

#include "pool.h"

#include "fixed_point.h"

namespace tinyhil {
namespace kernels {
namespace {

struct Mean {
  int32_t sum;
  int32_t count;
  Mean() : sum(0), count(0) {}
  void add(int32_t value) {
    sum += value;
    ++count;
  }
  int32_t result() const { return (sum > 0 ? sum + count / 2 : sum - count / 2) / count; }
};

struct Maximum {
  int32_t highest;
  Maximum() : highest(INT32_MIN) {}
  void add(int32_t value) { highest = value > highest ? value : highest; }
  int32_t result() const { return highest; }
};

inline int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

template <typename Of, typename T>
void pooled(const Pool& pool, const T* input, T* output) {
  for (int32_t batch = 0; batch < pool.batches; ++batch) {
    for (int32_t y = 0; y < pool.output_height; ++y) {
      const int32_t above = y * pool.stride_height - pool.top;
      const int32_t last_row = least(above + pool.filter_height, pool.input_height);
      for (int32_t x = 0; x < pool.output_width; ++x) {
        const int32_t before = x * pool.stride_width - pool.left;
        const int32_t last_column = least(before + pool.filter_width, pool.input_width);
        for (int32_t channel = 0; channel < pool.depth; ++channel) {
          Of found;
          for (int32_t row = above < 0 ? 0 : above; row < last_row; ++row) {
            const T* values = input + row * pool.input_width * pool.depth + channel;
            for (int32_t column = before < 0 ? 0 : before; column < last_column; ++column) {
              found.add(values[column * pool.depth]);
            }
          }
          *output++ = static_cast<T>(clamp(found.result(), pool.lowest, pool.highest));
        }
      }
    }
    input += pool.input_height * pool.input_width * pool.depth;
  }
}

}  // namespace

template <typename T>
void average_pool(const Pool& pool, const T* input, T* output) {
  pooled<Mean>(pool, input, output);
}

template <typename T>
void max_pool(const Pool& pool, const T* input, T* output) {
  pooled<Maximum>(pool, input, output);
}

template void average_pool<int8_t>(const Pool&, const int8_t*, int8_t*);
template void average_pool<int16_t>(const Pool&, const int16_t*, int16_t*);
template void max_pool<int8_t>(const Pool&, const int8_t*, int8_t*);
template void max_pool<int16_t>(const Pool&, const int16_t*, int16_t*);

}  // namespace kernels
}  // namespace tinyhil

#include "svdf.h"

#include <string.h>

#include "dot.h"
#include "fixed_point.h"

namespace tinyhil {
namespace kernels {
namespace {

inline int32_t lowest(const int8_t*) { return -128; }
inline int32_t lowest(const int16_t*) { return -32768; }

// The sum over time of the filters of one unit, which are neighbours in the state: one row.
inline int32_t time_sum(const int8_t* state, const int8_t* weights, int32_t count, int32_t bias) {
  return dot(state, weights, count, bias);
}

inline int32_t time_sum(const int16_t* state, const int16_t* weights, int32_t count, int32_t bias) {
  for (int32_t i = 0; i < count; ++i) bias = wrapping_add(bias, state[i] * weights[i]);
  return bias;
}

template <typename T>
void remember(const Svdf& svdf, const int8_t* input, const int8_t* weights, const int32_t* bias, T* state) {
  const int32_t least = lowest(state);
  // All filters go on by one at once: what comes to stand last in each is of the next filter, and is replaced.
  memmove(state, state + 1, static_cast<uint32_t>(svdf.filters * svdf.memory - 1) * sizeof(T));
  for (int32_t filter = 0; filter < svdf.filters; ++filter) {
    const int32_t sum = dot(input, weights + filter * svdf.inputs, svdf.inputs, bias[filter]);
    const int32_t feature = multiply_by_quantized_multiplier(sum, svdf.feature_multiplier, svdf.feature_shift);
    // TFLM clamps first and adds then, so a sum outside of the type wraps around.
    state[svdf.memory - 1] = static_cast<T>(svdf.state_zero_point + clamp(feature, least, -1 - least));
    state += svdf.memory;
  }
}

template <typename T>
void layer(const Svdf& svdf, const int8_t* input, const int8_t* feature_weights, const int32_t* feature_bias,
           const T* time_weights, const int32_t* bias, T* state, int8_t* output) {
  const int32_t units = svdf.filters / svdf.rank;
  const int32_t row = svdf.rank * svdf.memory;
  for (int32_t batch = 0; batch < svdf.batches; ++batch) {
    remember(svdf, input, feature_weights, feature_bias, state);
    for (int32_t unit = 0; unit < units; ++unit) {
      const int32_t sum = time_sum(state + unit * row, time_weights + unit * row, row, bias[unit]);
      const int32_t scaled = multiply_by_quantized_multiplier(sum, svdf.output_multiplier, svdf.output_shift);
      output[unit] = static_cast<int8_t>(clamp(wrapping_add(scaled, svdf.output_zero_point), -128, 127));
    }
    input += svdf.inputs;
    state += svdf.filters * svdf.memory;
    output += units;
  }
}

}  // namespace

void svdf(const Svdf& svdf, const int8_t* input, const int8_t* feature_weights, const int32_t* feature_bias,
          const int8_t* time_weights, const int32_t* bias, int8_t* state, int8_t* output) {
  layer(svdf, input, feature_weights, feature_bias, time_weights, bias, state, output);
}

void svdf(const Svdf& svdf, const int8_t* input, const int8_t* feature_weights, const int32_t* feature_bias,
          const int16_t* time_weights, const int32_t* bias, int16_t* state, int8_t* output) {
  layer(svdf, input, feature_weights, feature_bias, time_weights, bias, state, output);
}

}  // namespace kernels
}  // namespace tinyhil

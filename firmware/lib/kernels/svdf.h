// A layer that remembers what its filters gave over the last inferences (singular value decomposition filter).
//
// Source of the arithmetic: TFLM's micro/kernels/svdf_common.cc: input and feature weights of 8 bits, the memory and the
// weights over time of 8 or 16 bits. The zero points of input and memory are part of the biases.
#ifndef TINYHIL_KERNELS_SVDF_H_
#define TINYHIL_KERNELS_SVDF_H_

#include <stdint.h>

namespace tinyhil {
namespace kernels {

struct Svdf {
  int32_t batches;
  int32_t inputs;
  int32_t filters;  // units times rank
  int32_t rank;
  int32_t memory;  // inferences that are remembered
  int32_t feature_multiplier;
  int32_t feature_shift;
  int32_t state_zero_point;
  int32_t output_multiplier;
  int32_t output_shift;
  int32_t output_zero_point;
};

// input: batches x inputs; feature_weights: filters x inputs; feature_bias: filters; time_weights: filters x memory;
// bias: units; state: batches x filters x memory; output: batches x units.
void svdf(const Svdf& svdf, const int8_t* input, const int8_t* feature_weights, const int32_t* feature_bias,
          const int8_t* time_weights, const int32_t* bias, int8_t* state, int8_t* output);
void svdf(const Svdf& svdf, const int8_t* input, const int8_t* feature_weights, const int32_t* feature_bias,
          const int16_t* time_weights, const int32_t* bias, int16_t* state, int8_t* output);

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_SVDF_H_

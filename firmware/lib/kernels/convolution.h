// Convolutions and dense layers of int8 or int16 activations with int8 weights: plain loops for what no faster kernel
// takes. A dense layer is a convolution of one pixel with one pixel, a row of its input a row of the picture.
//
// Source of the arithmetic: TFLM's kernels/internal/reference/integer_ops/conv.h, depthwise_conv.h,
// transpose_conv.h and fully_connected.h.
// T is int8_t or int16_t. Bias is the type that is added in: int32_t for int8_t, either int32_t or int64_t for int16_t.
#ifndef TINYHIL_KERNELS_CONVOLUTION_H_
#define TINYHIL_KERNELS_CONVOLUTION_H_

#include <stdint.h>

namespace tinyhil {
namespace kernels {

struct Convolution {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t input_depth;
  int32_t filter_height;
  int32_t filter_width;
  int32_t filter_depth;  // input channels of a group; depthwise: output channels of an input channel
  int32_t output_height;
  int32_t output_width;
  int32_t output_depth;
  int32_t stride_height;
  int32_t stride_width;
  int32_t dilation_height;
  int32_t dilation_width;
  int32_t top;  // pixels before the picture that the first filter covers
  int32_t left;
  int32_t input_zero_point;
  int32_t output_zero_point;
  int32_t lowest;
  int32_t highest;
  int32_t per_channel;  // 1 for a multiplier of each output channel, 0 for one of all
};

// weights: output_depth x filter_height x filter_width x filter_depth. The bias, of output_depth or null for zeros, has
// the input's zero point times the sum of the weights taken off already, as if no pixel were outside of the picture.
template <typename T, typename Bias>
void convolution(const Convolution& sizes, const T* input, const int8_t* weights, const Bias* bias,
                 const int32_t* multipliers, const int8_t* shifts, T* output);

// weights: filter_height x filter_width x output_depth. The bias is as in the model, or null.
template <typename T, typename Bias>
void depthwise_convolution(const Convolution& sizes, const T* input, const int8_t* weights, const Bias* bias,
                           const int32_t* multipliers, const int8_t* shifts, T* output);

// weights: output_depth x filter_height x filter_width x input_depth. The bias is as in the model, or null. `top` and
// `left` are pixels before the output that the first filter covers; nothing is looked up for dilations.
template <typename T, typename Bias>
void transpose_convolution(const Convolution& sizes, const T* input, const int8_t* weights, const Bias* bias,
                           const int32_t* multipliers, const int8_t* shifts, T* output);

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_CONVOLUTION_H_

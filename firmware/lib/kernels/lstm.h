// Long short-term memory over a sequence, its state kept from one inference to the next.
//
// Source of the arithmetic: TFLM's micro/kernels/lstm_eval.h and lstm_eval.cc: activations of 8 or 16 bits, weights of
// 8 bits, a cell state of 16 bits with a power of two as its scale. Zero points of input and hidden state are part of
// the biases.
#ifndef TINYHIL_KERNELS_LSTM_H_
#define TINYHIL_KERNELS_LSTM_H_

#include <stdint.h>

namespace tinyhil {
namespace kernels {

// One of the four sums of the input and of the hidden state. Bias is int32_t for activations of 8 bits, int64_t for 16.
template <typename Bias>
struct LstmGate {
  const int8_t* input_weights;      // units x inputs
  const int8_t* recurrent_weights;  // units x units
  const Bias* input_bias;           // units
  const Bias* recurrent_bias;       // units, or null for zeros
  int32_t input_multiplier;
  int32_t input_shift;
  int32_t recurrent_multiplier;
  int32_t recurrent_shift;
};

template <typename Bias>
struct Lstm {
  LstmGate<Bias> gates[4];  // input, forget, cell, output
  int32_t batches;
  int32_t steps;
  int32_t inputs;
  int32_t units;
  int32_t time_major;  // whether the input is steps x batches x inputs instead of batches x steps x inputs
  int32_t forget_multiplier;  // forget gate times cell state
  int32_t forget_shift;
  int32_t input_multiplier;  // input gate times cell gate
  int32_t input_shift;
  int32_t output_multiplier;  // output gate times tanh of the cell state
  int32_t output_shift;
  int32_t output_zero_point;
  int32_t cell_clip;  // 0 for none
  int32_t tanh_multiplier;  // from the scale of the cell state to that of tanh16
  int32_t tanh_shift;       // to the right, after it
};

// input, output: of `lstm.batches` times `lstm.steps` rows; hidden, cell: batches x units.
void lstm(const Lstm<int32_t>& lstm, const int8_t* input, int8_t* hidden, int16_t* cell, int8_t* output);
void lstm(const Lstm<int64_t>& lstm, const int16_t* input, int16_t* hidden, int16_t* cell, int16_t* output);

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_LSTM_H_

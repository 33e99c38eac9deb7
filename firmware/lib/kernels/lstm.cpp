#include "lstm.h"

#include <string.h>

#include "dot.h"
#include "fixed_point.h"
#include "sigmoid16.h"

namespace tinyhil {
namespace kernels {
namespace {

inline int32_t clamp16(int32_t value) { return clamp(value, -32768, 32767); }

inline int8_t narrow(int32_t value, const int8_t*) { return static_cast<int8_t>(clamp(value, -128, 127)); }
inline int16_t narrow(int32_t value, const int16_t*) { return static_cast<int16_t>(clamp16(value)); }

// What goes into a gate's activation, quantized by 2^-12.
template <typename T, typename Bias>
int32_t gate_sum(const LstmGate<Bias>& gate, const T* input, int32_t inputs, const T* hidden, int32_t units, int32_t unit) {
  const Bias from_input = dot(input, gate.input_weights + unit * inputs, inputs, gate.input_bias[unit]);
  const Bias recurrent_bias = gate.recurrent_bias == nullptr ? 0 : gate.recurrent_bias[unit];
  const Bias from_hidden = dot(hidden, gate.recurrent_weights + unit * units, units, recurrent_bias);
  return clamp16(
      clamp16(multiply_by_quantized_multiplier(from_input, gate.input_multiplier, gate.input_shift)) +
      clamp16(multiply_by_quantized_multiplier(from_hidden, gate.recurrent_multiplier, gate.recurrent_shift)));
}

// The hidden state is read by all units, so the new one is collected in the output.
template <typename T, typename Bias>
void step(const Lstm<Bias>& lstm, const T* input, T* hidden, int16_t* cell, T* output) {
  int32_t sums[4];
  for (int32_t unit = 0; unit < lstm.units; ++unit) {
    for (int32_t i = 0; i < 4; ++i) {
      sums[i] = 3 * gate_sum(lstm.gates[i], input, lstm.inputs, hidden, lstm.units, unit);
    }
    const int32_t kept = multiply_by_quantized_multiplier(
        static_cast<int32_t>(sigmoid16(sums[1])) * cell[unit], lstm.forget_multiplier, lstm.forget_shift);
    const int32_t added = multiply_by_quantized_multiplier(
        static_cast<int32_t>(sigmoid16(sums[0])) * tanh16(sums[2]), lstm.input_multiplier, lstm.input_shift);
    int32_t next = clamp16(clamp16(kept) + clamp16(added));
    if (lstm.cell_clip > 0) next = clamp(next, -lstm.cell_clip, lstm.cell_clip);
    cell[unit] = static_cast<int16_t>(next);
    const int32_t half = lstm.tanh_shift > 0 ? 1 << (lstm.tanh_shift - 1) : 0;
    const int32_t squashed = tanh16((next * lstm.tanh_multiplier + half) >> lstm.tanh_shift);
    output[unit] = narrow(lstm.output_zero_point + multiply_by_quantized_multiplier(
                                                       squashed * sigmoid16(sums[3]), lstm.output_multiplier,
                                                       lstm.output_shift),
                          output);
  }
  memcpy(hidden, output, static_cast<uint32_t>(lstm.units) * sizeof(T));
}

template <typename T, typename Bias>
void sequence(const Lstm<Bias>& lstm, const T* input, T* hidden, int16_t* cell, T* output) {
  for (int32_t batch = 0; batch < lstm.batches; ++batch) {
    for (int32_t time = 0; time < lstm.steps; ++time) {
      const int32_t row = lstm.time_major ? time * lstm.batches + batch : batch * lstm.steps + time;
      step(lstm, input + row * lstm.inputs, hidden + batch * lstm.units, cell + batch * lstm.units,
           output + row * lstm.units);
    }
  }
}

}  // namespace

void lstm(const Lstm<int32_t>& lstm, const int8_t* input, int8_t* hidden, int16_t* cell, int8_t* output) {
  sequence(lstm, input, hidden, cell, output);
}

void lstm(const Lstm<int64_t>& lstm, const int16_t* input, int16_t* hidden, int16_t* cell, int16_t* output) {
  sequence(lstm, input, hidden, cell, output);
}

}  // namespace kernels
}  // namespace tinyhil

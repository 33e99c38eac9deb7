#include "demo.h"

#include "engine.h"

namespace tinyhil {
namespace {

const uint32_t kDecimals = 10000;
const float kLargest = 200000.0f;

float limited(float value, float low, float high) { return value < low ? low : value > high ? high : value; }

// To the next integer, halves away from zero.
int32_t rounded(float value) { return static_cast<int32_t>(value < 0 ? value - 0.5f : value + 0.5f); }

// Not more than what int8 holds and everything between, so that no conversion can overflow.
int8_t quantized(float real, const TensorInfo& tensor) {
  const float steps = limited(real / tensor.scale, -512.0f, 512.0f);
  const int32_t value = rounded(steps) + tensor.zero_point;
  return static_cast<int8_t>(value < -128 ? -128 : value > 127 ? 127 : value);
}

float dequantized(int8_t value, const TensorInfo& tensor) {
  return static_cast<float>(value - tensor.zero_point) * tensor.scale;
}

char* write_label(char* to, char label) {
  *to++ = label;
  *to++ = ':';
  return to;
}

// Digits with leading zeros, as many as asked for, or more where it takes more.
char* write_digits(char* to, uint32_t value, size_t least) {
  char digits[10];
  size_t count = 0;
  while (value != 0 || count < least) {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  while (count != 0) *to++ = digits[--count];
  return to;
}

}  // namespace

// Without printf, which brings the arithmetic of doubles and more than the rest of the firmware takes.
char* write_number(char* to, float value) {
  const float size = limited(value < 0 ? -value : value, 0.0f, kLargest);
  // In two parts, because a float does not hold all digits of a large number at once.
  uint32_t whole = static_cast<uint32_t>(size);
  uint32_t rest = static_cast<uint32_t>((size - static_cast<float>(whole)) * static_cast<float>(kDecimals) + 0.5f);
  if (rest == kDecimals) {
    ++whole;
    rest = 0;
  }
  if (value < 0 && (whole != 0 || rest != 0)) *to++ = '-';
  to = write_digits(to, whole, 1);
  *to++ = '.';
  return write_digits(to, rest, 4);
}

Demo::Demo(const DemoConfig& config) : config_(config), at_(0) {}

void Demo::step() {
  // Not summed up, so that no error adds up.
  const float x = config_.from + static_cast<float>(at_) * config_.step;
  at_ = at_ + 1 < config_.steps ? at_ + 1 : 0;
  *static_cast<int8_t*>(engine::input(0)) = quantized(x, kModelInfo.input[0]);
  if (engine::invoke() != 0) return;
  const float y = dequantized(*static_cast<const int8_t*>(engine::output(0)), kModelInfo.output[0]);
  char line[2 * kNumber + sizeof("x: y:\n")];
  char* end = write_number(write_label(line, 'x'), x);
  *end++ = ' ';
  end = write_number(write_label(end, 'y'), y);
  *end++ = '\n';
  config_.led(static_cast<uint8_t>(limited((y + 1.0f) * 127.5f, 0.0f, 255.0f)));
  config_.write(reinterpret_cast<const uint8_t*>(line), static_cast<size_t>(end - line));
}

}  // namespace tinyhil

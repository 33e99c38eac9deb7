// Firmware of one's own around a model: a sensor of angles, its preprocessing, the model, and a line for the plotter.
//
// Of tinyhil there are three lines in it, all marked. Everything else is as it would be without.
#include <tinyhil.h>  // tinyhil 1 of 3

#ifdef ARDUINO
#include <Arduino.h>
#endif

namespace {

const int kSteps = 1024;  // of the sensor, for a full turn
const uint32_t kPeriodMs = 20;

// The sensor: a turning knob where there is a pin for one, else an angle that goes round and round.
int read_sensor() {
#ifdef ARDUINO
  return analogRead(A0) % kSteps;
#else
  static int angle = 0;
  angle = (angle + 16) % kSteps;
  return angle;
#endif
}

// Steps of the sensor to the model's input: radians, quantized as the model says.
int8_t preprocess(int steps) {
  const tinyhil::TensorInfo& input = tinyhil::kModelInfo.input[0];
  const float radians = static_cast<float>(steps) * (6.2831853f / kSteps);
  const int quantized = static_cast<int>(radians / input.scale + 0.5f) + input.zero_point;
  return static_cast<int8_t>(quantized > 127 ? 127 : quantized);
}

// The model's output in thousandths.
int thousandths(int8_t quantized) {
  const tinyhil::TensorInfo& output = tinyhil::kModelInfo.output[0];
  return static_cast<int>(static_cast<float>(quantized - output.zero_point) * output.scale * 1000.0f);
}

// Writes a number of up to six digits; returns where it ends.
char* write_number(char* to, int value) {
  if (value < 0) *to++ = '-';
  unsigned rest = value < 0 ? 0u - static_cast<unsigned>(value) : static_cast<unsigned>(value);
  char digits[6];
  int count = 0;
  do digits[count++] = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) != 0 && count < 6);
  while (count != 0) *to++ = digits[--count];
  return to;
}

char* write_text(char* to, const char* text) {
  while (*text != '\0') *to++ = *text++;
  return to;
}

void show(int steps, int sine) {
  char line[48];
  char* end = write_number(write_text(line, "steps:"), steps);
  end = write_text(write_number(write_text(end, " sine:"), sine), "\n");
  *end = '\0';
  tinyhil_print(line);
}

uint32_t last = 0;  // milliseconds

}  // namespace

void setup() {
  tinyhil_setup();  // tinyhil 2 of 3
}

void loop() {
  if (tinyhil_poll()) return;  // tinyhil 3 of 3: a host has the model
  const uint32_t now = tinyhil_milliseconds();
  if (now - last < kPeriodMs) return tinyhil_rest();
  last = now;
  int8_t* const input = static_cast<int8_t*>(tinyhil_input(0));
  if (input == nullptr) return;
  const int steps = read_sensor();
  *input = preprocess(steps);
  if (tinyhil_invoke()) show(steps, thousandths(*static_cast<const int8_t*>(tinyhil_output(0))));
}

#ifndef ARDUINO
int main() {
  setup();
  for (;;) loop();
}
#endif

// Firmware of one's own around a model: a sensor of angles, its preprocessing, the model, and a line for the plotter.
//
// Of tinyhil there are four lines in it, all marked. Everything else is as it would be without. The fourth has the
// preprocessing verified as well; prepare.py is the same preprocessing on the host.
#include <tinyhil.h>  // tinyhil 1 of 4

#ifdef ARDUINO
#include <Arduino.h>
#endif

namespace {

const int kSteps = 1024;  // of the sensor, for a full turn
const int kReadings = 8;  // of which the mean is taken
const uint32_t kPeriodMs = 20;

int16_t window[kReadings];  // a raw sample: readings of the sensor, in steps

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

// Reads the sensor several times, without its turning on between two readings of the same raw sample.
void read_window() {
  const int steps = read_sensor();
  for (int i = 0; i < kReadings; ++i) window[i] = static_cast<int16_t>(steps);
}

// The window to the model's input: the mean, in radians, quantized as the model says.
void preprocess() {
  int8_t* const to = static_cast<int8_t*>(tinyhil_input(0));
  if (to == nullptr) return;
  int sum = 0;
  for (int i = 0; i < kReadings; ++i) sum += window[i];
  const tinyhil::TensorInfo& input = tinyhil::kModelInfo.input[0];
  const float radians = static_cast<float>(sum) * (6.2831853f / (kReadings * kSteps));
  const int quantized = static_cast<int>(radians / input.scale + 0.5f) + input.zero_point;
  *to = static_cast<int8_t>(quantized > 127 ? 127 : quantized);
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
  tinyhil_setup();                         // tinyhil 2 of 4
  tinyhil_preprocess(preprocess, window);  // tinyhil 3 of 4
}

void loop() {
  if (tinyhil_poll()) return;  // tinyhil 4 of 4: a host has the model
  const uint32_t now = tinyhil_milliseconds();
  if (now - last < kPeriodMs) return tinyhil_rest();
  last = now;
  if (tinyhil_input(0) == nullptr) return;
  read_window();
  preprocess();
  if (tinyhil_invoke()) show(window[0], thousandths(*static_cast<const int8_t*>(tinyhil_output(0))));
}

#ifndef ARDUINO
int main() {
  setup();
  for (;;) loop();
}
#endif

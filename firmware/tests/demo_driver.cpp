// The real demo over an engine of its own, for the tests of the host. Each line on stdin is a command:
//
//     number BITS                    prints the float with these bits as the demo writes it
//     demo FROM STEP STEPS COUNT     prints so many steps: the LED's brightness, a blank, and the line
//
// The engine takes x (scale 1/16, zero point -3) and gives y = -x (scale 1/32, zero point 10), or fails if x is 100 LSB.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "demo.h"
#include "engine.h"

namespace {

int8_t x;
int8_t y;
int brightness = -1;

const uint32_t kDims[] = {1};
const tinyhil::TensorInfo kInput = {"x", tinyhil::DType::kInt8, 1, kDims, 0.0625f, -3, 1};
const tinyhil::TensorInfo kOutput = {"y", tinyhil::DType::kInt8, 1, kDims, 0.03125f, 10, 1};

void led(uint8_t value) { brightness = value; }

void write(const uint8_t* bytes, size_t length) {
  printf("%d %.*s", brightness, static_cast<int>(length), reinterpret_cast<const char*>(bytes));
}

void number(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  char text[tinyhil::kNumber + 1];
  *tinyhil::write_number(text, value) = 0;
  printf("%s\n", text);
}

}  // namespace

namespace tinyhil {

const ModelInfo kModelInfo = {nullptr, nullptr, "minus", false, 1, 1, &kInput, &kOutput};

namespace engine {

uint32_t init() { return 0; }
void* input(uint8_t) { return &x; }
const void* output(uint8_t) { return &y; }
void reset() {}
uint32_t arena_bytes() { return 0; }

uint32_t invoke() {
  if (x == 100) return 1;
  const int value = 10 - 2 * (x + 3);
  y = static_cast<int8_t>(value < -128 ? -128 : value > 127 ? 127 : value);
  return 0;
}

}  // namespace engine
}  // namespace tinyhil

int main() {
  uint32_t bits;
  uint32_t steps;
  uint32_t count;
  tinyhil::DemoConfig config = {0, 0, 1, write, led};
  char word[8];
  while (scanf("%7s", word) == 1) {
    if (strcmp(word, "number") == 0) {
      if (scanf("%" SCNx32, &bits) != 1) return 1;
      number(bits);
    } else {
      if (scanf("%f %f %" SCNu32 " %" SCNu32, &config.from, &config.step, &steps, &count) != 4) return 1;
      config.steps = steps;
      tinyhil::Demo demo(config);
      while (count-- != 0) demo.step();
    }
  }
  return 0;
}

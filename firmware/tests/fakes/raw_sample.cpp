// Preprocessing for the model of counter.cpp: a raw sample int16[1,4] to x = its first three elements halved, and
// "grösse" = the last one, twice. It takes 5 ticks.
#include "engine.h"
#include "fake.h"
#include "server.h"

namespace {

int16_t raw[4];
const uint32_t kDims[] = {1, 4};
const tinyhil::TensorInfo kRaw = {"raw", tinyhil::DType::kInt16, 2, kDims, 0.0f, 0, sizeof(raw)};

void preprocess() {
  int8_t* const x = static_cast<int8_t*>(tinyhil::engine::input(0));
  for (int i = 0; i < 3; ++i) x[i] = static_cast<int8_t>(raw[i] / 2);
  int16_t* const size = static_cast<int16_t*>(tinyhil::engine::input(1));
  size[0] = size[1] = raw[3];
  fake::clock_ticks += 5;
}

struct Registers {
  Registers() { tinyhil::preprocessing = {&kRaw, raw, preprocess}; }
} registers;

}  // namespace

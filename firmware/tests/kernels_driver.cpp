// Where the kernels have instructions of a CPU's own, on request: how many of many random results differ from the same
// in plain C++. A byte that arrives is a command, its answer one line.
//
//     h  rounding_high_mul, and its ends
//     d  dot products of bytes, of every length up to kLongest
#include "dot.h"
#include "fixed_point.h"
#include "port.h"

namespace port = tinyhil::port;
namespace kernels = tinyhil::kernels;

namespace {

const uint32_t kPairs = 100000;
const int32_t kLongest = 67;

// Numerical Recipes' generator: every 32 bits once in its period.
uint32_t state = 1;
uint32_t next() { return state = state * 1664525u + 1013904223u; }

int32_t plain_high_mul(int32_t a, int32_t b) {
  return static_cast<int32_t>((static_cast<int64_t>(a) * b + (static_cast<int64_t>(1) << 31)) >> 32);
}

uint32_t wrong_high_muls() {
  uint32_t wrong = 0;
  const int32_t ends[] = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX};
  for (int32_t a : ends) {
    for (int32_t b : ends) wrong += kernels::rounding_high_mul(a, b) != plain_high_mul(a, b);
  }
  for (uint32_t i = 0; i < kPairs; ++i) {
    const int32_t a = static_cast<int32_t>(next());
    const int32_t b = static_cast<int32_t>(next());
    wrong += kernels::rounding_high_mul(a, b) != plain_high_mul(a, b);
  }
  return wrong;
}

uint32_t wrong_dots() {
  uint32_t wrong = 0;
  static int8_t values[kLongest + 3];
  static int8_t weights[kLongest + 3];
  for (int32_t count = 0; count <= kLongest; ++count) {
    for (int32_t start = 0; start < 3; ++start) {  // words need not be aligned
      int32_t sum = 0;
      for (int32_t i = 0; i < count; ++i) {
        values[start + i] = static_cast<int8_t>(next() >> 24);
        weights[start + i] = static_cast<int8_t>(next() >> 24);
        sum += values[start + i] * weights[start + i];
      }
      wrong += kernels::dot32(values + start, weights + start, count) != sum;
    }
  }
  return wrong;
}

void answer(uint32_t number) {
  char line[12];
  int at = sizeof(line);
  line[--at] = '\n';
  do {
    line[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  port::write(reinterpret_cast<const uint8_t*>(line + at), sizeof(line) - at);
}

}  // namespace

int main() {
  port::init();
  for (;;) {
    const int byte = port::read();
    if (byte == 'h') answer(wrong_high_muls());
    if (byte == 'd') answer(wrong_dots());
    if (byte < 0) port::idle();
  }
}

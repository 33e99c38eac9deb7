// What the firmware does without a host: x sweeps a range, the model computes y, and both are shown.
//
// Purpose:   the hello world of the course: a line of text for each step in the format of the Arduino Serial Plotter,
//     "x:1.2345 y:-0.9876" and a newline, and an LED whose brightness follows y.
// Usage:     `Demo demo(config);` then demo.step() as often as the pace asks for it, after the engine was initialised.
// Ownership: the functions of the config are the caller's. The tensors of the engine are the demo's during a step.
// Limits:    models with one int8 number in and one out. No number is shown beyond +-200000.
#ifndef TINYHIL_DEMO_H_
#define TINYHIL_DEMO_H_

#include <stddef.h>
#include <stdint.h>

namespace tinyhil {

struct DemoConfig {
  float from;      // the first x
  float step;      // from one x to the next
  uint32_t steps;  // after which x begins anew, at least 1
  void (*write)(const uint8_t* bytes, size_t length);  // takes a line
  void (*led)(uint8_t brightness);                     // 0 for y = -1 or less, 255 for y = 1 or more
};

class Demo {
 public:
  explicit Demo(const DemoConfig& config);

  // From the first x again.
  void restart() { at_ = 0; }

  // Computes and shows one x, and goes on to the next. Shows nothing where the engine fails.
  void step();

 private:
  DemoConfig config_;
  uint32_t at_;  // index of the next x
};

// Writes a number with four decimals, correctly rounded as far as a float is. Returns where it ends: at most kNumber
// characters behind `to`.
constexpr size_t kNumber = sizeof("-200000.0000") - 1;
char* write_number(char* to, float value);

}  // namespace tinyhil

#endif  // TINYHIL_DEMO_H_

// The engine tflm on a fake of its library (fakes/tflm): each argument is a step, and each step prints one line.
//
//     schema=N minimum=N type=N bytes=N inputs=N operators=N beyond=N invoke=0|1 reset=0|1 refuse=0|1    set a knob of the fake
//     init  prepare:N  invoke  profile  restart                                  call the engine; prints its status
//     put:N        fills input 0                    get          prints the first byte of output 0
//     usage        prints capacity, bytes, used, overrun
//     operators    prints name and ticks of each    fake         prints what the fake has seen
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "fake_tflm.h"
#include "model_tflm.h"

namespace engine = tinyhil::engine;

namespace {

uint32_t ticks() { return fake::clock; }

unsigned long number(const char* step, const char* name, bool* found) {
  const size_t length = strlen(name);
  *found = strncmp(step, name, length) == 0 && (step[length] == '=' || step[length] == ':');
  return *found ? strtoul(step + length + 1, nullptr, 0) : 0;
}

bool set(const char* step) {
  bool found;
  unsigned long value;
  if ((value = number(step, "schema", &found)), found) fake::knobs.schema_version = static_cast<uint32_t>(value);
  else if ((value = number(step, "minimum", &found)), found) fake::knobs.minimum_arena = value;
  else if ((value = number(step, "type", &found)), found) fake::knobs.type = static_cast<TfLiteType>(value);
  else if ((value = number(step, "bytes", &found)), found) fake::knobs.output_bytes = value;
  else if ((value = number(step, "inputs", &found)), found) fake::knobs.inputs = value;
  else if ((value = number(step, "operators", &found)), found) fake::knobs.operators = value;
  else if ((value = number(step, "beyond", &found)), found) fake::knobs.writes_beyond = value;
  else if ((value = number(step, "invoke", &found)), found) fake::knobs.invoke_fails = value != 0;
  else if ((value = number(step, "reset", &found)), found) fake::knobs.reset_fails = value != 0;
  else if ((value = number(step, "refuse", &found)), found) fake::knobs.refuse_operator = value != 0;
  return found;
}

void run(const char* step) {
  bool found;
  unsigned long value;
  if (strcmp(step, "init") == 0) {
    printf("%u\n", engine::init());
  } else if ((value = number(step, "prepare", &found)), found) {
    printf("%u\n", engine::prepare(static_cast<uint32_t>(value)));
  } else if (strcmp(step, "invoke") == 0) {
    printf("%u\n", engine::invoke());
  } else if (strcmp(step, "profile") == 0) {
    printf("%u\n", engine::profile(ticks));
  } else if (strcmp(step, "restart") == 0) {
    engine::reset();
    printf("0\n");
  } else if ((value = number(step, "put", &found)), found) {
    memset(engine::input(0), static_cast<int>(value), tinyhil::kModelInfo.input[0].bytes);
    printf("0\n");
  } else if (strcmp(step, "get") == 0) {
    printf("%d\n", *static_cast<const int8_t*>(engine::output(0)));
  } else if (strcmp(step, "usage") == 0) {
    printf("%u %u %u %u\n", engine::arena_capacity(), engine::arena_bytes(), engine::arena_used(),
           engine::arena_overrun());
  } else if (strcmp(step, "operators") == 0) {
    for (uint16_t i = 0; i < engine::operators(); ++i) {
      printf("%s%s:%u", i == 0 ? "" : " ", engine::operator_name(i), engine::operator_ticks(i));
    }
    printf("\n");
  } else if (strcmp(step, "fake") == 0) {
    const bool aligned = reinterpret_cast<uintptr_t>(fake::seen.arena) % 16 == 0 &&
                         reinterpret_cast<uintptr_t>(fake::seen.model) % 16 == 0;
    const bool the_model = fake::seen.model == tinyhil::tflm::kModel;
    printf("%d %d %u %d %d %d\n", fake::seen.alive, fake::seen.made, fake::seen.registered, fake::seen.resets, aligned,
           the_model);
  } else {
    fprintf(stderr, "no such step: %s\n", step);
    exit(2);
  }
}

}  // namespace

int main(int argc, char** argv) {
  fake::knobs.input_bytes = tinyhil::kModelInfo.input[0].bytes;
  fake::knobs.output_bytes = tinyhil::kModelInfo.output[0].bytes;
  for (int i = 1; i < argc; ++i) {
    if (!set(argv[i])) run(argv[i]);
  }
  return 0;
}

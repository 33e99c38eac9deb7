#include "stack.h"

#include <stdint.h>

#include "cpu.h"
#include "port.h"

extern "C" {

// Set by the linker script.
extern uint32_t __stack_limit[], __stack_top[];
}

namespace tinyhil {
namespace port {
namespace {

const uint32_t kPaint = 0xDEC0DED5u;

}  // namespace

void paint_stack() {
  uint32_t* const top = cpu::stack_pointer();
  // Volatile, so that no call of memset() comes of it, whose frame would lie in what is being painted.
  for (volatile uint32_t* word = __stack_limit; word < top; ++word) *word = kPaint;
}

uint32_t stack_bytes() { return static_cast<uint32_t>(__stack_top - __stack_limit) * sizeof(uint32_t); }

uint32_t stack_used() {
  const volatile uint32_t* word = __stack_limit;
  while (word != __stack_top && *word == kPaint) ++word;
  return static_cast<uint32_t>(__stack_top - word) * sizeof(uint32_t);
}

}  // namespace port
}  // namespace tinyhil

// Reads a clock to the instruction, on an emulated Cortex-M that runs one instruction a nanosecond.
//
// A clock that ticks every few dozen instructions tells the same work as one tick more or less, by where in a tick it
// began. A vernier's two scales differ by a little, so that they meet only in one place: the loop below reads the clock
// every so many instructions as some ticks have, and one more. Each turn meets the tick one instruction later in its
// course, so the clock moves on by those ticks, until it moves on by one more: that read is the very first instruction
// of a tick.
#ifndef TINYHIL_PORT_VERNIER_H_
#define TINYHIL_PORT_VERNIER_H_

#include <stdint.h>

namespace tinyhil {
namespace port {

struct Vernier {
  uint32_t clock;  // as it was read in the first instruction of a tick
  uint32_t spent;  // instructions of the loop
};

// kTicks: by how much the clock moves in kInstructions; below zero for one that counts down.
//
// Belongs into a function that is not inline: the compiler takes a .rept for one instruction, and would branch further
// than it can.
template <int32_t kTicks, uint32_t kInstructions>
__attribute__((always_inline)) inline Vernier read_to_the_instruction(volatile uint32_t* clock) {
  static_assert(kInstructions > 5, "a turn of the loop has more instructions than that");
  uint32_t turns = 0;
  uint32_t value;
  uint32_t before;
  uint32_t moved;
  asm volatile(
      "ldr %[value], [%[clock]]\n"
      "nop\n"  // the first turn lacks the last three instructions of the others
      "nop\n"
      "nop\n"
      "1:\n"
      "mov %[before], %[value]\n"
      ".rept %c[rest]\n"
      "nop\n"
      ".endr\n"
      "add %[turns], %[turns], #1\n"
      "ldr %[value], [%[clock]]\n"
      "sub %[moved], %[value], %[before]\n"
      "cmp %[moved], %[ticks]\n"
      "beq 1b\n"
      : [value] "=&r"(value), [before] "=&r"(before), [moved] "=&r"(moved), [turns] "+&r"(turns)
      : [clock] "r"(clock), [rest] "i"(kInstructions - 5), [ticks] "i"(kTicks)
      : "cc", "memory");
  const Vernier read = {value, turns * (kInstructions + 1)};
  return read;
}

}  // namespace port
}  // namespace tinyhil

#endif  // TINYHIL_PORT_VERNIER_H_

// What a bare-metal port promises, on request: each byte that arrives is a command, each answer one line.
//
//     t  one number for each of 0, 1, ... kLongest nops: what ticks() says of them
//     s  bytes of the stack, and how many have ever been used
//     d  uses some hundred bytes of the stack once
//     m  ticks in kWait of milliseconds()
//     b  the boot id
//     i  whether initialised and cleared variables are, which it then changes
//     r  resets the chip, and answers nothing
//     u  executes an undefined instruction, at the label `undefined`
#include "port.h"

namespace port = tinyhil::port;

namespace {

const uint32_t kWait = 20;
const uint32_t kDeep = 700;  // bytes

int32_t initialised = 42;
int32_t cleared;

void say(uint32_t number) {
  char digits[11];
  int at = sizeof(digits);
  digits[--at] = ' ';
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  port::write(reinterpret_cast<const uint8_t*>(digits + at), sizeof(digits) - at);
}

void end_line() {
  const uint8_t newline = '\n';
  port::write(&newline, 1);
}

template <int kCount>
struct Nops {
  // Not inline: the compiler takes a .rept for one instruction, and would branch further than ARMv6-M can.
  __attribute__((noinline)) static void measure() {
    Nops<kCount - 1>::measure();
    const uint32_t before = port::ticks();
    __asm volatile(".rept %c0\n nop\n .endr" ::"i"(kCount));
    const uint32_t after = port::ticks();
    say(after - before);
  }
};

template <>
struct Nops<-1> {
  static void measure() {}
};

#ifdef __riscv
void reset() { *reinterpret_cast<volatile uint32_t*>(0x00100000) = 0x7777; }  // of QEMU's machines: "sifive_test"
#define UNDEFINED() __asm volatile(".global undefined\n undefined: .half 0")
#else
void reset() { *reinterpret_cast<volatile uint32_t*>(0xE000ED0C) = 0x05FA0004; }  // AIRCR.SYSRESETREQ
#define UNDEFINED() __asm volatile(".global undefined\n undefined: .inst.n 0xde00")
#endif

const int kLongest = 66;  // more than a tick of either timer has instructions

__attribute__((noinline)) void go_deep() {
  uint8_t bytes[kDeep];
  for (uint32_t i = 0; i < kDeep; ++i) bytes[i] = static_cast<uint8_t>(i);
  __asm volatile("" ::"r"(bytes) : "memory");  // so that the compiler may not leave them out
}

void obey(int command) {
  if (command == 't') Nops<kLongest>::measure();
  if (command == 's') {
    say(port::stack_bytes());
    say(port::stack_used());
  }
  if (command == 'd') go_deep();
  if (command == 'm') {
    const uint32_t from = port::milliseconds();
    const uint32_t before = port::ticks();
    while (port::milliseconds() - from < kWait) {
    }
    say(port::ticks() - before);
  }
  if (command == 'b') say(port::boot_id());
  if (command == 'i') {
    say(static_cast<uint32_t>(initialised++));
    say(static_cast<uint32_t>(cleared++));
  }
  if (command == 'r') {
    reset();
    for (;;) {
    }
  }
  if (command == 'u') UNDEFINED();
  end_line();
}

}  // namespace

int main() {
  port::init();
  for (;;) {
    const int byte = port::read();
    if (byte >= 0) {
      obey(byte);
    } else {
      port::idle();
    }
  }
}

// Port for Arm's MPS2 board with the AN386 image (Cortex-M4), as QEMU emulates it: `-M mps2-an386`.
//
// UART0 and TIMER0 are those of Arm's Cortex-M System Design Kit (CMSDK, technical reference manual ARM DDI 0479). Both
// are polled: QEMU hands over one byte per turn of its main loop, and polling was measured to be faster than interrupts.
// But a polling CPU makes little of QEMU's clock: 20 ms of it took most of a second, because each look at a register
// costs the emulator microseconds and the clock nanoseconds. So it sleeps when no byte has come for a while, and then
// the clock keeps up with that of the computer.
#include "cortex_m/chip.h"
#include "port.h"

namespace tinyhil {
namespace port {
namespace {

struct CmsdkUart {
  volatile uint32_t data;
  volatile uint32_t state;  // bit 0: transmit buffer full, bit 1: receive buffer full
  volatile uint32_t control;  // bit 0: transmit enable, bit 1: receive enable
  volatile uint32_t interrupt;
  volatile uint32_t divider;  // clock ticks per bit, at least 16
};

struct CmsdkTimer {
  volatile uint32_t control;  // bit 0: enable, bit 3: interrupt enable
  volatile uint32_t value;    // counts down at the system clock
  volatile uint32_t reload;
  volatile uint32_t interrupt;  // to be cleared by writing 1
};

CmsdkUart* const uart = reinterpret_cast<CmsdkUart*>(0x40004000);
CmsdkTimer* const timer = reinterpret_cast<CmsdkTimer*>(0x40000000);
CmsdkTimer* const heartbeat = reinterpret_cast<CmsdkTimer*>(0x40001000);

const uint32_t kClock = 25000000;  // Hz: CPU, UART and timer
const uint32_t kInstructionsPerTick = 40;  // with -icount shift=0, where an instruction takes 1 ns
const uint32_t kBaud = 115200;     // which QEMU ignores

// QEMU's main loop hands over received bytes when it wakes up, which is up to a second late unless a timer is due
// (measured: the first answer after 0.02 to 0.12 s with a period of 100 us, after up to 1.05 s with 10 ms or none).
// The timer's interrupt ends a sleep and is never taken, so it costs no instruction.
const uint32_t kHeartbeatTicks = kClock / 10000;
const uint32_t kHeartbeatInterrupt = 1u << 9;
volatile uint32_t* const interrupts_enable = reinterpret_cast<volatile uint32_t*>(0xE000E100);  // NVIC_ISER0
volatile uint32_t* const interrupts_forget = reinterpret_cast<volatile uint32_t*>(0xE000E280);  // NVIC_ICPR0

// Looks in vain before it sleeps: some milliseconds of the computer's time, longer than the gaps in a conversation.
const uint32_t kLooks = 1000;
uint32_t looks = 0;

}  // namespace

namespace chip {

void start_clock() {
  timer->value = 0xFFFFFFFFu;
  timer->reload = 0xFFFFFFFFu;
  timer->control = 1;
}

// Of the timer of ticks().
uint32_t count() { return ~timer->value; }

const uint32_t kCountHz = kClock;

void start_uart() {
  uart->divider = kClock / kBaud;
  uart->control = 3;
  heartbeat->reload = kHeartbeatTicks;
  heartbeat->value = kHeartbeatTicks;
  asm volatile("cpsid i" ::: "memory");
  *interrupts_enable = kHeartbeatInterrupt;
  heartbeat->control = 1 | 8;
}

int uart_read() {
  if ((uart->state & 2) == 0) return -1;
  looks = 0;
  return static_cast<int>(uart->data & 0xFF);
}

void uart_write(const uint8_t* bytes, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    while ((uart->state & 1) != 0) {
    }
    uart->data = bytes[i];
  }
}

void uart_idle() {
  if (looks < kLooks) {
    ++looks;
    return;
  }
  heartbeat->interrupt = 1;
  *interrupts_forget = kHeartbeatInterrupt;
  asm volatile("wfi" ::: "memory");
}

}  // namespace chip

// The emulator holds back what the UART has not taken, so nothing is lost; two keep the line busy.
uint8_t window() { return 2; }

// Counts instructions, those of this function excepted: a clock of 25 MHz is read to the nanosecond with a vernier.
// The loop below reads the timer every 41 instructions, one more than a tick has. Each turn meets the tick one
// instruction later in its course, so the timer moves on by one, until it moves on by two: that read is the very first
// instruction of a tick. Without this the same work took one tick more or less, by where in a tick it began.
uint32_t ticks() {
  static uint32_t spent_here = 0;
  uint32_t turns = 0;
  uint32_t value;
  uint32_t before;
  uint32_t step;
  asm volatile(
      "ldr %[value], [%[timer]]\n"
      "nop\n"  // the first turn lacks the last three instructions of the others
      "nop\n"
      "nop\n"
      "1:\n"
      "mov %[before], %[value]\n"
      ".rept 35\n"
      "nop\n"
      ".endr\n"
      "add %[turns], %[turns], #1\n"
      "ldr %[value], [%[timer]]\n"
      "sub %[step], %[before], %[value]\n"
      "cmp %[step], #1\n"
      "beq 1b\n"
      : [value] "=&r"(value), [before] "=&r"(before), [step] "=&r"(step), [turns] "+&r"(turns)
      : [timer] "r"(&timer->value)
      : "cc", "memory");
  spent_here += turns * (kInstructionsPerTick + 1);
  return ~value * kInstructionsPerTick - spent_here;
}

uint32_t tick_rate() { return kClock * kInstructionsPerTick; }

}  // namespace port
}  // namespace tinyhil

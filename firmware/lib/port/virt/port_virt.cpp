// Port for QEMU's RISC-V machine `virt`: a 16550 UART, and the interrupt controller CLINT with the machine's time.
//
// The UART is polled, and the CPU sleeps when no byte has come for a while, for the reasons in port cmsdk.
#include "bare_metal/chip.h"
#include "port.h"

namespace tinyhil {
namespace port {
namespace {

struct Uart16550 {
  volatile uint8_t data;
  volatile uint8_t interrupts;
  volatile uint8_t fifo;
  volatile uint8_t line;
  volatile uint8_t modem;
  volatile uint8_t state;  // bit 0: a byte has come, bit 5: there is room for one
};

Uart16550* const uart = reinterpret_cast<Uart16550*>(0x10000000);

typedef volatile uint32_t Register;

Register* const time_low = reinterpret_cast<Register*>(0x0200BFF8);  // mtime, at kTimeHz
Register* const time_high = time_low + 1;
Register* const alarm_low = reinterpret_cast<Register*>(0x02004000);  // mtimecmp of hart 0
Register* const alarm_high = alarm_low + 1;

const uint32_t kTimeHz = 10000000;
const uint32_t kInstructionsPerSecond = 1000000000;  // with -icount shift=0
const uint32_t kHeartbeatTicks = kTimeHz / 10000;
const uint32_t kTimerInterrupt = 1u << 7;  // mie.MTIE
const uint32_t kLooks = 1000;
uint32_t looks = 0;

void set_alarm() {
  const uint32_t high = *time_high;
  const uint32_t now = *time_low;
  const uint32_t due = now + kHeartbeatTicks;
  *alarm_high = 0xFFFFFFFFu;  // never, while one half is old
  *alarm_low = due;
  *alarm_high = high + (due < now ? 1 : 0);
}

}  // namespace

namespace chip {

uint32_t seed() { return 0; }

void start_clock() {}

uint32_t count() { return *time_low; }

const uint32_t kCountHz = kTimeHz;

// The UART itself is ready. Its FIFO stays off: to switch it on empties it of what has come before.
void start_uart() {
  // It ends a sleep and is never taken: mstatus.MIE is not set.
  set_alarm();
  asm volatile(".option push\n .option arch, +zicsr\n csrs mie, %0\n .option pop" ::"r"(kTimerInterrupt));
}

int uart_read() {
  if ((uart->state & 1) == 0) return -1;
  looks = 0;
  return uart->data;
}

void uart_write(const uint8_t* bytes, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    while ((uart->state & 0x20) == 0) {
    }
    uart->data = bytes[i];
  }
}

void uart_idle() {
  if (looks < kLooks) {
    ++looks;
    return;
  }
  set_alarm();
  asm volatile("wfi" ::: "memory");
}

}  // namespace chip

// The emulator holds back what the UART has not taken, so nothing is lost; two keep the line busy.
uint8_t window() { return 2; }

// Instructions: the CPU counts them itself.
uint32_t ticks() {
  uint32_t count;
  asm volatile(".option push\n .option arch, +zicsr\n csrr %0, minstret\n .option pop" : "=r"(count)::"memory");
  return count;
}

uint32_t tick_rate() { return kInstructionsPerSecond; }

}  // namespace port
}  // namespace tinyhil

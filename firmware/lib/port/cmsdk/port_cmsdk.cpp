// The UART of Arm's Cortex-M System Design Kit (CMSDK, technical reference manual ARM DDI 0479), as QEMU emulates it.
//
// The target's flags say:
//     TINYHIL_CMSDK_UART   its address
//     TINYHIL_CLOCK_HZ     the clock of CPU and UART
//
// It is polled: QEMU hands over one byte per turn of its main loop, and polling was measured to be faster than
// interrupts. But a polling CPU makes little of QEMU's clock: 20 ms of it took most of a second, because each look at a
// register costs the emulator microseconds and the clock nanoseconds. So it sleeps when no byte has come for a while,
// and then the clock keeps up with that of the computer.
#include "bare_metal/chip.h"
#include "port.h"

#if !defined(TINYHIL_CMSDK_UART) || !defined(TINYHIL_CLOCK_HZ)
#error "the target's flags have to define TINYHIL_CMSDK_UART and TINYHIL_CLOCK_HZ"
#endif

namespace tinyhil {
namespace port {
namespace {

struct CmsdkUart {
  volatile uint32_t data;
  volatile uint32_t state;    // bit 0: transmit buffer full, bit 1: receive buffer full
  volatile uint32_t control;  // bit 0: transmit enable, bit 1: receive enable
  volatile uint32_t interrupt;
  volatile uint32_t divider;  // clock ticks per bit, at least 16
};

struct SysTick {
  volatile uint32_t control;  // bit 0: enable, bit 1: interrupt, bit 2: at the CPU's clock
  volatile uint32_t reload;
  volatile uint32_t value;
};

CmsdkUart* const uart = reinterpret_cast<CmsdkUart*>(TINYHIL_CMSDK_UART);
SysTick* const heartbeat = reinterpret_cast<SysTick*>(0xE000E010);
volatile uint32_t* const interrupt_state = reinterpret_cast<volatile uint32_t*>(0xE000ED04);  // ICSR
const uint32_t kForgetSysTick = 1u << 25;                                                      // PENDSTCLR

const uint32_t kBaud = 115200;  // which QEMU ignores

// QEMU's main loop hands over received bytes when it wakes up, which is up to a second late unless a timer is due
// (measured: the first answer after 0.02 to 0.12 s with a period of 100 us, after up to 1.05 s with 10 ms or none).
// The timer's interrupt ends a sleep and is never taken, so it costs no instruction.
const uint32_t kHeartbeatTicks = TINYHIL_CLOCK_HZ / 10000;

// Looks in vain before it sleeps: some milliseconds of the computer's time, longer than the gaps in a conversation.
const uint32_t kLooks = 1000;
uint32_t looks = 0;

}  // namespace

namespace chip {

uint32_t seed() { return 0; }

void start_uart() {
  uart->divider = TINYHIL_CLOCK_HZ / kBaud;
  uart->control = 3;
  asm volatile("cpsid i" ::: "memory");
  heartbeat->reload = kHeartbeatTicks;
  heartbeat->value = 0;  // any value: loads it anew
  heartbeat->control = 7;
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
  *interrupt_state = kForgetSysTick;
  asm volatile("wfi" ::: "memory");
}

}  // namespace chip

// The emulator holds back what the UART has not taken, so nothing is lost; two keep the line busy.
uint8_t window() { return 2; }

}  // namespace port
}  // namespace tinyhil

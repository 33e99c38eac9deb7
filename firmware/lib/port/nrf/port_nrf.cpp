// Port for Nordic's nRF51 and nRF52 families: the UART and the timer that both have at the same places.
//
// Registers are those of the nRF51 Series Reference Manual (UART, TIMER, GPIO, CLOCK) and of the nRF52840 Product
// Specification, which keeps the UART without DMA for compatibility.
//
// The target's flags say:
//     TINYHIL_NRF_TXD_PIN, TINYHIL_NRF_RXD_PIN   which pins the serial line takes; above 31 they are those of port 1
//     TINYHIL_NRF_COUNTER                        where Renode has two words for it: instructions, and a clock (renode.repl)
//     TINYHIL_NRF_COUNT_INSTRUCTIONS             that QEMU runs it with -icount shift=0: an instruction takes 1 ns
//
// The UART is polled. Interrupts would lose no byte more or less in an emulator, which holds back what the UART has not
// taken, and would put their instructions into those that are counted.
#include "bare_metal/chip.h"
#include "port.h"

#if !defined(TINYHIL_NRF_TXD_PIN) || !defined(TINYHIL_NRF_RXD_PIN)
#error "the target's flags have to define TINYHIL_NRF_TXD_PIN and TINYHIL_NRF_RXD_PIN"
#endif

namespace tinyhil {
namespace port {
namespace {

typedef volatile uint32_t Register;

Register& at(uint32_t address) { return *reinterpret_cast<Register*>(address); }

struct Uart {
  Register start_receiver;  // a task: begins when 1 is written
  Register _0[1];
  Register start_transmitter;
  Register _1[63];
  Register received;  // an event: 1 when it has happened, until 0 is written
  Register _2[4];
  Register transmitted;
  Register _3[248];
  Register enable;
  Register _4[2];
  Register txd_pin;
  Register _5[1];
  Register rxd_pin;
  Register rxd;  // reading takes a byte out of a FIFO of six; another one there sets `received` again
  Register txd;
  Register _6[1];
  Register baud;
};

struct Timer {
  Register start;
  Register _0[15];
  Register capture[4];  // a task each: copies the count to `compare`
  Register _1[60];
  Register reached[4];  // an event each: the count has reached `compare`
  Register _2[44];
  Register shortcuts;  // bit 0: reached[0] clears the count
  Register _3[192];
  Register mode;  // 0: timer
  Register bits;
  Register _4[1];
  Register prescaler;  // divides 16 MHz by two to this power
  Register _5[11];
  Register compare[4];
};

static_assert(offsetof(Uart, received) == 0x108 && offsetof(Uart, transmitted) == 0x11C &&
                  offsetof(Uart, enable) == 0x500 && offsetof(Uart, txd_pin) == 0x50C &&
                  offsetof(Uart, txd) == 0x51C && offsetof(Uart, baud) == 0x524,
              "the UART's registers are not where they belong");
static_assert(offsetof(Timer, capture) == 0x040 && offsetof(Timer, reached) == 0x140 &&
                  offsetof(Timer, shortcuts) == 0x200 && offsetof(Timer, mode) == 0x504 &&
                  offsetof(Timer, prescaler) == 0x510 && offsetof(Timer, compare) == 0x540,
              "the timer's registers are not where they belong");

Uart* const uart = reinterpret_cast<Uart*>(0x40002000);
Timer* const timer = reinterpret_cast<Timer*>(0x40008000);

const uint32_t kTimerHz = 16000000;  // of the timers, with no prescaler
const uint32_t kTimerBits32 = 3;
const uint32_t kUartEnabled = 4;     // without DMA
const uint32_t kBaud115200 = 0x01D7E000;
const uint32_t kStartCrystal = 0x40000000;  // CLOCK.TASKS_HFCLKSTART: the internal oscillator is off by up to 5 %

uint32_t gpio(uint32_t pin) { return pin < 32 ? 0x50000000 : 0x50000300; }

void set_up_pins() {
  const uint32_t txd = TINYHIL_NRF_TXD_PIN;
  const uint32_t rxd = TINYHIL_NRF_RXD_PIN;
  at(gpio(txd) + 0x508) = 1u << (txd & 31);         // OUTSET: an idle line is high
  at(gpio(txd) + 0x700 + 4 * (txd & 31)) = 3;       // PIN_CNF: output, input buffer off
  at(gpio(rxd) + 0x700 + 4 * (rxd & 31)) = 3 << 2;  // PIN_CNF: input, pulled up
  uart->txd_pin = txd;
  uart->rxd_pin = rxd;
}

uint32_t timer_count(uint32_t slot) {
  timer->capture[slot] = 1;
  return timer->compare[slot];
}

#ifdef TINYHIL_NRF_COUNT_INSTRUCTIONS

struct SysTick {
  Register control;  // bit 0: enable, bit 2: at the CPU's clock
  Register reload;   // 24 bits
  Register value;    // counts down
};

SysTick* const systick = reinterpret_cast<SysTick*>(0xE000E010);
Timer* const heartbeat = reinterpret_cast<Timer*>(0x40009000);

const uint32_t kLongest = 0xFFFFFF;
// QEMU's main loop hands over received bytes when it wakes up, which is late unless a timer is due (see port mps2).
const uint32_t kHeartbeatTicks = kTimerHz / 10000;

void start_systick() {
  systick->reload = kLongest;
  systick->value = 0;  // any value: loads it anew
  systick->control = 5;
}

void start_heartbeat() {
  heartbeat->compare[0] = kHeartbeatTicks;
  heartbeat->shortcuts = 1;
  heartbeat->start = 1;
}

// Without its event being taken the timer would not be armed again.
void keep_heart_beating() {
  if (heartbeat->reached[0] != 0) heartbeat->reached[0] = 0;
}

#else

void start_systick() {}
void start_heartbeat() {}
void keep_heart_beating() {}

#endif

}  // namespace

namespace chip {

void start_clock() {
  at(kStartCrystal) = 1;
  timer->bits = kTimerBits32;
  timer->start = 1;
  start_systick();
}

uint32_t count() { return timer_count(1); }

const uint32_t kCountHz = kTimerHz;

void start_uart() {
  set_up_pins();
  uart->baud = kBaud115200;
  uart->enable = kUartEnabled;
  uart->start_transmitter = 1;
  uart->start_receiver = 1;
  start_heartbeat();
}

int uart_read() {
  if (uart->received == 0) return -1;
  uart->received = 0;  // before the byte is taken, because the next one sets it again
  return static_cast<int>(uart->rxd & 0xFF);
}

void uart_write(const uint8_t* bytes, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    uart->transmitted = 0;
    uart->txd = bytes[i];
    while (uart->transmitted == 0) {
    }
  }
}

void uart_idle() { keep_heart_beating(); }

#ifdef TINYHIL_NRF_COUNTER
uint32_t seed() { return at(TINYHIL_NRF_COUNTER + 4); }
#else
uint32_t seed() { return 0; }
#endif

}  // namespace chip

// A real UART keeps six bytes while the CPU is busy, so nothing may be on its way but the request being computed.
uint8_t window() { return 1; }

#ifdef TINYHIL_NRF_COUNT_INSTRUCTIONS

namespace {

// SysTick at the first instruction of one of its ticks, and how many turns of 63 instructions it took to get there.
//
// The loop reads SysTick every 63 instructions. Each turn meets the tick half an instruction later in its course, so the
// count moves on by one, until it moves on by two: then a tick begins with this very instruction, which happens in every
// second tick only.
//
// Not inline: the compiler takes a .rept for one instruction, and would branch over it further than ARMv6-M can.
__attribute__((noinline)) uint32_t find_tick(uint32_t* took) {
  uint32_t turns = 0;
  uint32_t value;
  uint32_t before;
  uint32_t step;
  asm volatile(
      ".syntax unified\n"
      "ldr %[value], [%[systick]]\n"
      ".rept 5\n"  // the first turn lacks the last five instructions of the others
      "nop\n"
      ".endr\n"
      "1:\n"
      "mov %[before], %[value]\n"
      ".rept 55\n"
      "nop\n"
      ".endr\n"
      "adds %[turns], %[turns], #1\n"
      "ldr %[value], [%[systick]]\n"
      "subs %[step], %[before], %[value]\n"
      "lsls %[step], %[step], #8\n"  // 24 bits
      "lsrs %[step], %[step], #8\n"
      "cmp %[step], #1\n"
      "beq 1b\n"
      : [value] "=&l"(value), [before] "=&l"(before), [step] "=&l"(step), [turns] "+&l"(turns)
      : [systick] "l"(&systick->value)
      : "cc", "memory");
  *took = turns;
  return value;
}

}  // namespace

// Counts instructions, those of this function excepted. QEMU's model of TIMER0 cannot: versions to 8.1 drop the fraction
// of a tick at each look, later ones round a tick of 62.5 ns down. Its SysTick, which a real nRF51 does not even have,
// ticks exactly every 62.5 instructions, and is read to the instruction with a vernier, as in port mps2. TIMER0 is good
// enough to tell how often the 24 bits have run over since the last call.
uint32_t ticks() {
  static uint32_t instructions = 0;
  static uint32_t last = 0;
  static uint32_t last_coarse = 0;
  const uint32_t coarse = timer_count(0);
  uint32_t turns;
  const uint32_t value = find_tick(&turns);
  const uint32_t passed = (last - value) & kLongest;
  const uint32_t runs_over = (coarse - last_coarse - passed + (kLongest >> 1)) >> 24;
  // Two ticks are 125 instructions; `passed` is even from the second call on.
  instructions += (passed >> 1) * 125 + runs_over * ((kLongest + 1) / 2 * 125) - turns * 63;
  last = value;
  last_coarse = coarse;
  return instructions;
}

// 0 where a later QEMU has taken SysTick out of this chip: no count is better than a wrong one.
uint32_t tick_rate() { return systick->reload == kLongest ? 1000000000 : 0; }

#elif defined(TINYHIL_NRF_COUNTER)

// Renode counts whole blocks of code: its own function begins one.
__attribute__((noinline)) uint32_t ticks() { return at(TINYHIL_NRF_COUNTER); }

uint32_t tick_rate() { return 1000000000; }

#else

uint32_t ticks() { return timer_count(0); }

uint32_t tick_rate() { return kTimerHz; }

#endif

}  // namespace port
}  // namespace tinyhil

// Port for boards with an Arduino core, over its `Serial`.
//
// What differs between boards is said by macros, which the target file sets:
//     TINYHIL_CORE_ESP32 or TINYHIL_CORE_MBED    whose core it is: FreeRTOS on ESP32, or Mbed OS
//     TINYHIL_BAUD                               line rate in bit/s; a USB port has none and ignores it
//     TINYHIL_MAX_BAUD                           highest rate that it can go over to; absent for a USB port
//     TINYHIL_WINDOW                             largest requests on their way at once, see port.h
//     TINYHIL_RECEIVE_BUFFER                     bytes that `Serial` is to hold, which are more than the core's default;
//                                                absent where the core cannot be told, because the line waits by itself
//     TINYHIL_WRITE_BYTES                        most bytes in one write to `Serial`
//     TINYHIL_LED                                pin of an LED that takes PWM; absent where there is none
#include "port.h"

#if defined(TINYHIL_CORE_MBED)
#include <cmsis_os2.h>
#elif !defined(TINYHIL_CORE_ESP32)
#error "define TINYHIL_CORE_ESP32 or TINYHIL_CORE_MBED"
#endif

// Last, because it defines macros with everyday names.
#include <Arduino.h>

namespace tinyhil {
namespace port {
namespace {

static_assert(TINYHIL_WINDOW >= 1 && TINYHIL_WINDOW <= 255, "port.h");
static_assert(TINYHIL_WRITE_BYTES >= 1, "nothing would ever be sent");

// What write() has taken. It leaves when it is full or when there is nothing more to read: the server writes a frame in
// small pieces, and each write to a USB port would be a packet of its own.
uint8_t leaving[TINYHIL_WRITE_BYTES];
size_t taken = 0;

// A port that nobody has opened takes nothing. What it does not take is lost, as on a cable that leads nowhere: the host
// asks again, and a sketch that waited for it would never run its demo.
void flush() {
  size_t sent = 0;
  while (sent != taken) {
    const size_t now = Serial.write(leaving + sent, taken - sent);
    if (now == 0) break;
    sent += now;
  }
  taken = 0;
}

}  // namespace

void init() {
#ifdef TINYHIL_RECEIVE_BUFFER
  Serial.setRxBufferSize(TINYHIL_RECEIVE_BUFFER);  // has no effect after begin()
#endif
  Serial.begin(TINYHIL_BAUD);
}

int read() {
  const int byte = Serial.read();
  if (byte < 0) flush();
  return byte < 0 ? -1 : byte;
}

void write(const uint8_t* bytes, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    leaving[taken++] = bytes[i];
    if (taken == sizeof(leaving)) flush();
  }
}

bool set_rate(uint32_t rate) {
#ifdef TINYHIL_MAX_BAUD
  flush();
  Serial.flush();  // waits for the last bit
  Serial.updateBaudRate(rate != 0 ? rate : TINYHIL_BAUD);
  return true;
#else
  static_cast<void>(rate);
  return false;
#endif
}

uint8_t window() { return TINYHIL_WINDOW; }

uint32_t ticks() { return static_cast<uint32_t>(micros()); }

uint32_t tick_rate() { return 1000000; }

uint32_t milliseconds() { return static_cast<uint32_t>(millis()); }

uint32_t boot_id() {
  static uint32_t id = 0;
  if (id == 0) {
#ifdef TINYHIL_CORE_ESP32
    id = esp_random();  // seeded by the second-stage bootloader
#else
    // When the first request came, to the microsecond. Multiplication by an odd number spreads it over all bits and maps
    // no two times to one.
    id = static_cast<uint32_t>(micros()) * 0x9E3779B1u;
#endif
    if (id == 0) id = 1;
  }
  return id;
}

void led(uint8_t brightness) {
#ifdef TINYHIL_LED
  analogWrite(static_cast<uint8_t>(TINYHIL_LED), brightness);
#else
  static_cast<void>(brightness);
#endif
}

uint32_t stack_bytes() {
#ifdef TINYHIL_CORE_ESP32
  return static_cast<uint32_t>(getArduinoLoopTaskStackSize());
#else
  return osThreadGetStackSize(osThreadGetId());
#endif
}

// Both systems fill a new stack with a pattern and count what is left of it, in bytes.
uint32_t stack_used() {
#ifdef TINYHIL_CORE_ESP32
  const uint32_t untouched = static_cast<uint32_t>(uxTaskGetStackHighWaterMark(nullptr));
#else
  const uint32_t untouched = osThreadGetStackSpace(osThreadGetId());
#endif
  // None left is also the answer of a system that does not count: then it is unknown.
  return untouched == 0 ? 0 : stack_bytes() - untouched;
}

void idle() { yield(); }

}  // namespace port
}  // namespace tinyhil

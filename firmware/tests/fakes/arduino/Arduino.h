// A FAKE of an Arduino core, for the host: what the port and the sketch use of it, and no more.
//
// The real cores come from PlatformIO's registry with compilers of their own, so the tests cannot count on them. This
// lets the same sources be compiled with every warning an error, and be run behind a pseudo-terminal. It says nothing of
// how the real cores behave, except for three traps, which are known of them and built in (arduino.cpp):
//     - ESP32: `Serial` holds 256 bytes unless it was told otherwise before begin(); what comes on top is lost;
//     - Mbed: a write to USB of 64 bytes and more may be lost as a whole; here it always is;
//     - both: the macros with everyday names, which headers that come later trip over.
// TINYHIL_CORE_ESP32 or TINYHIL_CORE_MBED says which of the two is meant.
#ifndef TINYHIL_TESTS_FAKES_ARDUINO_ARDUINO_H_
#define TINYHIL_TESTS_FAKES_ARDUINO_ARDUINO_H_

#include <stddef.h>
#include <stdint.h>

class FakeSerial {
 public:
  void begin(unsigned long baud);
#ifdef TINYHIL_CORE_ESP32
  size_t setRxBufferSize(size_t bytes);
#endif
  int read();
  size_t write(const uint8_t* bytes, size_t length);
};

extern FakeSerial Serial;

unsigned long micros();
unsigned long millis();
void analogWrite(uint8_t pin, int value);

#ifdef TINYHIL_CORE_ESP32
// C++ linkage on this core, C linkage on the other: a sketch that does not include this header has the wrong one.
void setup();
void loop();
size_t getArduinoLoopTaskStackSize();
#endif

extern "C" {
void yield();
#ifdef TINYHIL_CORE_ESP32
uint32_t esp_random();
unsigned uxTaskGetStackHighWaterMark(void* task);
#else
void setup();
void loop();
#endif
}

#define abs(x) ((x) > 0 ? (x) : -(x))
#define bit(b) (1UL << (b))
#define B1 1

#endif  // TINYHIL_TESTS_FAKES_ARDUINO_ARDUINO_H_

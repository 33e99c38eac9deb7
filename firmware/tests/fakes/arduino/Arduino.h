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
#ifdef TINYHIL_MAX_BAUD
  void flush();  // a UART's, which has a rate
  void updateBaudRate(unsigned long baud);
#endif
  int read();
  size_t write(const uint8_t* bytes, size_t length);
};

extern FakeSerial Serial;

unsigned long micros();
unsigned long millis();
void analogWrite(uint8_t pin, int value);

// What sketches of one's own are compiled with.
static const uint8_t A0 = 36;
int analogRead(uint8_t pin);

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

// What else some core has as a macro, or had: for sources that are compiled, and for headers that never come after this.
#ifdef TINYHIL_TESTS_ALL_MACROS
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define round(x) ((x) >= 0 ? (long)((x) + 0.5) : (long)((x)-0.5))
#define constrain(x, low, high) ((x) < (low) ? (low) : ((x) > (high) ? (high) : (x)))
#define radians(x) ((x)*0.01745)
#define degrees(x) ((x)*57.29)
#define sq(x) ((x) * (x))
#define F(text) (text)
#define PI 3.1415926535897932384626433832795
#define HALF_PI 1.5707963267948966192313216916398
#define TWO_PI 6.283185307179586476925286766559
#define EULER 2.718281828459045235360287471352
#define SERIAL 0x0
#define DISPLAY 0x1
#define DEFAULT 1
#define EXTERNAL 0
#define CHANGE 0x03
#define HIGH 1
#define LOW 0
#define INPUT 1
#define OUTPUT 3
#define interrupts() sei()
#define word(...) makeWord(__VA_ARGS__)
#define lowByte(w) ((uint8_t)((w)&0xff))
#define bitRead(value, bit) (((value) >> (bit)) & 0x01)
#define _BV(b) (1UL << (b))
#define _NOP() \
  do {         \
  } while (0)
#endif

#endif  // TINYHIL_TESTS_FAKES_ARDUINO_ARDUINO_H_

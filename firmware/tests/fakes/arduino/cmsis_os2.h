// A FAKE of the header of Mbed's real-time system, see Arduino.h.
#ifndef TINYHIL_TESTS_FAKES_ARDUINO_CMSIS_OS2_H_
#define TINYHIL_TESTS_FAKES_ARDUINO_CMSIS_OS2_H_

#include <stdint.h>

extern "C" {
typedef void* osThreadId_t;
osThreadId_t osThreadGetId(void);
uint32_t osThreadGetStackSize(osThreadId_t thread);
uint32_t osThreadGetStackSpace(osThreadId_t thread);
}

#endif  // TINYHIL_TESTS_FAKES_ARDUINO_CMSIS_OS2_H_

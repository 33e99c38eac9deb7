// The fake core: main(), a clock, and `Serial` on a pseudo-terminal, which it names on standard output as the port for
// the host does. A thread stands for the receive interrupt, so bytes arrive while the sketch computes.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#ifdef TINYHIL_CORE_MBED
#include "cmsis_os2.h"
#endif

#include "../line.h"

// Last, as everybody has to.
#include "Arduino.h"

FakeSerial Serial;

namespace {

using fakes::fail;

int line = -1;
bool begun = false;
size_t capacity = 256;  // of both cores' receive buffers
std::mutex guard;
std::condition_variable room;
std::deque<uint8_t> arrived;

void receive() {
  for (;;) {
    uint8_t bytes[64];
    const ssize_t got = read(line, bytes, sizeof(bytes));
    if (got < 0 && errno != EINTR) fail("read");
    std::unique_lock<std::mutex> lock(guard);
    for (ssize_t i = 0; i < got; ++i) {
#ifdef TINYHIL_CORE_ESP32
      if (arrived.size() == capacity) continue;  // lost
#else
      room.wait(lock, [] { return arrived.size() < capacity; });  // USB makes the host wait
#endif
      arrived.push_back(bytes[i]);
    }
  }
}

}  // namespace

void FakeSerial::begin(unsigned long baud) {
  if (begun || baud != TINYHIL_BAUD) fail("begin");
  begun = true;
  line = fakes::open_line();
  std::thread(receive).detach();
}

#ifdef TINYHIL_CORE_ESP32
size_t FakeSerial::setRxBufferSize(size_t bytes) {
  if (begun) return 0;
  return capacity = bytes;
}
#endif

#ifdef TINYHIL_MAX_BAUD
namespace {
bool drained = true;
}

void FakeSerial::flush() { drained = true; }

// What has not left the line by then would leave it at the new rate.
void FakeSerial::updateBaudRate(unsigned long baud) {
  printf("%s at %lu bit/s\n", drained ? "whole" : "CUT", baud);
  fflush(stdout);
}
#endif

int FakeSerial::read() {
  std::lock_guard<std::mutex> lock(guard);
  if (arrived.empty()) return -1;
  const int byte = arrived.front();
  arrived.pop_front();
  room.notify_one();
  return byte;
}

size_t FakeSerial::write(const uint8_t* bytes, size_t length) {
#ifdef TINYHIL_CORE_MBED
  if (length >= 64) return length;  // so it says
#endif
#ifdef TINYHIL_MAX_BAUD
  drained = false;
#endif
  const ssize_t sent = ::write(line, bytes, length);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

unsigned long micros() { return static_cast<unsigned long>(fakes::clock_in(1000000)); }

unsigned long millis() { return static_cast<unsigned long>(fakes::clock_in(1000)); }

void analogWrite(uint8_t pin, int value) { printf("pin %d brightness %d\n", pin, value); }

#ifdef TINYHIL_CORE_ESP32
size_t getArduinoLoopTaskStackSize() { return 8192; }
#endif

extern "C" {

void yield() {
  struct pollfd nothing = {-1, 0, 0};
  poll(&nothing, 1, 1);
}

#ifdef TINYHIL_CORE_ESP32
uint32_t esp_random() {
  uint32_t value = 0;
  if (getentropy(&value, sizeof(value)) != 0) fail("random number");
  return value;
}
unsigned uxTaskGetStackHighWaterMark(void* task) { return task == nullptr ? 5192 : 0; }
#else
osThreadId_t osThreadGetId(void) { return &line; }
uint32_t osThreadGetStackSize(osThreadId_t thread) { return thread == &line ? 32768 : 0; }
uint32_t osThreadGetStackSpace(osThreadId_t thread) { return thread == &line ? 29768 : 0; }
#endif

}  // extern "C"

int main() {
  setup();
  for (;;) loop();
}

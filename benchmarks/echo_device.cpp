// The yardstick of benchmarks/goodput.py on an emulated chip: sends back every byte, with the same port code as the firmware.
#include <stdint.h>

#include "port.h"

int main() {
  namespace port = tinyhil::port;
  port::init();
  for (;;) {
    const int byte = port::read();
    if (byte < 0) {
      port::idle();
      continue;
    }
    const uint8_t value = static_cast<uint8_t>(byte);
    port::write(&value, 1);
  }
}

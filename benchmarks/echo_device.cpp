// The yardstick of benchmarks/goodput.py on an emulated chip: sends back every byte, with the same port code as the
// firmware. In blocks, because the firmware does not write byte by byte either.
#include <stdint.h>

#include "port.h"

int main() {
  namespace port = tinyhil::port;
  uint8_t block[TEST_BLOCK];
  uint32_t filled = 0;
  port::init();
  for (;;) {
    const int byte = port::read();
    if (byte < 0) {
      port::idle();
      continue;
    }
    block[filled++] = static_cast<uint8_t>(byte);
    if (filled != sizeof(block)) continue;
    port::write(block, sizeof(block));
    filled = 0;
  }
}

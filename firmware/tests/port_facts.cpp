// A program that says what the port says of the board, and ends.
#include <stdio.h>
#include <stdlib.h>

#include "port.h"

#ifndef ESP_PLATFORM  // which ESP-IDF defines
#include <Arduino.h>
#endif

static void tell() {
  namespace port = tinyhil::port;
  port::init();
  const uint32_t before = port::ticks();
  const uint32_t since = port::milliseconds();
  while (port::ticks() - before < 3000) {
  }
  printf("clock %d\n", port::milliseconds() - since >= 2);
  printf("rate %u\n", unsigned(port::tick_rate()));
  printf("window %u\n", unsigned(port::window()));
  printf("stack %u of %u\n", unsigned(port::stack_used()), unsigned(port::stack_bytes()));
  port::led(200);
  const uint8_t byte = 'x';
  port::write(&byte, 1);
  printf("other rates %d\n", port::set_rate(921600) && port::set_rate(0));
  exit(0);
}

#ifdef ESP_PLATFORM
extern "C" void app_main() { tell(); }
#else
void setup() { tell(); }
void loop() {}
#endif

// Entry of targets whose framework is ESP-IDF: it has main(), and calls this once, in a task of its own.
#include "app.h"

extern "C" void app_main() {
  tinyhil::app::setup();
  for (;;) tinyhil::app::poll();
}

// Entry of targets whose program begins with main(): bare metal, and the host.
#include "app.h"

int main() {
  tinyhil::app::setup();
  for (;;) tinyhil::app::poll();
}

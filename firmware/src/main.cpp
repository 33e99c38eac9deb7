// Entry of targets whose program begins with main(): bare metal, and the host.
#include "app.h"

int main() {
  app_setup();
  for (;;) app_poll();
}

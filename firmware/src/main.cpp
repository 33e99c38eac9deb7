// Entry of bare-metal targets.
#include "app.h"

int main() {
  app_setup();
  for (;;) app_poll();
}

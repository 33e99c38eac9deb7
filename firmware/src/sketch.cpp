// Entry of targets whose framework is Arduino's: it has main(), and calls these two.
#include "app.h"

// Last, because it defines macros with everyday names.
#include <Arduino.h>

void setup() { app_setup(); }

void loop() { app_poll(); }

// Entry of targets whose framework is Arduino's: it has main(), and calls these two.
#include "app.h"

// Last, because it defines macros with everyday names.
#include <Arduino.h>

void setup() { tinyhil::app::setup(); }

void loop() { tinyhil::app::poll(); }

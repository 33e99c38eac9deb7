// The application: the server over the port, as the two calls that every main() and every sketch needs.
//
// A model that has a demo shows it until the first valid frame arrives, and again when none has for a while.
//
// Usage: app_setup() once, then app_poll() for ever; each call takes at most one byte from the line.
#ifndef TINYHIL_APP_H_
#define TINYHIL_APP_H_

void app_setup();
void app_poll();

#endif  // TINYHIL_APP_H_

// What the fakes of cores have in common: a pseudo-terminal that stands for the line, and a clock.
#ifndef TINYHIL_TESTS_FAKES_LINE_H_
#define TINYHIL_TESTS_FAKES_LINE_H_

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

namespace fakes {

inline void fail(const char* what) {
  perror(what);
  _exit(1);
}

// Opens the line and names it on standard output, as the port for the host does; returns the device's end.
inline int open_line() {
  const int line = posix_openpt(O_RDWR | O_NOCTTY);
  if (line < 0 || grantpt(line) != 0 || unlockpt(line) != 0) fail("pseudo-terminal");
  const char* const path = ptsname(line);
  const int slave = open(path, O_RDWR | O_NOCTTY);  // never closed: the cable
  struct termios settings;
  if (slave < 0 || tcgetattr(slave, &settings) != 0) fail("terminal");
  cfmakeraw(&settings);
  if (tcsetattr(slave, TCSANOW, &settings) != 0) fail("terminal");
  printf("serial port redirected to %s\n", path);
  fflush(stdout);
  return line;
}

inline long clock_in(long per_second) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long>(now.tv_sec * per_second + now.tv_nsec / (1000000000 / per_second));
}

}  // namespace fakes

#endif  // TINYHIL_TESTS_FAKES_LINE_H_

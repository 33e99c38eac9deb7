// Port for the host: the firmware as a process whose serial line is a pseudo-terminal that it opens itself.
//
// The process is the board. It names the line on standard output, once, and serves it until it is killed. Hosts may
// open and close the line as they like, because the process holds it open too, as a cable does.
//
// SIGUSR1 is the reset button. Its handler replaces the process by a new run of the same program, at whatever point
// the firmware is: no variable survives, nor any byte that it had read and not handled or was about to write. Only the
// line does, with what the firmware has not read yet: its master is standard input from the first start on, and a
// master found there means a warm start.
//
// The line has the rate that its terminal is set to, as on a board; who has the other end may model a wire by it. It is
// 115,200 bit/s at each start.
//
// There is no clock: what a time-sharing computer spends on an inference says nothing about any chip.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "port.h"

extern "C" char** environ;  // POSIX wants it declared by who uses it

namespace tinyhil {
namespace port {
namespace {

const int kLine = STDIN_FILENO;  // the master, not blocking
const size_t kChunk = 4096;      // bytes; a pseudo-terminal hands over at most as many at a time

uint8_t arrived[kChunk];
size_t next = 0;  // byte of `arrived` that read() returns
size_t end = 0;

// Bytes that write() has taken. They leave when the buffer is full or there is nothing more to read, so that a frame,
// which the server writes in small pieces, costs one system call, and many short frames together cost one as well.
uint8_t leaving[2 * kChunk];
size_t taken = 0;

// Says what failed and ends: without its line, the board is a brick.
void fail(const char* what) {
  perror(what);
  _exit(1);
}

// Whether somebody waits for a time, and may not sleep until a byte arrives.
bool paced = false;
const int kTurn = 5;  // milliseconds of sleep then

void wait_for(short event, int milliseconds = -1) {
  struct pollfd line = {kLine, event, 0};
  if (poll(&line, 1, milliseconds) < 0 && errno != EINTR) fail("cannot wait for the serial port");
}

void flush() {
  size_t sent = 0;
  while (sent != taken) {
    const ssize_t now = ::write(kLine, leaving + sent, taken - sent);
    if (now > 0) {
      sent += static_cast<size_t>(now);
    } else if (now == 0 || errno == EAGAIN) {
      wait_for(POLLOUT);
    } else if (errno != EINTR) {
      fail("cannot write to the serial port");
    }
  }
  taken = 0;
}

struct Rate {
  uint32_t bits_per_second;
  speed_t code;
};
const Rate kRates[] = {{115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600}, {2000000, B2000000}};

bool apply_rate(uint32_t rate) {
  for (const Rate& known : kRates) {
    if (known.bits_per_second != rate) continue;
    struct termios settings;
    if (tcgetattr(kLine, &settings) != 0 || cfsetspeed(&settings, known.code) != 0) return false;
    return tcsetattr(kLine, TCSANOW, &settings) == 0;
  }
  return false;
}

// Waits until the other end has read all that was written, for a second at most. A pseudo-terminal has no wire that
// could be waited for.
void drain() {
  flush();
  const int cable = open(ptsname(kLine), O_RDWR | O_NOCTTY);
  int unread = 1;
  for (int turn = 0; turn != 500 && unread != 0; ++turn) {
    poll(nullptr, 0, 2);
    if (ioctl(cable, FIONREAD, &unread) != 0) break;
  }
  close(cable);
}

// Only calls that are safe in a signal handler. SIGUSR1 stays blocked until the new run has its own handler, so a
// second push of the button waits instead of ending the process.
void reset(int) {
  char name[] = "firmware";
  char* arguments[] = {name, nullptr};
  execve("/proc/self/exe", arguments, environ);
  _exit(127);
}

void open_line() {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) fail("cannot open a pseudo-terminal");
  const char* const path = ptsname(master);
  const int slave = path != nullptr ? open(path, O_RDWR | O_NOCTTY) : -1;  // never closed: the cable
  struct termios settings;
  if (slave < 0 || tcgetattr(slave, &settings) != 0) fail("cannot open the serial port");
  cfmakeraw(&settings);  // no echo, no line editing, no byte with a meaning
  if (tcsetattr(slave, TCSANOW, &settings) != 0) fail("cannot set up the serial port");
  if (master != kLine && (dup2(master, kLine) < 0 || close(master) != 0)) fail("cannot keep the serial port");
  if (fcntl(kLine, F_SETFL, O_RDWR | O_NONBLOCK) != 0) fail("cannot set up the serial port");
  printf("serial port redirected to %s\n", path);
  if (fflush(stdout) != 0) fail("cannot name the serial port");
}

}  // namespace

void init() {
  struct sigaction button = {};
  button.sa_handler = reset;
  sigset_t pushed;
  if (sigemptyset(&pushed) != 0 || sigaddset(&pushed, SIGUSR1) != 0 || sigaction(SIGUSR1, &button, nullptr) != 0) {
    fail("cannot handle SIGUSR1");
  }
  const bool cold = ptsname(kLine) == nullptr;
  if (cold) open_line();
  if (!apply_rate(kRates[0].bits_per_second)) fail("cannot set the serial port's rate");
  if (sigprocmask(SIG_UNBLOCK, &pushed, nullptr) != 0) fail("cannot handle SIGUSR1");
}

int read() {
  if (next == end) {
    flush();
    const ssize_t now = ::read(kLine, arrived, sizeof(arrived));
    if (now < 0 && errno != EAGAIN && errno != EINTR) fail("cannot read from the serial port");
    next = 0;
    end = now > 0 ? static_cast<size_t>(now) : 0;
    if (end == 0) return -1;
  }
  return arrived[next++];
}

void write(const uint8_t* bytes, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    if (taken == sizeof(leaving)) flush();
    leaving[taken++] = bytes[i];
  }
}

bool set_rate(uint32_t rate) {
  drain();
  return apply_rate(rate != 0 ? rate : kRates[0].bits_per_second);
}

// The kernel holds 12 to 22 KiB each way, according to how they are cut: about four of the largest frames, so nobody
// waits with a frame half written. More in flight were measured to carry no more payload.
uint8_t window() { return 4; }

uint32_t ticks() { return 0; }

uint32_t tick_rate() { return 0; }

uint32_t milliseconds() {
  paced = true;
  struct timespec now;
  if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) fail("cannot read the clock");
  return static_cast<uint32_t>(now.tv_sec) * 1000u + static_cast<uint32_t>(now.tv_nsec / 1000000);
}

void led(uint8_t) {}

uint32_t boot_id() {
  static uint32_t id = 0;
  while (id == 0) {
    if (getentropy(&id, sizeof(id)) != 0) fail("cannot get a random number");
  }
  return id;
}

uint32_t stack_bytes() { return 0; }

uint32_t stack_used() { return 0; }

// read() has sent everything before it found nothing.
void idle() { wait_for(POLLIN, paced ? kTurn : -1); }

}  // namespace port
}  // namespace tinyhil

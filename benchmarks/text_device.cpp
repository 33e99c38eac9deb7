// The baseline of benchmarks/goodput.py: a device that is asked in text, one command at a time, in the manner of MLPerf
// Tiny's harness: input as hexadecimal, 31 bytes a command, each ended by '%' and answered by
// "m-ready" (text_host.py).
//
// It computes nothing and answers zeros, which can only flatter the baseline.
//
// Usage: text_device INPUT_BYTES OUTPUT_BYTES; prints the path of its serial port.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <string>

namespace {

int line;

void say(const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = write(line, text.data() + done, text.size() - done);
    if (count < 0) exit(1);
    done += static_cast<size_t>(count);
  }
}

// "db load N", "db HEX" and "infer"; anything else is an error of the benchmark.
void obey(const std::string& command, size_t inputs, size_t outputs) {
  static size_t loaded = 0;
  if (command.compare(0, 8, "db load ") == 0) {
    loaded = 0;
  } else if (command.compare(0, 3, "db ") == 0) {
    loaded += (command.size() - 3) / 2;
  } else if (command.compare(0, 5, "infer") == 0 && loaded == inputs) {
    std::string results = "m-results-[";
    for (size_t i = 0; i < outputs; ++i) results += i ? ",0.000" : "0.000";
    say(results + "]\r\n");
  } else {
    say("e-[" + command + "]\r\n");
    return;
  }
  say("m-ready\r\n");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  line = posix_openpt(O_RDWR | O_NOCTTY);
  if (line < 0 || grantpt(line) != 0 || unlockpt(line) != 0) return 1;
  const char* const path = ptsname(line);
  const int held = open(path, O_RDWR | O_NOCTTY);  // like a cable that stays plugged while hosts come and go
  termios settings;
  if (held < 0 || tcgetattr(held, &settings) != 0) return 1;
  cfmakeraw(&settings);
  if (tcsetattr(held, TCSANOW, &settings) != 0) return 1;
  printf("serial port redirected to %s\n", path);
  fflush(stdout);

  const size_t inputs = strtoul(arguments[1], nullptr, 10);
  const size_t outputs = strtoul(arguments[2], nullptr, 10);
  std::string command;
  for (;;) {
    char block[4096];
    const ssize_t read_count = read(line, block, sizeof(block));
    if (read_count <= 0) return 1;
    for (ssize_t i = 0; i < read_count; ++i) {
      if (block[i] != '%') {
        command += block[i];
        continue;
      }
      obey(command, inputs, outputs);
      command.clear();
    }
  }
}

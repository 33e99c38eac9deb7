// The real server over one of the engines in fakes/, with stdin and stdout as the wire, for the tests of the host.
//
//     server_FAKE PAYLOAD [INIT_STATUS [TICK_RATE [MAX_RATE]]]
//
// PAYLOAD is the largest payload, INIT_STATUS what the engine's init() returns, TICK_RATE 0 takes the clock away,
// MAX_RATE is what its line can go over to. A change of the rate is a line of text; a byte 'T' between frames lets
// 400 ms pass in which nothing comes.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <vector>

#include "fake.h"
#include "server.h"

uint32_t fake::init_status = 0;
uint32_t fake::clock_ticks = 0xFFFFFF80u;

namespace {

uint32_t boot_id() { return 0xB007B007u; }
uint32_t ticks() { return fake::clock_ticks; }
uint32_t stack_used() { return 321; }

uint32_t now = 0xFFFFFF00u;
uint32_t milliseconds() { return now; }

bool set_rate(uint32_t rate) {
  dprintf(STDOUT_FILENO, "rate %u\n", static_cast<unsigned>(rate));
  return rate != 1;
}

void put(void*, const uint8_t* bytes, size_t length) {
  while (length != 0) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes, length);
    if (written < 0) exit(1);
    bytes += written;
    length -= static_cast<size_t>(written);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const size_t payload = strtoul(argv[1], nullptr, 0);
  if (argc > 2) fake::init_status = static_cast<uint32_t>(strtoul(argv[2], nullptr, 0));
  std::vector<uint8_t> receive(payload + tinyhil::link::kFrameOverhead);
  std::vector<uint8_t> send(payload + tinyhil::link::kFrameOverhead);

  tinyhil::ServerConfig config;
  config.max_payload = static_cast<uint16_t>(payload);
  config.window = 3;
  config.receive_buffer = receive.data();
  config.send_buffer = send.data();
  config.write = put;
  config.write_context = nullptr;
  config.boot_id = boot_id;
  config.tick_rate = argc > 3 ? static_cast<uint32_t>(strtoul(argv[3], nullptr, 0)) : 1000000;
  config.ticks = config.tick_rate != 0 ? ticks : nullptr;
  config.stack_bytes = 654;
  config.stack_used = stack_used;
  config.max_rate = argc > 4 ? static_cast<uint32_t>(strtoul(argv[4], nullptr, 0)) : 0;
  config.set_rate = set_rate;
  config.milliseconds = milliseconds;
  tinyhil::Server server(config);
  server.begin();

  uint8_t bytes[256];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof(bytes));
    if (got <= 0) return got < 0 ? 1 : 0;
    for (ssize_t i = 0; i < got; ++i) {
      const bool between = i == 0 || bytes[i - 1] == 0 || bytes[i - 1] == 'T';
      if (config.max_rate != 0 && between && bytes[i] == 'T') {
        now += 400;
        server.on_silence();
      } else {
        server.on_byte(bytes[i]);
      }
    }
  }
}

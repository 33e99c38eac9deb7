#include "app.h"

#include "port.h"
#include "server.h"
#include "tinyhil_config.h"

namespace {

using tinyhil::Server;
using tinyhil::ServerConfig;
namespace link = tinyhil::link;
namespace port = tinyhil::port;

static_assert(TINYHIL_MAX_PAYLOAD >= link::kMinPayload && TINYHIL_MAX_PAYLOAD <= link::kMaxPayload,
              "TINYHIL_MAX_PAYLOAD is outside the limits of the link");

uint8_t receive_buffer[TINYHIL_MAX_PAYLOAD + link::kFrameOverhead];
uint8_t send_buffer[TINYHIL_MAX_PAYLOAD + link::kFrameOverhead];

void write(void*, const uint8_t* bytes, size_t length) { port::write(bytes, length); }

ServerConfig config() {
  ServerConfig config;
  config.max_payload = TINYHIL_MAX_PAYLOAD;
  config.window = port::window();
  config.receive_buffer = receive_buffer;
  config.send_buffer = send_buffer;
  config.write = write;
  config.write_context = nullptr;
  config.boot_id = port::boot_id;
  config.tick_rate = port::tick_rate();
  config.ticks = config.tick_rate != 0 ? port::ticks : nullptr;
  config.stack_bytes = port::stack_bytes();
  config.stack_used = port::stack_used;
  return config;
}

Server* server;

}  // namespace

void app_setup() {
  port::init();
  // Not a global, so that the port is ready before the server asks it for anything.
  static Server instance(config());
  server = &instance;
  server->begin();
}

void app_poll() {
  const int byte = port::read();
  if (byte < 0) {
    port::idle();
  } else {
    server->on_byte(static_cast<uint8_t>(byte));
  }
}

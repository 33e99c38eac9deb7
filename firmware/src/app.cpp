#include "app.h"

#include "port.h"
#include "server.h"
#include "tinyhil_config.h"

#ifdef TINYHIL_DEMO_STEPS
#include "demo.h"
#endif

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

// How often the demo or the sketch has come back. Each time is a start for the link.
uint32_t returns = 0;

uint32_t boot_id() { return port::boot_id() + returns * 0x85EBCA6Bu; }

ServerConfig config() {
  ServerConfig config;
  config.max_payload = TINYHIL_MAX_PAYLOAD;
  config.window = port::window();
  config.receive_buffer = receive_buffer;
  config.send_buffer = send_buffer;
  config.write = write;
  config.write_context = nullptr;
  config.boot_id = boot_id;
  config.tick_rate = port::tick_rate();
  config.ticks = config.tick_rate != 0 ? port::ticks : nullptr;
  config.stack_bytes = port::stack_bytes();
  config.stack_used = port::stack_used;
#ifdef TINYHIL_MAX_BAUD
  config.max_rate = TINYHIL_MAX_BAUD;
  config.set_rate = port::set_rate;
  config.milliseconds = port::milliseconds;
#else
  config.max_rate = 0;
  config.set_rate = nullptr;
  config.milliseconds = nullptr;
#endif
  return config;
}

Server* server;

void rest() {
  server->on_silence();
  port::idle();
}

#if defined(TINYHIL_DEMO_STEPS) || defined(TINYHIL_SKETCH_AFTER_MS)

bool host_has_it = false;
uint32_t since = 0;  // milliseconds at the last valid frame, or at the last step of the demo

void take(uint8_t byte) {
  const uint32_t before = server->decoder().count(link::Event::kFrame);
  server->on_byte(byte);
  if (server->decoder().count(link::Event::kFrame) == before) return;
  host_has_it = true;
  since = port::milliseconds();
}

// After a GOODBYE, or this many milliseconds without a frame; returns whether that was now.
bool give_back(uint32_t after) {
  if (!host_has_it || (!server->parted() && port::milliseconds() - since < after)) return false;
  ++returns;
  server->begin();
  host_has_it = false;
  return true;
}

#else

const bool host_has_it = false;

void take(uint8_t byte) { server->on_byte(byte); }

#endif

#ifdef TINYHIL_DEMO_STEPS

tinyhil::Demo* demo;

void begin_demo() {
  tinyhil::DemoConfig config;
  config.from = TINYHIL_DEMO_FROM;
  config.step = TINYHIL_DEMO_STEP;
  config.steps = TINYHIL_DEMO_STEPS;
  config.write = port::write;
  config.led = port::led;
  static tinyhil::Demo instance(config);
  demo = &instance;
}

// One line at most, and only when no byte is waiting.
void pass_time() {
  const uint32_t now = port::milliseconds();
  if (!host_has_it && now - since >= TINYHIL_DEMO_PERIOD_MS) {
    since = now;
    if (server->works()) demo->step();
    return;  // what a line may have left in the port goes out with its next read()
  }
  if (give_back(TINYHIL_DEMO_AFTER_MS)) demo->restart();
  rest();
}

#else

void begin_demo() {}

#ifdef TINYHIL_SKETCH_AFTER_MS

// A sketch has its own work, so that only a host is waited for.
void pass_time() {
  give_back(TINYHIL_SKETCH_AFTER_MS);
  if (host_has_it) rest();
}

#else

void pass_time() { rest(); }

#endif
#endif

}  // namespace

namespace tinyhil {
namespace app {

void setup() {
  port::init();
  // Not a global, so that the port is ready before the server asks it for anything.
  static Server instance(config());
  server = &instance;
  server->begin();
  begin_demo();
}

bool poll() {
  const int byte = port::read();
  if (byte < 0) {
    pass_time();
    return false;
  }
  take(static_cast<uint8_t>(byte));
  return true;
}

bool works() { return server->works(); }

bool held() { return host_has_it; }

#ifdef TINYHIL_PREPROCESSING
void preprocess(const TensorInfo& raw, void* memory, void (*run)()) { preprocessing = {&raw, memory, run}; }
#endif

}  // namespace app
}  // namespace tinyhil

#include "tinyhil.h"

#include <string.h>

#include "app.h"
#include "port.h"

namespace {

namespace app = tinyhil::app;
namespace engine = tinyhil::engine;
using tinyhil::kModelInfo;

bool usable() { return app::works() && !app::held(); }

}  // namespace

void tinyhil_setup() { app::setup(); }

bool tinyhil_poll() {
  while (app::poll()) {
  }
  return app::held();
}

void* tinyhil_input(uint8_t index) {
  return usable() && index < kModelInfo.inputs ? engine::input(index) : nullptr;
}

bool tinyhil_invoke() { return usable() && engine::invoke() == 0; }

const void* tinyhil_output(uint8_t index) {
  return usable() && index < kModelInfo.outputs ? engine::output(index) : nullptr;
}

void tinyhil_reset() {
  if (usable()) engine::reset();
}

void tinyhil_print(const char* text) {
  if (!app::held()) tinyhil::port::write(reinterpret_cast<const uint8_t*>(text), strlen(text));
}

uint32_t tinyhil_milliseconds() { return tinyhil::port::milliseconds(); }

void tinyhil_rest() {
  tinyhil::port::milliseconds();  // that somebody waits for a time is what ends the sleep
  tinyhil::port::idle();
}

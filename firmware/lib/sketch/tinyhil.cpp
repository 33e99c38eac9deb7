#include "tinyhil.h"

#include <string.h>

#include "app.h"
#include "port.h"

namespace {

namespace app = tinyhil::app;
namespace engine = tinyhil::engine;
using tinyhil::kModelInfo;

bool usable() { return app::works() && !app::held(); }

void (*preprocess)();
bool for_host = false;  // whether `preprocess` runs because a host has asked for it
uint32_t raw_shape[tinyhil::raw::kMaxRank];
tinyhil::TensorInfo raw_info;

void preprocess_for_host() {
  for_host = true;
  preprocess();
  for_host = false;
}

}  // namespace

void tinyhil_setup() { app::setup(); }

bool tinyhil_poll() {
  while (app::poll()) {
  }
  return app::held();
}

void* tinyhil_input(uint8_t index) {
  return (usable() || for_host) && index < kModelInfo.inputs ? engine::input(index) : nullptr;
}

bool tinyhil_invoke() { return usable() && engine::invoke() == 0; }

const void* tinyhil_output(uint8_t index) {
  return usable() && index < kModelInfo.outputs ? engine::output(index) : nullptr;
}

void tinyhil_reset() {
  if (usable()) engine::reset();
}

void tinyhil::raw::set(void (*theirs)(), void* memory, uint32_t bytes, DType type, uint8_t rank, const uint32_t* shape) {
  preprocess = theirs;
  memcpy(raw_shape, shape, sizeof(raw_shape));
  raw_info.name = "raw";
  raw_info.dtype = type;
  raw_info.rank = rank;
  raw_info.dims = raw_shape;
  raw_info.bytes = bytes;
  app::preprocess(raw_info, memory, preprocess_for_host);
}

void tinyhil_print(const char* text) {
  if (!app::held()) tinyhil::port::write(reinterpret_cast<const uint8_t*>(text), strlen(text));
}

uint32_t tinyhil_milliseconds() { return tinyhil::port::milliseconds(); }

void tinyhil_rest() {
  tinyhil::port::milliseconds();  // that somebody waits for a time is what ends the sleep
  tinyhil::port::idle();
}

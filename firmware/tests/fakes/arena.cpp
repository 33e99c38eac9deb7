// An engine that needs a certain size of arena, and behaves as badly below it as it is told: for the whole firmware, as a
// process of the host.
//
// It gives the inverse of its input int8[1,4]. Environment variables hold the sizes, in bytes, below which it
//     REFUSES  is not prepared (status 9)      ABORTS  ends its process         HANGS     never answers
//     RESTARTS pushes its reset button         FAILS   fails to infer           LIES      gives a wrong last output
//     OVERRUNS writes behind its arena
// and CAPACITY is the whole arena (default 4096), of which it always says to need 932.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine.h"
#include "fake.h"

namespace {

int8_t in[4];
int8_t out[4];
uint32_t arena = 0;
uint32_t overrun = 0;

const uint32_t kDims[] = {1, 4};
const tinyhil::TensorInfo kInput = {"in", tinyhil::DType::kInt8, 2, kDims, 1.0f, 0, sizeof(in)};
const tinyhil::TensorInfo kOutput = {"out", tinyhil::DType::kInt8, 2, kDims, 1.0f, 0, sizeof(out)};

uint32_t setting(const char* name, uint32_t otherwise) {
  const char* const text = getenv(name);
  return text == nullptr ? otherwise : static_cast<uint32_t>(strtoul(text, nullptr, 0));
}

bool below(const char* name) { return arena < setting(name, 0); }

}  // namespace

namespace tinyhil {

const ModelInfo kModelInfo = {fake::kModelHash, fake::kProjectHash, "arena", false, 1, 1, &kInput, &kOutput};

namespace engine {

uint32_t init() { return prepare(arena_capacity()); }

uint32_t prepare(uint32_t bytes) {
  arena = bytes;
  overrun = 0;
  if (below("ABORTS")) abort();
  if (below("RESTARTS")) raise(SIGUSR1);
  while (below("HANGS")) pause();
  return below("REFUSES") ? 9 : 0;
}

void* input(uint8_t) { return in; }

const void* output(uint8_t) { return out; }

uint32_t invoke() {
  if (below("FAILS")) return fake::kInvokeStatus;
  if (below("OVERRUNS")) overrun = 3;
  for (int i = 0; i < 4; ++i) out[i] = static_cast<int8_t>(~in[i]);
  if (below("LIES")) ++out[3];
  return 0;
}

void reset() {}

uint32_t arena_bytes() { return arena; }

uint32_t arena_capacity() { return setting("CAPACITY", 4096); }

uint32_t arena_used() { return 932; }

uint32_t arena_overrun() { return overrun; }

uint32_t profile(uint32_t (*)()) { return invoke(); }

uint16_t operators() { return 0; }

const char* operator_name(uint16_t) { return ""; }

uint32_t operator_ticks(uint16_t) { return 0; }

}  // namespace engine
}  // namespace tinyhil

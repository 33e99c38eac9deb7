// A model whose tensors are as large as the protocol can say, for sums that run over 32 bits.
//
// Its inputs are "ocean" uint8[2^32 - 1] and "drop" int8[8], its outputs the same memory: what was written can be read.
// Both together are 7 bytes, modulo 2^32. Only pages that are touched take memory.
#include <sys/mman.h>

#include "engine.h"
#include "fake.h"

namespace {

uint8_t* ocean = nullptr;
int8_t drop[8];

const uint32_t kOceanDims[] = {0xFFFFFFFFu};
const uint32_t kDropDims[] = {sizeof(drop)};

const tinyhil::TensorInfo kTensors[] = {
    {"ocean", tinyhil::DType::kUint8, 1, kOceanDims, 0.0f, 0, 0xFFFFFFFFu},
    {"drop", tinyhil::DType::kInt8, 1, kDropDims, 0.0f, 0, sizeof(drop)},
};

}  // namespace

namespace tinyhil {

const ModelInfo kModelInfo = {fake::kModelHash, fake::kProjectHash, "fake", false, 2, 2, kTensors, kTensors};

namespace engine {

uint32_t init() {
  void* const at = mmap(nullptr, 0xFFFFFFFFu, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return 1;
  ocean = static_cast<uint8_t*>(at);
  return fake::init_status;
}

void* input(uint8_t index) { return index == 0 ? static_cast<void*>(ocean) : drop; }

const void* output(uint8_t index) { return input(index); }

uint32_t invoke() { return 0; }

void reset() {}

uint32_t prepare(uint32_t) { return 0; }

uint32_t arena_bytes() { return 0; }

uint32_t arena_capacity() { return 0; }

uint32_t arena_used() { return 0; }

uint32_t arena_overrun() { return 0; }

uint32_t profile(uint32_t (*)()) { return invoke(); }

uint16_t operators() { return 0; }

const char* operator_name(uint16_t) { return ""; }

uint32_t operator_ticks(uint16_t) { return 0; }

}  // namespace engine
}  // namespace tinyhil

// The real server over a fake engine, with stdin and stdout as the wire, for the tests of the host.
//
//     server_driver PAYLOAD [INIT_STATUS [TICK_RATE]]
//
// PAYLOAD is the largest payload, INIT_STATUS what the engine's init() returns, TICK_RATE 0 takes the clock away.
//
// The engine's model takes "x" int8[1,3] and "grösse" int16[2] and gives, element by element,
//     "double" int8[1,3] = 2 x + 1,   and a tensor int32[1,1,1,1,1,2] with a name of 63 bytes = 1000 grösse + calls,
// where calls is the number of inferences so far. invoke() fails with status 77 if x[0] is 127.
// The clock advances by 100 ticks in each inference and starts shortly before it runs over.
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <vector>

#include "engine.h"
#include "server.h"

namespace {

uint32_t init_status = 0;
uint32_t clock_ticks = 0xFFFFFF80u;
uint32_t calls = 0;

struct Inputs {
  int8_t x[3];
  int16_t size[2];
} inputs;

struct Outputs {
  int8_t twice[3];
  int32_t sum[2];
} outputs;

const uint8_t kModelHash[32] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA,
                                0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 1,    2,    3,    4,    5,    6,
                                7,    8,    9,    10,   11,   12,   13,   14,   15,   16};
const uint8_t kProjectHash[32] = {0xFE, 0xDC};

const uint32_t kXDims[] = {1, 3};
const uint32_t kSizeDims[] = {2};
const uint32_t kSumDims[] = {1, 1, 1, 1, 1, 2};

const tinyhil::TensorInfo kInputs[] = {
    {"x", tinyhil::DType::kInt8, 2, kXDims, 0.5f, -128, sizeof(inputs.x)},
    {"gr\xC3\xB6sse", tinyhil::DType::kInt16, 1, kSizeDims, 0.25f, 0, sizeof(inputs.size)},
};
const tinyhil::TensorInfo kOutputs[] = {
    {"double", tinyhil::DType::kInt8, 2, kXDims, 0.125f, 127, sizeof(outputs.twice)},
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk", tinyhil::DType::kInt32, 6, kSumDims, 0.0f, 0,
     sizeof(outputs.sum)},
};

uint32_t boot_id() { return 0xB007B007u; }
uint32_t ticks() { return clock_ticks; }

void put(void*, const uint8_t* bytes, size_t length) {
  while (length != 0) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes, length);
    if (written < 0) exit(1);
    bytes += written;
    length -= static_cast<size_t>(written);
  }
}

}  // namespace

namespace tinyhil {

const ModelInfo kModelInfo = {kModelHash, kProjectHash, "fake", true, 2, 2, kInputs, kOutputs};

namespace engine {

uint32_t init() { return init_status; }

void* input(uint8_t index) { return index == 0 ? static_cast<void*>(inputs.x) : inputs.size; }

const void* output(uint8_t index) { return index == 0 ? static_cast<const void*>(outputs.twice) : outputs.sum; }

uint32_t invoke() {
  if (inputs.x[0] == 127) return 77;
  clock_ticks += 100;
  for (int i = 0; i < 3; ++i) outputs.twice[i] = static_cast<int8_t>(2 * inputs.x[i] + 1);
  for (int i = 0; i < 2; ++i) outputs.sum[i] = 1000 * inputs.size[i] + static_cast<int32_t>(calls);
  ++calls;
  return 0;
}

uint32_t arena_bytes() { return 1234; }

}  // namespace engine
}  // namespace tinyhil

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const size_t payload = strtoul(argv[1], nullptr, 0);
  if (argc > 2) init_status = static_cast<uint32_t>(strtoul(argv[2], nullptr, 0));
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
  tinyhil::Server server(config);
  server.begin();

  uint8_t bytes[256];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof(bytes));
    if (got <= 0) return got < 0 ? 1 : 0;
    server.receive(bytes, static_cast<size_t>(got));
  }
}

// What a sketch may do, over an application, an engine and a port that note what they are asked for.
//
// For each of: model not accepted or accepted, host there or not, engine failing or not, prints one line:
//     works held fails: poll input0 input1 invoke output0 output1 resets invokes written
#include <stdio.h>

#include "app.h"
#include "port.h"
#include "tinyhil.h"

namespace {

bool accepted, taken, failing;
int32_t raw[2][3];
float number;
const tinyhil::TensorInfo* raw_info;
void* raw_memory;
void (*run_for_host)();
int reached;
void preprocess() {
  if (tinyhil_input(0) != nullptr) ++reached;
}

// What was registered: of an array its shape, of a number that of a batch of one. Then what it reaches.
bool registers() {
  tinyhil_preprocess(preprocess, number);
  if (raw_info->rank != 1 || raw_info->dims[0] != 1 || raw_info->dtype != tinyhil::DType::kFloat32) return false;
  if (raw_memory != &number || raw_info->bytes != sizeof(number)) return false;
  tinyhil_preprocess(preprocess, raw);
  const uint32_t shape[] = {1, 2, 3};
  if (raw_info->rank != 3 || raw_info->dtype != tinyhil::DType::kInt32 || raw_info->bytes != sizeof(raw)) return false;
  for (int i = 0; i < 3; ++i) {
    if (raw_info->dims[i] != shape[i]) return false;
  }
  accepted = taken = true;
  preprocess();    // the sketch's own call, while a host has the model
  run_for_host();  // the host's
  preprocess();
  return reached == 1 && raw_memory == raw && !tinyhil_invoke();
}

int bytes, resets, invokes;
size_t written;
int8_t tensor[1];
const uint32_t kDims[] = {1};
const uint8_t kSha256[32] = {};
const tinyhil::TensorInfo kTensor = {"x", tinyhil::DType::kInt8, 1, kDims, 1.0f, 0, 1};

}  // namespace

namespace tinyhil {

const ModelInfo kModelInfo = {kSha256, kSha256, "fake", false, 1, 1, &kTensor, &kTensor};

namespace app {
void setup() {}
bool poll() { return bytes-- > 0; }
bool works() { return accepted; }
bool held() { return taken; }
void preprocess(const TensorInfo& info, void* memory, void (*run)()) {
  raw_info = &info;
  raw_memory = memory;
  run_for_host = run;
}
}  // namespace app

namespace engine {
void* input(uint8_t) { return tensor; }
const void* output(uint8_t) { return tensor; }
uint32_t invoke() {
  ++invokes;
  return failing ? 7 : 0;
}
void reset() { ++resets; }
}  // namespace engine

namespace port {
void write(const uint8_t*, size_t length) { written += length; }
uint32_t milliseconds() { return 42; }
void idle() {}
}  // namespace port

}  // namespace tinyhil

int main() {
  tinyhil_setup();
  if (!registers()) return 2;
  tinyhil_rest();
  for (int state = 0; state < 8; ++state) {
    accepted = (state & 4) != 0;
    taken = (state & 2) != 0;
    failing = (state & 1) != 0;
    bytes = 3;
    resets = invokes = 0;
    written = 0;
    const bool polled = tinyhil_poll();
    if (bytes >= 0) return 1;  // some are left
    const bool in0 = tinyhil_input(0) != nullptr, in1 = tinyhil_input(1) != nullptr;
    const bool invoked = tinyhil_invoke();
    const bool out0 = tinyhil_output(0) != nullptr, out1 = tinyhil_output(1) != nullptr;
    tinyhil_reset();
    tinyhil_print("four");
    printf("%d %d %d: %d %d %d %d %d %d %d %d %d\n", accepted, taken, failing, polled, in0, in1, invoked, out0, out1,
           resets, invokes, static_cast<int>(written));
  }
  return tinyhil_milliseconds() == 42 ? 0 : 1;
}

// Engine for a model that TensorFlow Lite Micro interprets: the .tflite file as it is, in one static arena.
//
// The library is not part of tinyhil: the project names it (lib_deps). What was rendered for the model, the file itself,
// the operators it uses and the size of the arena, is in model_tflm.h. Everything that the library reports is looked at,
// and each thing that can go wrong has a status of its own.
//
// TFLM carves its tensors and its bookkeeping out of the first arena_bytes() bytes of the arena. The bytes behind them,
// at least kGuard of them, are painted when the model is prepared, and counted where the paint has gone.
//
// The library's headers come first: Arduino.h, which a framework may put in front of what follows, defines abs() as a
// macro. Their warnings are not ours to repair.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_profiler_interface.h"
#include "tensorflow/lite/schema/schema_generated.h"
#pragma GCC diagnostic pop

#include <new>

#include "engine.h"
#include "model_tflm.h"

namespace tinyhil {
namespace engine {
namespace {

// What init(), prepare(), invoke() and profile() return.
enum Status : uint32_t {
  kReady = 0,
  kWrongSchema = 1,     // the model file is of another version of the schema than the library's
  kOperatorsFull = 2,   // the library did not take an operator's registration
  kNotAllocated = 3,    // AllocateTensors() failed: the arena is too small, or an operator refuses its parameters
  kOtherTensors = 4,    // inputs or outputs are not those of kModelInfo
  kInvokeFailed = 5,    // Invoke() failed
  kNotReset = 6,        // the state of a stateful model could not be taken back
  kNoInterpreter = 7,   // nothing is prepared
  kArenaTooLarge = 8,   // more bytes were asked for than there are
};

const uint32_t kGuard = 64;

// The library puts its allocator and its planner into the arena before anything else, about 200 bytes on a 32-bit chip,
// and does not look whether they fit: with less than that it writes to address 0. No model does with less than this.
const uint32_t kSmallest = 512;

// What the model has used when it was prepared last. Less than that can never do, and some kernels do not look whether
// they were given memory either, so it is not tried. The difference is what aligning the arena's end may save.
uint32_t used = 0;
const uint32_t kAlignment = 16;

alignas(16) uint8_t arena[tflm::kArenaBytes + kGuard];
static_assert(sizeof(arena) <= tflm::kStaticRamBytes, "the target has less room for static data than the arena takes");
uint32_t prepared_bytes = tflm::kArenaBytes;

// The library's objects are constructed in place: so the interpreter can be made again without a heap, and nothing asks
// for destructors to be called when a program ends that never does.
template <typename T>
struct Place {
  alignas(T) uint8_t bytes[sizeof(T)];
};

Place<tflite::MicroInterpreter> interpreter_place;
tflite::MicroInterpreter* interpreter = nullptr;

uint32_t reset_status = kReady;

// Times each operator while it is armed. TFLM calls it around every operator of every inference.
class Profiler : public tflite::MicroProfilerInterface {
 public:
  Profiler() : ticks_(nullptr), count_(0) {}

  void begin(uint32_t (*clock)()) {
    count_ = 0;
    ticks_ = clock;
  }
  void end() { ticks_ = nullptr; }

  uint32_t BeginEvent(const char* tag) override {
    if (ticks_ == nullptr || count_ == tflm::kOperators) return tflm::kOperators;
    Entry& entry = entries_[count_];
    entry.name = tag;
    entry.ticks = ticks_();
    return count_++;
  }

  void EndEvent(uint32_t handle) override {
    if (ticks_ == nullptr || handle >= count_) return;
    const uint32_t now = ticks_();
    entries_[handle].ticks = now - entries_[handle].ticks;
  }

  uint16_t count() const { return count_; }
  const char* name(uint16_t index) const { return entries_[index].name; }
  uint32_t ticks(uint16_t index) const { return entries_[index].ticks; }

  // A destructor that is virtual asks for a way to free the object, which is never on a heap. Public, because where
  // exceptions are on, as in every core of the ESP32, placement new looks for it too.
  void operator delete(void*) {}

 private:
  struct Entry {
    const char* name;  // the library's own, constant
    uint32_t ticks;
  };

  uint32_t (*ticks_)();
  uint16_t count_;
  Entry entries_[tflm::kOperators];
};

Place<Profiler> profiler_place;
Profiler* profiler = nullptr;

Place<tflm::Resolver> resolver_place;
tflm::Resolver* resolver = nullptr;

uint8_t paint(uint32_t offset) { return static_cast<uint8_t>(0xA5u ^ (offset * 29u)); }

TfLiteType type_of(DType dtype) {
  switch (dtype) {
    case DType::kInt8: return kTfLiteInt8;
    case DType::kUint8: return kTfLiteUInt8;
    case DType::kInt16: return kTfLiteInt16;
    case DType::kInt32: return kTfLiteInt32;
    case DType::kFloat32: return kTfLiteFloat32;
  }
  return kTfLiteNoType;
}

bool is(const TfLiteTensor* tensor, const TensorInfo& info) {
  return tensor != nullptr && tensor->data.raw != nullptr && tensor->bytes == info.bytes &&
         tensor->type == type_of(info.dtype);
}

bool tensors_match() {
  if (interpreter->inputs_size() != kModelInfo.inputs || interpreter->outputs_size() != kModelInfo.outputs) return false;
  for (uint8_t i = 0; i < kModelInfo.inputs; ++i) {
    if (!is(interpreter->input(i), kModelInfo.input[i])) return false;
  }
  for (uint8_t i = 0; i < kModelInfo.outputs; ++i) {
    if (!is(interpreter->output(i), kModelInfo.output[i])) return false;
  }
  return true;
}

void discard() {
  if (interpreter != nullptr) interpreter->~MicroInterpreter();  // which tells the operators that they end
  interpreter = nullptr;
}

uint32_t start(uint32_t bytes) {
  if (bytes < kSmallest || bytes + kAlignment < used) return kNotAllocated;
  const tflite::Model* const model = tflite::GetModel(tflm::kModel);
  if (model->version() != TFLITE_SCHEMA_VERSION) return kWrongSchema;
  resolver = new (resolver_place.bytes) tflm::Resolver();
  if (tflm::add_operators(*resolver) != kTfLiteOk) return kOperatorsFull;
  profiler = new (profiler_place.bytes) Profiler();
  interpreter = new (interpreter_place.bytes) tflite::MicroInterpreter(model, *resolver, arena, bytes, nullptr, profiler);
  if (interpreter->AllocateTensors() != kTfLiteOk) return kNotAllocated;
  used = static_cast<uint32_t>(interpreter->arena_used_bytes());
  return tensors_match() ? kReady : kOtherTensors;
}

}  // namespace

uint32_t init() { return prepare(tflm::kArenaBytes); }

uint32_t prepare(uint32_t bytes) {
  if (bytes > tflm::kArenaBytes) return kArenaTooLarge;
  discard();
  reset_status = kReady;
  prepared_bytes = bytes;
  for (uint32_t i = bytes; i < sizeof(arena); ++i) arena[i] = paint(i);
  const uint32_t status = start(bytes);
  if (status != kReady) discard();
  return status;
}

void* input(uint8_t index) { return interpreter->input(index)->data.raw; }

const void* output(uint8_t index) { return interpreter->output(index)->data.raw; }

uint32_t invoke() {
  if (interpreter == nullptr) return kNoInterpreter;
  if (reset_status != kReady) return reset_status;
  return interpreter->Invoke() == kTfLiteOk ? kReady : kInvokeFailed;
}

void reset() {
  if (!kModelInfo.stateful || interpreter == nullptr) return;
  reset_status = interpreter->Reset() == kTfLiteOk ? kReady : kNotReset;
}

uint32_t arena_bytes() { return prepared_bytes; }

uint32_t arena_capacity() { return tflm::kArenaBytes; }

uint32_t arena_used() { return interpreter == nullptr ? 0 : used; }

uint32_t arena_overrun() {
  uint32_t changed = 0;
  for (uint32_t i = prepared_bytes; i < sizeof(arena); ++i) changed += arena[i] != paint(i);
  return changed;
}

uint32_t profile(uint32_t (*ticks)()) {
  if (interpreter == nullptr) return kNoInterpreter;
  profiler->begin(ticks);
  const uint32_t status = invoke();
  profiler->end();
  return status;
}

uint16_t operators() { return interpreter == nullptr ? 0 : profiler->count(); }

const char* operator_name(uint16_t index) { return profiler->name(index); }

uint32_t operator_ticks(uint16_t index) { return profiler->ticks(index); }

}  // namespace engine
}  // namespace tinyhil

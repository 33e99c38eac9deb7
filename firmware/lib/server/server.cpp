#include "server.h"

#include <string.h>

#include "crc32.h"
#include "engine.h"

namespace tinyhil {
namespace {

static_assert(static_cast<uint8_t>(DType::kInt8) == static_cast<uint8_t>(link::ElementType::kInt8) &&
                  static_cast<uint8_t>(DType::kUint8) == static_cast<uint8_t>(link::ElementType::kUint8) &&
                  static_cast<uint8_t>(DType::kInt16) == static_cast<uint8_t>(link::ElementType::kInt16) &&
                  static_cast<uint8_t>(DType::kInt32) == static_cast<uint8_t>(link::ElementType::kInt32) &&
                  static_cast<uint8_t>(DType::kFloat32) == static_cast<uint8_t>(link::ElementType::kFloat32),
              "the engine's element types are cast to those of the link");

// Bytes of one vector over all tensors. Saturates where a count of 65535 still multiplies without overflow.
uint32_t vector_bytes(const TensorInfo* tensors, uint8_t count) {
  const uint32_t most = 0xFFFF;
  uint32_t sum = 0;
  for (uint8_t i = 0; i < count; ++i) sum = tensors[i].bytes > most - sum ? most : sum + tensors[i].bytes;
  return sum;
}

// Copies and returns where the next tensor begins. A loop of its own, because most tensors that stay within a serial
// line are so short that the call of memcpy() would cost more than its work, in the time that is measured.
inline const uint8_t* take(void* to, const uint8_t* from, uint32_t bytes) {
  uint8_t* at = static_cast<uint8_t*>(to);
  const uint8_t* const end = from + bytes;
  do *at++ = *from++;
  while (from != end);
  return from;
}

inline uint8_t* give(uint8_t* to, const void* from, uint32_t bytes) {
  take(to, static_cast<const uint8_t*>(from), bytes);
  return to + bytes;
}

// The clock of a device without one, for engines, which need some.
uint32_t no_ticks() { return 0; }

// What WRITE and READ reach, by number.
#ifdef TINYHIL_PREPROCESSING

// Behind the inputs the raw sample.
uint32_t written_tensors() { return kModelInfo.inputs + (preprocessing.run != nullptr ? 1u : 0u); }

uint32_t written_bytes(uint8_t index) {
  return (index < kModelInfo.inputs ? kModelInfo.input[index] : *preprocessing.raw).bytes;
}

void* written(uint8_t index) { return index < kModelInfo.inputs ? engine::input(index) : preprocessing.memory; }

// Behind the outputs the inputs.
uint32_t read_tensors() {
  return kModelInfo.outputs + (preprocessing.run != nullptr ? static_cast<uint32_t>(kModelInfo.inputs) : 0u);
}

uint8_t behind_outputs(uint8_t index) { return static_cast<uint8_t>(index - kModelInfo.outputs); }

uint32_t read_bytes(uint8_t index) {
  return index < kModelInfo.outputs ? kModelInfo.output[index].bytes : kModelInfo.input[behind_outputs(index)].bytes;
}

const void* to_read(uint8_t index) {
  return index < kModelInfo.outputs ? engine::output(index) : engine::input(behind_outputs(index));
}

#else

inline uint32_t written_tensors() { return kModelInfo.inputs; }
inline uint32_t written_bytes(uint8_t index) { return kModelInfo.input[index].bytes; }
inline void* written(uint8_t index) { return engine::input(index); }
inline uint32_t read_tensors() { return kModelInfo.outputs; }
inline uint32_t read_bytes(uint8_t index) { return kModelInfo.output[index].bytes; }
inline const void* to_read(uint8_t index) { return engine::output(index); }

#endif

// Of all inputs, one after the other.
uint32_t inputs_crc() {
  uint32_t crc = 0;
  for (uint32_t i = 0; i < kModelInfo.inputs; ++i) {
    const void* const tensor = engine::input(static_cast<uint8_t>(i));
    crc = link::crc32(static_cast<const uint8_t*>(tensor), kModelInfo.input[i].bytes, crc);
  }
  return crc;
}

}  // namespace

Server::Server(const ServerConfig& config)
    : answer_(link::kError),
      request_(link::kHello),
      length_(0),
      ready_(false),
      resized_(false),
      proven_(false),
      profiled_(0),
      sequence_(0),
      init_status_(0),
      input_bytes_(0),
      output_bytes_(0),
      payload_(config.send_buffer + link::kFrameHeader),
      rate_(0),
      next_rate_(0),
      heard_(0),
      config_(config),
      decoder_(config.receive_buffer, config.max_payload + link::kFrameOverhead) {}

void Server::begin() {
  ready_ = false;
  resized_ = false;
  profiled_ = 0;
  request_ = link::kHello;
  init_status_ = engine::init();
  input_bytes_ = vector_bytes(kModelInfo.input, kModelInfo.inputs);
  output_bytes_ = vector_bytes(kModelInfo.output, kModelInfo.outputs);
}

void Server::receive(const uint8_t* bytes, size_t length) {
  for (size_t i = 0; i < length; ++i) on_byte(bytes[i]);
}

void Server::on_byte(uint8_t byte) {
  if (decoder_.put(byte) != link::Event::kFrame) return;
  const link::Frame& request = decoder_.frame();
  if (!link::is_request(request.type)) return;
  // A request that comes again may have been carried out already: its answer is still in the send buffer.
  const bool kept = request.type != link::kHello && request.type == request_ && request.sequence == sequence_;
  if (!kept) {
    length_ = static_cast<uint16_t>(answer(request));
    request_ = request.type;
    sequence_ = request.sequence;
  }
  link::write_frame(answer_, sequence_, config_.send_buffer, length_, config_.write, config_.write_context);
  if (rate_ != 0 || next_rate_ != 0) keep_rate();
}

// A host that is gone, or that the line does not carry at this rate, comes back at the first one.
void Server::on_silence() {
  if (rate_ == 0 || config_.milliseconds() - heard_ < (proven_ ? link::kRateQuietMs : link::kRateTrialMs)) return;
  rate_ = next_rate_ = 0;
  config_.set_rate(0);
  if (request_ == link::kBaud) request_ = link::kHello;  // what has come to nothing is carried out when it comes again
}

// After each answer: goes over to the rate that it has told, or notes that the rate serves.
void Server::keep_rate() {
  proven_ = rate_ == next_rate_;
  if (!proven_) {
    if (config_.set_rate(next_rate_)) {
      rate_ = next_rate_;
    } else {
      next_rate_ = rate_;
    }
  }
  heard_ = config_.milliseconds();
}

template <size_t (Server::*method)()>
size_t Server::call(Server& server) {
  return (server.*method)();
}

// What tells about an engine that did not accept the model, and what may mend it, needs no model.
const Server::Row Server::kExchanges[] = {
    {link::kHello, link::kHelloLength, link::kWelcome, kNothing, call<&Server::hello>},
    {link::kDescribe, link::kDescribeLength, link::kTensor, kModel, call<&Server::describe>},
    {link::kInfer, link::kInferLength, link::kResult, kModel, call<&Server::infer>},
    {link::kReset, link::kResetLength, link::kCleared, kModel, call<&Server::reset>},
    {link::kWrite, link::kWriteLength, link::kWritten, kModel, call<&Server::write>},
    {link::kRun, link::kRunLength, link::kRan, kModel, call<&Server::run>},
    {link::kRead, link::kReadLength, link::kData, kModel, call<&Server::read>},
    {link::kUsage, link::kUsageLength, link::kUsed, kSession, call<&Server::usage>},
    {link::kArena, link::kArenaLength, link::kPrepared, kSession, call<&Server::arena>},
    {link::kProfile, link::kProfileLength, link::kProfiled, kModel, call<&Server::profile>},
    {link::kBaud, link::kBaudLength, link::kSwitched, kSession, call<&Server::baud>},
    {link::kGoodbye, link::kGoodbyeLength, link::kParted, kNothing, call<&Server::goodbye>},
#ifdef TINYHIL_PREPROCESSING
    {link::kPreprocess, link::kPreprocessLength, link::kPreprocessed, kModel, call<&Server::preprocess>},
#endif
};

// The order of the checks is part of the protocol: type, not ready, init failed, length, and in each handler argument.
size_t Server::answer(const link::Frame& request) {
  for (const Row& row : kExchanges) {
    if (row.request != request.type) continue;
#ifdef TINYHIL_PREPROCESSING
    if (request.type == link::kPreprocess && preprocessing.run == nullptr) break;
#endif
    if (row.needs != kNothing && !ready_) return error(link::ErrorCode::kNotReady, config_.boot_id());
    if (row.needs == kModel && init_status_ != 0) return error(link::ErrorCode::kInitFailed, init_status_);
    if (!link::fits(row.length, request.length)) return error(link::ErrorCode::kBadLength, request.length);
    answer_ = row.answer;
    return row.handler(*this);
  }
  return error(link::ErrorCode::kUnknownType, request.type);
}

size_t Server::hello() {
  const link::Hello hello = link::parse_hello(decoder_.frame());
  if (hello.lowest > link::kVersion || hello.highest < link::kVersion) {
    return error(link::ErrorCode::kUnsupportedVersion, link::kVersion);
  }
  ready_ = true;
  profiled_ = 0;
  // A session begins as after a start, whatever arena the one before has tried last.
  if (resized_) init_status_ = engine::init();
  resized_ = false;
  link::Welcome welcome;
  welcome.stateful = kModelInfo.stateful;
  welcome.inputs = kModelInfo.inputs;
  welcome.outputs = kModelInfo.outputs;
  welcome.max_payload = config_.max_payload;
  welcome.window = config_.window;
  welcome.boot_id = config_.boot_id();
  welcome.tick_rate = config_.tick_rate;
  welcome.arena_bytes = engine::arena_bytes();
  welcome.model_sha256 = kModelInfo.model_sha256;
  welcome.project_sha256 = kModelInfo.project_sha256;
  welcome.engine = kModelInfo.engine;
  return link::write_welcome(payload_, welcome);
}

size_t Server::describe() {
  const link::Describe describe = link::parse_describe(decoder_.frame());
  if (describe.direction > 1) return error(link::ErrorCode::kBadArgument, describe.direction);
  if (describe.index >= (describe.direction == 0 ? kModelInfo.inputs : kModelInfo.outputs)) {
    return error(link::ErrorCode::kBadArgument, describe.index);
  }
  const TensorInfo& info = (describe.direction == 0 ? kModelInfo.input : kModelInfo.output)[describe.index];
  link::Tensor tensor;
  tensor.direction = describe.direction;
  tensor.index = describe.index;
  tensor.type = static_cast<link::ElementType>(info.dtype);
  tensor.rank = info.rank;
  tensor.dimensions = info.dims;
  tensor.scale = info.scale;
  tensor.zero_point = info.zero_point;
  tensor.name = info.name;
  return link::write_tensor(payload_, tensor);
}

size_t Server::infer() {
  const link::Infer infer = link::parse_infer(decoder_.frame());
  if (infer.length != infer.count * input_bytes_) return error(link::ErrorCode::kBadLength, decoder_.frame().length);
  const uint32_t length = link::kResultHeader + infer.count * output_bytes_;
  if (infer.count == 0 || length > config_.max_payload) return error(link::ErrorCode::kBadArgument, infer.count);

  const uint32_t start = ticks();
  const uint32_t status = compute(infer, payload_ + link::kResultHeader);
  const uint32_t spent = ticks() - start;
  if (status != 0) return error(link::ErrorCode::kInvokeFailed, status);
  link::write_result(payload_, infer.count, spent);
  return length;
}

// The timed part of INFER: all vectors at once, copies included, because one tick of a slow clock is longer than a copy.
uint32_t Server::compute(const link::Infer& infer, uint8_t* outputs) {
  const uint8_t* inputs = infer.vectors;
  for (uint32_t left = infer.count; left != 0; --left) {
    for (uint32_t i = 0; i < kModelInfo.inputs; ++i) {
      inputs = take(engine::input(static_cast<uint8_t>(i)), inputs, kModelInfo.input[i].bytes);
    }
    const uint32_t status = engine::invoke();
    if (status != 0) return status;
    for (uint32_t i = 0; i < kModelInfo.outputs; ++i) {
      outputs = give(outputs, engine::output(static_cast<uint8_t>(i)), kModelInfo.output[i].bytes);
    }
  }
  return 0;
}

size_t Server::reset() {
  engine::reset();
  return 0;
}

size_t Server::write() {
  const link::Write write = link::parse_write(decoder_.frame());
  if (write.index >= written_tensors()) return error(link::ErrorCode::kBadArgument, write.index);
  const uint32_t bytes = written_bytes(write.index);
  if (write.offset >= bytes) return error(link::ErrorCode::kBadArgument, write.offset);
  if (write.length > bytes - write.offset) return error(link::ErrorCode::kBadArgument, write.length);
  memcpy(static_cast<uint8_t*>(written(write.index)) + write.offset, write.data, write.length);
  return 0;
}

size_t Server::run() {
  const link::Run run = link::parse_run(decoder_.frame());
  const uint32_t crc = inputs_crc();
  if (crc != run.crc) return error(link::ErrorCode::kInputsDiffer, crc);
  const uint32_t start = ticks();
  const uint32_t status = engine::invoke();
  const uint32_t spent = ticks() - start;
  if (status != 0) return error(link::ErrorCode::kInvokeFailed, status);
  return link::write_ran(payload_, spent);
}

size_t Server::read() {
  const link::Read read = link::parse_read(decoder_.frame());
  if (read.index >= read_tensors()) return error(link::ErrorCode::kBadArgument, read.index);
  const uint32_t bytes = read_bytes(read.index);
  if (read.offset >= bytes) return error(link::ErrorCode::kBadArgument, read.offset);
  if (read.length == 0 || read.length > bytes - read.offset || read.length > config_.max_payload) {
    return error(link::ErrorCode::kBadArgument, read.length);
  }
  memcpy(payload_, static_cast<const uint8_t*>(to_read(read.index)) + read.offset, read.length);
  return read.length;
}

size_t Server::usage() {
  link::Used used;
  used.arena_capacity = engine::arena_capacity();
  used.arena_bytes = engine::arena_bytes();
  used.arena_used = engine::arena_used();
  used.arena_overrun = engine::arena_overrun();
  used.stack_bytes = config_.stack_bytes;
  used.stack_used = config_.stack_used();
  return link::write_used(payload_, used);
}

size_t Server::arena() {
  const link::Arena arena = link::parse_arena(decoder_.frame());
  if (arena.size == 0 || arena.size > engine::arena_capacity()) return error(link::ErrorCode::kBadArgument, arena.size);
  resized_ = true;
  profiled_ = 0;
  init_status_ = engine::prepare(arena.size);
  return link::write_prepared(payload_, init_status_, engine::arena_used());
}

size_t Server::profile() {
  const link::Profile profile = link::parse_profile(decoder_.frame());
  if (profile.first != 0 && profile.first >= profiled_) return error(link::ErrorCode::kBadArgument, profile.first);
  if (profile.first == 0) {
    profiled_ = 0;
    const uint32_t status = engine::profile(config_.tick_rate != 0 ? config_.ticks : no_ticks);
    if (status != 0) return error(link::ErrorCode::kInvokeFailed, status);
    profiled_ = engine::operators();
  }
  size_t length = link::write_profiled(payload_, profiled_, profile.first);
  for (uint16_t at = profile.first; at != profiled_; ++at) {
    const size_t space = config_.max_payload - length;
    const char* const name = engine::operator_name(at);
    const size_t entry = link::write_operator(payload_ + length, space, engine::operator_ticks(at), name);
    if (entry == 0) break;
    length += entry;
  }
  return length;
}

size_t Server::baud() {
  const link::Baud baud = link::parse_baud(decoder_.frame());
  next_rate_ = baud.rate <= config_.max_rate ? baud.rate : 0;
  return link::write_switched(payload_, next_rate_);
}

// The line goes back to its first rate when the answer has left. What else the device does then is the caller's affair.
size_t Server::goodbye() {
  ready_ = false;
  next_rate_ = 0;
  return 0;
}

#ifdef TINYHIL_PREPROCESSING

Preprocessing preprocessing = {nullptr, nullptr, nullptr};

// The answer tells of the raw sample in any case; what it does not have right was not preprocessed.
size_t Server::preprocess() {
  const link::Preprocess preprocess = link::parse_preprocess(decoder_.frame());
  const TensorInfo& raw = *preprocessing.raw;
  link::Preprocessed preprocessed;
  preprocessed.crc = link::crc32(static_cast<const uint8_t*>(preprocessing.memory), raw.bytes);
  preprocessed.ticks = 0;
  if (preprocessed.crc == preprocess.crc) {
    const uint32_t start = ticks();
    preprocessing.run();
    preprocessed.ticks = ticks() - start;
  }
  preprocessed.type = static_cast<link::ElementType>(raw.dtype);
  preprocessed.rank = raw.rank;
  preprocessed.dimensions = raw.dims;
  return link::write_preprocessed(payload_, preprocessed);
}

#endif

size_t Server::error(link::ErrorCode code, uint32_t detail) {
  answer_ = link::kError;
  return link::write_error(payload_, code, detail);
}

}  // namespace tinyhil

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
    : config_(config),
      decoder_(config.receive_buffer, config.max_payload + link::kFrameOverhead),
      payload_(config.send_buffer + link::kFrameHeader),
      answer_(link::kError),
      asked_(link::kHello),
      length_(0),
      sequence_(0),
      ready_(false),
      resized_(false),
      profiled_(0),
      init_status_(0),
      input_bytes_(0),
      output_bytes_(0) {}

void Server::begin() {
  ready_ = false;
  resized_ = false;
  profiled_ = 0;
  asked_ = link::kHello;
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
  const bool kept = request.type != link::kHello && request.type == asked_ && request.sequence == sequence_;
  if (!kept) {
    length_ = static_cast<uint16_t>(answer(request));
    asked_ = request.type;
    sequence_ = request.sequence;
  }
  link::write_frame(answer_, sequence_, config_.send_buffer, length_, config_.write, config_.write_context);
}

// The order of the checks is part of the protocol: type, not ready, init failed, and in each handler length, argument.
// What tells about an engine that did not accept the model, and what may mend it, is answered even then.
size_t Server::answer(const link::Frame& request) {
  if (request.type == link::kHello) return hello(request);
  if (request.type > link::kLastRequest) return error(link::ErrorCode::kUnknownType, request.type);
  if (!ready_) return error(link::ErrorCode::kNotReady, config_.boot_id());
  if (request.type == link::kUsage) return usage(request);
  if (request.type == link::kArena) return arena(request);
  if (init_status_ != 0) return error(link::ErrorCode::kInitFailed, init_status_);
  switch (request.type) {
    case link::kDescribe: return describe(request);
    case link::kInfer: return infer(request);
    case link::kReset: return reset(request);
    case link::kWrite: return write(request);
    case link::kRun: return run(request);
    case link::kRead: return read(request);
    default: return profile(request);
  }
}

size_t Server::hello(const link::Frame& request) {
  link::Hello hello;
  if (!link::parse_hello(request, &hello)) return error(link::ErrorCode::kBadLength, request.length);
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
  answer_ = link::kWelcome;
  return link::write_welcome(payload_, welcome);
}

size_t Server::describe(const link::Frame& request) {
  link::Describe asked;
  if (!link::parse_describe(request, &asked)) return error(link::ErrorCode::kBadLength, request.length);
  if (asked.direction > 1) return error(link::ErrorCode::kBadArgument, asked.direction);
  if (asked.index >= (asked.direction == 0 ? kModelInfo.inputs : kModelInfo.outputs)) {
    return error(link::ErrorCode::kBadArgument, asked.index);
  }
  const TensorInfo& info = (asked.direction == 0 ? kModelInfo.input : kModelInfo.output)[asked.index];
  link::Tensor tensor;
  tensor.direction = asked.direction;
  tensor.index = asked.index;
  tensor.type = static_cast<link::ElementType>(info.dtype);
  tensor.rank = info.rank;
  tensor.dimensions = info.dims;
  tensor.scale = info.scale;
  tensor.zero_point = info.zero_point;
  tensor.name = info.name;
  answer_ = link::kTensor;
  return link::write_tensor(payload_, tensor);
}

size_t Server::infer(const link::Frame& request) {
  link::Infer infer;
  if (!link::parse_infer(request, &infer) || infer.length != infer.count * input_bytes_) {
    return error(link::ErrorCode::kBadLength, request.length);
  }
  const uint32_t length = link::kResultHeader + infer.count * output_bytes_;
  if (infer.count == 0 || length > config_.max_payload) return error(link::ErrorCode::kBadArgument, infer.count);

  const uint32_t start = ticks();
  const uint32_t status = compute(infer, payload_ + link::kResultHeader);
  const uint32_t spent = ticks() - start;
  if (status != 0) return error(link::ErrorCode::kInvokeFailed, status);
  answer_ = link::kResult;
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

size_t Server::reset(const link::Frame& request) {
  if (!link::parse_reset(request)) return error(link::ErrorCode::kBadLength, request.length);
  engine::reset();
  answer_ = link::kCleared;
  return 0;
}

size_t Server::write(const link::Frame& request) {
  link::InputPart part;
  if (!link::parse_write(request, &part)) return error(link::ErrorCode::kBadLength, request.length);
  if (part.input >= kModelInfo.inputs) return error(link::ErrorCode::kBadArgument, part.input);
  const uint32_t bytes = kModelInfo.input[part.input].bytes;
  if (part.offset >= bytes) return error(link::ErrorCode::kBadArgument, part.offset);
  if (part.length > bytes - part.offset) return error(link::ErrorCode::kBadArgument, part.length);
  memcpy(static_cast<uint8_t*>(engine::input(part.input)) + part.offset, part.bytes, part.length);
  answer_ = link::kWritten;
  return 0;
}

size_t Server::run(const link::Frame& request) {
  uint32_t crc;
  if (!link::parse_run(request, &crc)) return error(link::ErrorCode::kBadLength, request.length);
  const uint32_t found = inputs_crc();
  if (found != crc) return error(link::ErrorCode::kInputsDiffer, found);
  const uint32_t start = ticks();
  const uint32_t status = engine::invoke();
  const uint32_t spent = ticks() - start;
  if (status != 0) return error(link::ErrorCode::kInvokeFailed, status);
  answer_ = link::kRan;
  return link::write_ran(payload_, spent);
}

size_t Server::read(const link::Frame& request) {
  link::OutputPart part;
  if (!link::parse_read(request, &part)) return error(link::ErrorCode::kBadLength, request.length);
  if (part.output >= kModelInfo.outputs) return error(link::ErrorCode::kBadArgument, part.output);
  const uint32_t bytes = kModelInfo.output[part.output].bytes;
  if (part.offset >= bytes) return error(link::ErrorCode::kBadArgument, part.offset);
  if (part.length == 0 || part.length > bytes - part.offset || part.length > config_.max_payload) {
    return error(link::ErrorCode::kBadArgument, part.length);
  }
  memcpy(payload_, static_cast<const uint8_t*>(engine::output(part.output)) + part.offset, part.length);
  answer_ = link::kData;
  return part.length;
}

size_t Server::usage(const link::Frame& request) {
  if (!link::parse_usage(request)) return error(link::ErrorCode::kBadLength, request.length);
  link::Used used;
  used.arena_capacity = engine::arena_capacity();
  used.arena_bytes = engine::arena_bytes();
  used.arena_used = engine::arena_used();
  used.arena_overrun = engine::arena_overrun();
  used.stack_bytes = config_.stack_bytes;
  used.stack_used = config_.stack_used();
  answer_ = link::kUsed;
  return link::write_used(payload_, used);
}

size_t Server::arena(const link::Frame& request) {
  uint32_t bytes;
  if (!link::parse_arena(request, &bytes)) return error(link::ErrorCode::kBadLength, request.length);
  if (bytes == 0 || bytes > engine::arena_capacity()) return error(link::ErrorCode::kBadArgument, bytes);
  resized_ = true;
  profiled_ = 0;
  init_status_ = engine::prepare(bytes);
  answer_ = link::kPrepared;
  return link::write_prepared(payload_, init_status_, engine::arena_used());
}

size_t Server::profile(const link::Frame& request) {
  uint16_t first;
  if (!link::parse_profile(request, &first)) return error(link::ErrorCode::kBadLength, request.length);
  if (first != 0 && first >= profiled_) return error(link::ErrorCode::kBadArgument, first);
  if (first == 0) {
    profiled_ = 0;
    const uint32_t status = engine::profile(config_.tick_rate != 0 ? config_.ticks : no_ticks);
    if (status != 0) return error(link::ErrorCode::kInvokeFailed, status);
    profiled_ = engine::operators();
  }
  size_t length = link::write_profiled(payload_, profiled_, first);
  for (uint16_t at = first; at != profiled_; ++at) {
    const size_t room = config_.max_payload - length;
    const char* const name = engine::operator_name(at);
    const size_t taken = link::write_operator(payload_ + length, room, engine::operator_ticks(at), name);
    if (taken == 0) break;
    length += taken;
  }
  answer_ = link::kProfiled;
  return length;
}

size_t Server::error(link::ErrorCode code, uint32_t detail) {
  answer_ = link::kError;
  return link::write_error(payload_, code, detail);
}

}  // namespace tinyhil

#include "expected.h"

#include <string.h>

#include <algorithm>

#include "engine.h"
#include "plain_codec.h"

namespace expected {
namespace {

using fake::model;
using tinyhil::kModelInfo;

enum : uint8_t { kVersionError = 1, kUnknown, kLength, kArgument, kNotReady, kInit, kInvoke, kDiffer };

void u8(Bytes* to, uint32_t value) { to->push_back(static_cast<uint8_t>(value)); }

void u16(Bytes* to, uint32_t value) {
  u8(to, value);
  u8(to, value >> 8);
}

void u32(Bytes* to, uint32_t value) {
  u16(to, value);
  u16(to, value >> 16);
}

uint32_t number(const Bytes& from, size_t at, size_t bytes) {
  uint32_t value = 0;
  for (size_t i = bytes; i-- > 0;) value = value << 8 | from[at + i];
  return value;
}

Answer error(uint8_t code, uint32_t detail, bool any_detail = false) {
  Answer answer = {0xFF, {}, any_detail};
  u8(&answer.payload, code);
  u32(&answer.payload, detail);
  return answer;
}

}  // namespace

Answer Device::answer(const Request& request) {
  inferences_ = 0;
  preprocessed_ = false;
  prepared_ = false;
  repeated_ = has_last_ && request.type != 0x01 && request.type == last_request_.type &&
              request.sequence == last_request_.sequence;
  if (repeated_) return last_answer_;
  last_answer_ = fresh(request);
  last_request_ = request;
  has_last_ = request.type != 0x01;
  return last_answer_;
}

Answer Device::fresh(const Request& request) {
  const Bytes& payload = request.payload;
  if (request.type == 0x01) return hello(payload);
  if (request.type > (preprocesses_ ? 0x0D : 0x0C)) return error(kUnknown, request.type);
  if (request.type == 0x0C) return goodbye(payload);
  if (!ready_) return error(kNotReady, kBootId);
  if (request.type == 0x08) return usage(payload);
  if (request.type == 0x09) return arena(payload);
  if (request.type == 0x0B) return baud(payload);
  if (status_ != 0) return error(kInit, status_);
  switch (request.type) {
    case 0x02: return describe(payload);
    case 0x03: return infer(payload);
    case 0x04: return payload.empty() ? Answer{0x84, {}, false} : error(kLength, payload.size());
    case 0x05: return write(payload);
    case 0x06: return run(payload);
    case 0x07: return read(payload);
    case 0x0D: return preprocess(payload);
    default: return profile(payload);
  }
}

Answer Device::hello(const Bytes& payload) {
  if (payload.size() != 2) return error(kLength, payload.size());
  if (payload[0] > 1 || payload[1] < 1) return error(kVersionError, 1);
  ready_ = true;
  profiled_ = false;
  if (resized_) {
    resized_ = false;
    prepared_ = true;
    status_ = model.init_status;
  }
  Answer answer = {0x81, {1, 1, fake::kTensors, fake::kTensors}, false};
  u16(&answer.payload, max_payload_);
  u8(&answer.payload, kWindow);
  u8(&answer.payload, 0);
  u32(&answer.payload, kBootId);
  u32(&answer.payload, tick_rate_);
  u32(&answer.payload, fake::kCapacity);
  for (size_t i = 0; i < 32; ++i) u8(&answer.payload, kModelInfo.model_sha256[i]);
  for (size_t i = 0; i < 32; ++i) u8(&answer.payload, kModelInfo.project_sha256[i]);
  for (const char* at = kModelInfo.engine; *at != '\0'; ++at) u8(&answer.payload, static_cast<uint8_t>(*at));
  return answer;
}

Answer Device::describe(const Bytes& payload) {
  if (payload.size() != 2) return error(kLength, payload.size());
  if (payload[0] > 1) return error(kArgument, payload[0]);
  if (payload[1] >= fake::kTensors) return error(kArgument, payload[1]);
  const tinyhil::TensorInfo& info = (payload[0] == 0 ? kModelInfo.input : kModelInfo.output)[payload[1]];
  Answer answer = {0x82, payload, false};
  u8(&answer.payload, static_cast<uint8_t>(info.dtype));
  u8(&answer.payload, info.rank);
  for (size_t i = 0; i < info.rank; ++i) u32(&answer.payload, info.dims[i]);
  uint32_t bits = 0;
  memcpy(&bits, &info.scale, sizeof(bits));
  u32(&answer.payload, bits);
  u32(&answer.payload, static_cast<uint32_t>(info.zero_point));
  for (const char* at = info.name; *at != '\0'; ++at) u8(&answer.payload, static_cast<uint8_t>(*at));
  return answer;
}

Answer Device::infer(const Bytes& payload) {
  if (payload.size() < 2) return error(kLength, payload.size());
  const uint32_t count = number(payload, 0, 2);
  if (payload.size() != 2 + count * fake::kInputBytes) return error(kLength, payload.size());
  if (count == 0 || 6 + count * fake::kOutputBytes > max_payload_) return error(kArgument, count);
  Answer answer = {0x83, {payload[0], payload[1]}, false};
  u32(&answer.payload, tick_rate_ != 0 ? count * fake::kTicksEach : 0);
  for (uint32_t i = 0; i < count; ++i) {
    const Bytes outputs = fake::compute(&payload[2 + i * fake::kInputBytes], model.inferences + i);
    if (outputs.empty()) return error(kInvoke, fake::kInvokeStatus);
    answer.payload.insert(answer.payload.end(), outputs.begin(), outputs.end());
    ++inferences_;
  }
  return answer;
}

Answer Device::write(const Bytes& payload) {
  if (payload.size() < 6) return error(kLength, payload.size());
  const bool raw = preprocesses_ && payload[0] == fake::kTensors;
  if (payload[0] >= fake::kTensors && !raw) return error(kArgument, payload[0]);
  const uint64_t end = static_cast<uint64_t>(number(payload, 1, 4)) + payload.size() - 5;
  if (end > (raw ? model.raw : model.input[payload[0]]).size()) return error(kArgument, 0, true);
  return {0x85, {}, false};
}

Answer Device::run(const Bytes& payload) {
  if (payload.size() != 4) return error(kLength, payload.size());
  const Bytes inputs = fake::inputs();
  const uint32_t crc = plain::crc32(inputs.data(), inputs.size());
  if (number(payload, 0, 4) != crc) return error(kDiffer, crc);
  if (fake::compute(inputs.data(), model.inferences).empty()) return error(kInvoke, fake::kInvokeStatus);
  ++inferences_;
  Answer answer = {0x86, {}, false};
  u32(&answer.payload, tick_rate_ != 0 ? fake::kTicksEach : 0);
  return answer;
}

Answer Device::read(const Bytes& payload) {
  if (payload.size() != 7) return error(kLength, payload.size());
  const bool input = preprocesses_ && payload[0] >= fake::kTensors;
  const uint8_t index = static_cast<uint8_t>(payload[0] - (input ? fake::kTensors : 0));
  if (index >= fake::kTensors) return error(kArgument, payload[0]);
  const Bytes& tensor = (input ? model.input : model.output)[index];
  const uint64_t offset = number(payload, 1, 4);
  const uint32_t length = number(payload, 5, 2);
  if (length == 0 || length > max_payload_ || offset + length > tensor.size()) return error(kArgument, 0, true);
  const Bytes::const_iterator from = tensor.begin() + static_cast<ptrdiff_t>(offset);
  return {0x87, Bytes(from, from + static_cast<ptrdiff_t>(length)), false};
}

Answer Device::usage(const Bytes& payload) {
  if (!payload.empty()) return error(kLength, payload.size());
  Answer answer = {0x88, {}, false};
  u32(&answer.payload, fake::kCapacity);
  u32(&answer.payload, model.arena);
  u32(&answer.payload, fake::used());
  u32(&answer.payload, fake::overrun());
  u32(&answer.payload, kStackBytes);
  u32(&answer.payload, kStackUsed);
  return answer;
}

Answer Device::arena(const Bytes& payload) {
  if (payload.size() != 4) return error(kLength, payload.size());
  const uint32_t bytes = number(payload, 0, 4);
  if (bytes == 0 || bytes > fake::kCapacity) return error(kArgument, bytes);
  resized_ = prepared_ = true;
  profiled_ = false;
  status_ = bytes < fake::kNeeded ? fake::kPrepareStatus : 0;
  Answer answer = {0x89, {}, false};
  u32(&answer.payload, status_);
  u32(&answer.payload, bytes < fake::kNeeded ? 0 : fake::kNeeded);
  return answer;
}

Answer Device::baud(const Bytes& payload) {
  if (payload.size() != 4) return error(kLength, payload.size());
  rate_ = number(payload, 0, 4) <= kMaxRate ? number(payload, 0, 4) : 0;
  Answer answer = {0x8B, {}, false};
  u32(&answer.payload, rate_);
  return answer;
}

Answer Device::goodbye(const Bytes& payload) {
  if (!payload.empty()) return error(kLength, payload.size());
  ready_ = false;
  rate_ = 0;
  return {0x8C, {}, false};
}

Answer Device::preprocess(const Bytes& payload) {
  if (payload.size() != 4) return error(kLength, payload.size());
  const uint32_t crc = plain::crc32(model.raw.data(), model.raw.size());
  preprocessed_ = number(payload, 0, 4) == crc;
  Answer answer = {0x8D, {}, false};
  u32(&answer.payload, crc);
  u32(&answer.payload, preprocessed_ && tick_rate_ != 0 ? fake::kPreprocessTicks : 0);
  u8(&answer.payload, 3);  // int16[1,13,5]
  u8(&answer.payload, 3);
  u32(&answer.payload, 1);
  u32(&answer.payload, 13);
  u32(&answer.payload, 5);
  return answer;
}

Answer Device::profile(const Bytes& payload) {
  if (payload.size() != 2) return error(kLength, payload.size());
  const uint32_t first = number(payload, 0, 2);
  if (first >= (profiled_ ? fake::kOperators : 1)) return error(kArgument, first);
  uint32_t profiles = model.profiles;
  if (first == 0) {
    profiled_ = !fake::compute(fake::inputs().data(), model.inferences).empty();
    if (!profiled_) return error(kInvoke, fake::kInvokeStatus);
    ++inferences_;
    ++profiles;
  }
  Answer answer = {0x8A, {}, false};
  u16(&answer.payload, fake::kOperators);
  u16(&answer.payload, first);
  for (uint32_t i = first; i < fake::kOperators; ++i) {
    const size_t length = std::min<size_t>(i, 63);  // see fake::kName
    if (answer.payload.size() + 5 + length > max_payload_) break;
    u32(&answer.payload, profiles * 0x01010101u + i);
    u8(&answer.payload, static_cast<uint32_t>(length));
    const char* const name = fake::kName + (fake::kOperators - 1 - i);
    answer.payload.insert(answer.payload.end(), name, name + length);
  }
  return answer;
}

}  // namespace expected

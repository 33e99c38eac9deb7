#include "messages.h"

#include <string.h>

#include "little_endian.h"

namespace tinyhil {
namespace link {
namespace {

// Copies a C string without its end, at most `limit` bytes, and returns how many.
size_t put_text(uint8_t* to, const char* text, size_t limit) {
  size_t length = 0;
  for (; length < limit && text[length] != '\0'; ++length) to[length] = static_cast<uint8_t>(text[length]);
  return length;
}

void put_f32(uint8_t* to, float value) {
  static_assert(sizeof(float) == sizeof(uint32_t), "float has to be IEEE 754 binary32");
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  put_u32(to, bits);
}

}  // namespace

Hello parse_hello(const Frame& frame) {
  Hello hello;
  hello.lowest = frame.payload[0];
  hello.highest = frame.payload[1];
  return hello;
}

Describe parse_describe(const Frame& frame) {
  Describe describe;
  describe.direction = frame.payload[0];
  describe.index = frame.payload[1];
  return describe;
}

Infer parse_infer(const Frame& frame) {
  const size_t header = 2;
  Infer infer;
  infer.count = get_u16(frame.payload);
  infer.vectors = frame.payload + header;
  infer.length = frame.length - header;
  return infer;
}

Write parse_write(const Frame& frame) {
  const size_t header = 5;
  Write write;
  write.index = frame.payload[0];
  write.offset = get_u32(frame.payload + 1);
  write.data = frame.payload + header;
  write.length = frame.length - header;
  return write;
}

Run parse_run(const Frame& frame) {
  Run run;
  run.crc = get_u32(frame.payload);
  return run;
}

Read parse_read(const Frame& frame) {
  Read read;
  read.index = frame.payload[0];
  read.offset = get_u32(frame.payload + 1);
  read.length = get_u16(frame.payload + 5);
  return read;
}

Arena parse_arena(const Frame& frame) {
  Arena arena;
  arena.size = get_u32(frame.payload);
  return arena;
}

Profile parse_profile(const Frame& frame) {
  Profile profile;
  profile.first = get_u16(frame.payload);
  return profile;
}

size_t write_welcome(uint8_t* payload, const Welcome& welcome) {
  payload[0] = kVersion;
  payload[1] = welcome.stateful ? 1 : 0;
  payload[2] = welcome.inputs;
  payload[3] = welcome.outputs;
  put_u16(payload + 4, welcome.max_payload);
  payload[6] = welcome.window;
  payload[7] = 0;
  put_u32(payload + 8, welcome.boot_id);
  put_u32(payload + 12, welcome.tick_rate);
  put_u32(payload + 16, welcome.arena_bytes);
  memcpy(payload + 20, welcome.model_sha256, kHashBytes);
  memcpy(payload + 20 + kHashBytes, welcome.project_sha256, kHashBytes);
  const size_t fixed = 20 + 2 * kHashBytes;
  return fixed + put_text(payload + fixed, welcome.engine, kMaxEngineName);
}

size_t write_tensor(uint8_t* payload, const Tensor& tensor) {
  payload[0] = tensor.direction;
  payload[1] = tensor.index;
  payload[2] = static_cast<uint8_t>(tensor.type);
  payload[3] = tensor.rank;
  uint8_t* to = payload + 4;
  for (uint8_t i = 0; i < tensor.rank; ++i, to += 4) put_u32(to, tensor.dimensions[i]);
  put_f32(to, tensor.scale);
  put_u32(to + 4, static_cast<uint32_t>(tensor.zero_point));
  to += 8;
  to += put_text(to, tensor.name, kMaxTensorName);
  return static_cast<size_t>(to - payload);
}

size_t write_result(uint8_t* payload, uint16_t count, uint32_t ticks) {
  put_u16(payload, count);
  put_u32(payload + 2, ticks);
  return kResultHeader;
}

size_t write_ran(uint8_t* payload, uint32_t ticks) {
  put_u32(payload, ticks);
  return 4;
}

size_t write_used(uint8_t* payload, const Used& used) {
  put_u32(payload, used.arena_capacity);
  put_u32(payload + 4, used.arena_bytes);
  put_u32(payload + 8, used.arena_used);
  put_u32(payload + 12, used.arena_overrun);
  put_u32(payload + 16, used.stack_bytes);
  put_u32(payload + 20, used.stack_used);
  return 24;
}

size_t write_prepared(uint8_t* payload, uint32_t status, uint32_t arena_used) {
  put_u32(payload, status);
  put_u32(payload + 4, arena_used);
  return 8;
}

size_t write_profiled(uint8_t* payload, uint16_t operators, uint16_t first) {
  put_u16(payload, operators);
  put_u16(payload + 2, first);
  return kProfiledHeader;
}

size_t write_operator(uint8_t* to, size_t space, uint32_t ticks, const char* name) {
  const size_t fixed = 5;
  static_assert(kProfiledHeader + fixed + kMaxOperatorName <= kMinPayload, "an operator fits into every payload");
  size_t length = 0;
  while (length < kMaxOperatorName && name[length] != '\0') ++length;
  if (fixed + length > space) return 0;
  put_u32(to, ticks);
  to[4] = static_cast<uint8_t>(length);
  return fixed + put_text(to + fixed, name, length);
}

size_t write_error(uint8_t* payload, ErrorCode code, uint32_t detail) {
  payload[0] = static_cast<uint8_t>(code);
  put_u32(payload + 1, detail);
  return 5;
}

}  // namespace link
}  // namespace tinyhil

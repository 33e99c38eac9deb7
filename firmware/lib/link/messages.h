// Messages of the link, as the device sees them (docs/protocol.md, "Messages").
//
// Purpose: the numbers of the protocol, the lengths and fields of requests, and writing of answers.
// Usage:   parse_*() take a request whose length fits(), and read no further than that. write_*() return the length of
//     the payload that they wrote.
// Limits:  write_*() need space for the longest payload of their kind; kMinPayload is enough for all but RESULT and
//     DATA, whose tensors the caller writes: behind the header of RESULT, and as the whole of DATA; and PROFILED, which
//     is filled operator by operator as far as there is space.
#ifndef TINYHIL_LINK_MESSAGES_H_
#define TINYHIL_LINK_MESSAGES_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "frames.h"
#include "little_endian.h"

namespace tinyhil {
namespace link {

constexpr uint8_t kVersion = 1;
constexpr size_t kHashBytes = 32;
constexpr size_t kMaxRank = 6;
constexpr size_t kMaxEngineName = 16;
constexpr size_t kMaxTensorName = 63;
constexpr size_t kMaxOperatorName = 63;
constexpr size_t kResultHeader = 6;
constexpr size_t kProfiledHeader = 4;
// Milliseconds without a frame after which a line is back at its first rate: before the first one at another rate, and
// afterwards.
constexpr size_t kRateTrialMs = 500;
constexpr size_t kRateQuietMs = 2000;
// The longest WELCOME, which is the longest answer but RESULT, DATA and PROFILED.
constexpr size_t kMinPayload = 20 + 2 * kHashBytes + kMaxEngineName;
constexpr size_t kMaxPayload = 4096;

constexpr uint8_t kHello = 0x01;
constexpr uint8_t kDescribe = 0x02;
constexpr uint8_t kInfer = 0x03;
constexpr uint8_t kReset = 0x04;
constexpr uint8_t kWrite = 0x05;
constexpr uint8_t kRun = 0x06;
constexpr uint8_t kRead = 0x07;
constexpr uint8_t kUsage = 0x08;
constexpr uint8_t kArena = 0x09;
constexpr uint8_t kProfile = 0x0A;
constexpr uint8_t kBaud = 0x0B;
constexpr uint8_t kGoodbye = 0x0C;
constexpr uint8_t kPreprocess = 0x0D;
constexpr uint8_t kWelcome = 0x81;
constexpr uint8_t kTensor = 0x82;
constexpr uint8_t kResult = 0x83;
constexpr uint8_t kCleared = 0x84;
constexpr uint8_t kWritten = 0x85;
constexpr uint8_t kRan = 0x86;
constexpr uint8_t kData = 0x87;
constexpr uint8_t kUsed = 0x88;
constexpr uint8_t kPrepared = 0x89;
constexpr uint8_t kProfiled = 0x8A;
constexpr uint8_t kSwitched = 0x8B;
constexpr uint8_t kParted = 0x8C;
constexpr uint8_t kPreprocessed = 0x8D;
constexpr uint8_t kError = 0xFF;

// Types that pass the frame decoder, those of messages to come included.
constexpr bool is_request(uint8_t type) { return type >= 0x01 && type <= 0x0F; }
constexpr bool is_answer(uint8_t type) { return (type >= 0x81 && type <= 0x8F) || type == kError; }

// How long the payload of each request is: so many bytes, or with kOrMore, at least so many.
constexpr uint8_t kOrMore = 0x80;
constexpr uint8_t kHelloLength = 2;
constexpr uint8_t kDescribeLength = 2;
constexpr uint8_t kInferLength = 2 | kOrMore;
constexpr uint8_t kResetLength = 0;
constexpr uint8_t kWriteLength = 6 | kOrMore;
constexpr uint8_t kRunLength = 4;
constexpr uint8_t kReadLength = 7;
constexpr uint8_t kUsageLength = 0;
constexpr uint8_t kArenaLength = 4;
constexpr uint8_t kProfileLength = 2;
constexpr uint8_t kBaudLength = 4;
constexpr uint8_t kGoodbyeLength = 0;
constexpr uint8_t kPreprocessLength = 4;
inline bool fits(uint8_t rule, size_t length) {
  return (rule & kOrMore) != 0 ? length >= (rule & ~kOrMore & 0xFFu) : length == rule;
}

enum class ErrorCode : uint8_t {
  kUnsupportedVersion = 1,
  kUnknownType = 2,
  kBadLength = 3,
  kBadArgument = 4,
  kNotReady = 5,
  kInitFailed = 6,
  kInvokeFailed = 7,
  kInputsDiffer = 8,
};

enum class ElementType : uint8_t { kInt8 = 1, kUint8 = 2, kInt16 = 3, kInt32 = 4, kFloat32 = 5 };

// Copies a C string without its end, at most `limit` bytes, and returns how many.
inline size_t put_text(uint8_t* to, const char* text, size_t limit) {
  size_t length = 0;
  for (; length < limit && text[length] != '\0'; ++length) to[length] = static_cast<uint8_t>(text[length]);
  return length;
}

struct Hello {
  uint8_t lowest;
  uint8_t highest;
};
inline Hello parse_hello(const Frame& frame) {
  Hello hello;
  hello.lowest = frame.payload[0];
  hello.highest = frame.payload[1];
  return hello;
}

struct Describe {
  uint8_t direction;  // 0 input, 1 output
  uint8_t index;
};
inline Describe parse_describe(const Frame& frame) {
  Describe describe;
  describe.direction = frame.payload[0];
  describe.index = frame.payload[1];
  return describe;
}

struct Infer {
  uint16_t count;
  const uint8_t* vectors;  // `length` bytes inside the frame, at any alignment
  size_t length;           // what it has to be, given `count`, only the caller can tell
};
inline Infer parse_infer(const Frame& frame) {
  const size_t header = 2;
  Infer infer;
  infer.count = get_u16(frame.payload);
  infer.vectors = frame.payload + header;
  infer.length = frame.length - header;
  return infer;
}

struct Write {
  uint8_t index;  // of the input tensor
  uint32_t offset;
  const uint8_t* data;  // `length` bytes inside the frame, at any alignment
  size_t length;        // at least 1
};
inline Write parse_write(const Frame& frame) {
  const size_t header = 5;
  Write write;
  write.index = frame.payload[0];
  write.offset = get_u32(frame.payload + 1);
  write.data = frame.payload + header;
  write.length = frame.length - header;
  return write;
}

struct Run {
  uint32_t crc;  // of all input tensors
};
inline Run parse_run(const Frame& frame) {
  Run run;
  run.crc = get_u32(frame.payload);
  return run;
}

struct Read {
  uint8_t index;  // of the output tensor
  uint32_t offset;
  uint16_t length;
};
inline Read parse_read(const Frame& frame) {
  Read read;
  read.index = frame.payload[0];
  read.offset = get_u32(frame.payload + 1);
  read.length = get_u16(frame.payload + 5);
  return read;
}

struct Arena {
  uint32_t size;
};
inline Arena parse_arena(const Frame& frame) {
  Arena arena;
  arena.size = get_u32(frame.payload);
  return arena;
}

struct Profile {
  uint16_t first;  // operator
};
inline Profile parse_profile(const Frame& frame) {
  Profile profile;
  profile.first = get_u16(frame.payload);
  return profile;
}

struct Baud {
  uint32_t rate;  // bit/s, 0 for the line's first one
};
inline Baud parse_baud(const Frame& frame) {
  Baud baud;
  baud.rate = get_u32(frame.payload);
  return baud;
}

struct Preprocess {
  uint32_t crc;  // of the raw sample
};
inline Preprocess parse_preprocess(const Frame& frame) {
  Preprocess preprocess;
  preprocess.crc = get_u32(frame.payload);
  return preprocess;
}

struct Welcome {
  bool stateful;
  uint8_t inputs;
  uint8_t outputs;
  uint16_t max_payload;
  uint8_t window;
  uint32_t boot_id;
  uint32_t tick_rate;
  uint32_t arena_bytes;
  const uint8_t* model_sha256;    // kHashBytes
  const uint8_t* project_sha256;  // kHashBytes
  const char* engine;             // 1..kMaxEngineName characters of printable ASCII; the rest is cut off
};
inline size_t write_welcome(uint8_t* payload, const Welcome& welcome) {
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

struct Tensor {
  uint8_t direction;
  uint8_t index;
  ElementType type;
  uint8_t rank;  // 1..kMaxRank
  const uint32_t* dimensions;
  float scale;  // 0 where the tensor is not quantized
  int32_t zero_point;
  const char* name;  // at most kMaxTensorName bytes of UTF-8; the rest is cut off
};
inline size_t write_tensor(uint8_t* payload, const Tensor& tensor) {
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

// Writes the header of RESULT alone, kResultHeader bytes.
inline size_t write_result(uint8_t* payload, uint16_t count, uint32_t ticks) {
  put_u16(payload, count);
  put_u32(payload + 2, ticks);
  return kResultHeader;
}

inline size_t write_ran(uint8_t* payload, uint32_t ticks) {
  put_u32(payload, ticks);
  return 4;
}

struct Used {
  uint32_t arena_capacity;
  uint32_t arena_bytes;
  uint32_t arena_used;
  uint32_t arena_overrun;
  uint32_t stack_bytes;
  uint32_t stack_used;
};
inline size_t write_used(uint8_t* payload, const Used& used) {
  put_u32(payload, used.arena_capacity);
  put_u32(payload + 4, used.arena_bytes);
  put_u32(payload + 8, used.arena_used);
  put_u32(payload + 12, used.arena_overrun);
  put_u32(payload + 16, used.stack_bytes);
  put_u32(payload + 20, used.stack_used);
  return 24;
}

inline size_t write_prepared(uint8_t* payload, uint32_t status, uint32_t arena_used) {
  put_u32(payload, status);
  put_u32(payload + 4, arena_used);
  return 8;
}

// Writes the header of PROFILED alone, kProfiledHeader bytes.
inline size_t write_profiled(uint8_t* payload, uint16_t operators, uint16_t first) {
  put_u16(payload, operators);
  put_u16(payload + 2, first);
  return kProfiledHeader;
}

// Writes one operator of PROFILED to `to`, of whose name at most kMaxOperatorName characters count, if it fits into
// `space` bytes. Returns how many it took, 0 where it does not fit. kMinPayload has space for any one of them.
inline size_t write_operator(uint8_t* to, size_t space, uint32_t ticks, const char* name) {
  const size_t fixed = 5;
  static_assert(kProfiledHeader + fixed + kMaxOperatorName <= kMinPayload, "an operator fits into every payload");
  size_t length = 0;
  while (length < kMaxOperatorName && name[length] != '\0') ++length;
  if (fixed + length > space) return 0;
  put_u32(to, ticks);
  to[4] = static_cast<uint8_t>(length);
  return fixed + put_text(to + fixed, name, length);
}

inline size_t write_switched(uint8_t* payload, uint32_t rate) {
  put_u32(payload, rate);
  return 4;
}

struct Preprocessed {
  uint32_t crc;
  uint32_t ticks;
  ElementType type;
  uint8_t rank;  // 1..kMaxRank
  const uint32_t* dimensions;
};
inline size_t write_preprocessed(uint8_t* payload, const Preprocessed& preprocessed) {
  put_u32(payload, preprocessed.crc);
  put_u32(payload + 4, preprocessed.ticks);
  payload[8] = static_cast<uint8_t>(preprocessed.type);
  payload[9] = preprocessed.rank;
  uint8_t* to = payload + 10;
  for (uint8_t i = 0; i < preprocessed.rank; ++i, to += 4) put_u32(to, preprocessed.dimensions[i]);
  return static_cast<size_t>(to - payload);
}

inline size_t write_error(uint8_t* payload, ErrorCode code, uint32_t detail) {
  payload[0] = static_cast<uint8_t>(code);
  put_u32(payload + 1, detail);
  return 5;
}

}  // namespace link
}  // namespace tinyhil

#endif  // TINYHIL_LINK_MESSAGES_H_

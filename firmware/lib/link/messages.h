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

#include "frames.h"

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

struct Hello {
  uint8_t lowest;
  uint8_t highest;
};
Hello parse_hello(const Frame& frame);

struct Describe {
  uint8_t direction;  // 0 input, 1 output
  uint8_t index;
};
Describe parse_describe(const Frame& frame);

struct Infer {
  uint16_t count;
  const uint8_t* vectors;  // `length` bytes inside the frame, at any alignment
  size_t length;           // what it has to be, given `count`, only the caller can tell
};
Infer parse_infer(const Frame& frame);

struct Write {
  uint8_t index;  // of the input tensor
  uint32_t offset;
  const uint8_t* data;  // `length` bytes inside the frame, at any alignment
  size_t length;        // at least 1
};
Write parse_write(const Frame& frame);

struct Run {
  uint32_t crc;  // of all input tensors
};
Run parse_run(const Frame& frame);

struct Read {
  uint8_t index;  // of the output tensor
  uint32_t offset;
  uint16_t length;
};
Read parse_read(const Frame& frame);

struct Arena {
  uint32_t size;
};
Arena parse_arena(const Frame& frame);

struct Profile {
  uint16_t first;  // operator
};
Profile parse_profile(const Frame& frame);

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
size_t write_welcome(uint8_t* payload, const Welcome& welcome);

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
size_t write_tensor(uint8_t* payload, const Tensor& tensor);

// Writes the header of RESULT alone, kResultHeader bytes.
size_t write_result(uint8_t* payload, uint16_t count, uint32_t ticks);

size_t write_ran(uint8_t* payload, uint32_t ticks);

struct Used {
  uint32_t arena_capacity;
  uint32_t arena_bytes;
  uint32_t arena_used;
  uint32_t arena_overrun;
  uint32_t stack_bytes;
  uint32_t stack_used;
};
size_t write_used(uint8_t* payload, const Used& used);

size_t write_prepared(uint8_t* payload, uint32_t status, uint32_t arena_used);

// Writes the header of PROFILED alone, kProfiledHeader bytes.
size_t write_profiled(uint8_t* payload, uint16_t operators, uint16_t first);

// Writes one operator of PROFILED to `to`, of whose name at most kMaxOperatorName characters count, if it fits into
// `space` bytes. Returns how many it took, 0 where it does not fit. kMinPayload has space for any one of them.
size_t write_operator(uint8_t* to, size_t space, uint32_t ticks, const char* name);

size_t write_error(uint8_t* payload, ErrorCode code, uint32_t detail);

}  // namespace link
}  // namespace tinyhil

#endif  // TINYHIL_LINK_MESSAGES_H_

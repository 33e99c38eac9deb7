#include "frames.h"

#include "crc32.h"
#include "little_endian.h"
#include "messages.h"

namespace tinyhil {
namespace link {
namespace {

const uint8_t kDelimiter = 0;

}  // namespace

FrameDecoder::FrameDecoder(uint8_t* buffer, size_t capacity)
    : cobs_(buffer, capacity),
      body_(buffer),
      capacity_(capacity),
      longest_(longest_encoding(capacity)),
      chunk_(0),
      frame_(),
      counts_() {}

Event FrameDecoder::put(uint8_t byte) {
  if (byte != kDelimiter) {
    if (chunk_ <= longest_) ++chunk_;
    if (chunk_ <= longest_) cobs_.put(byte);
    return Event::kNothing;
  }
  if (chunk_ == 0) return Event::kNothing;
  const Event event = judge();
  ++counts_[static_cast<size_t>(event)];
  chunk_ = 0;
  cobs_.reset();
  return event;
}

Event FrameDecoder::judge() {
  if (chunk_ > longest_) return Event::kOversize;
  if (!cobs_.sound()) return Event::kCobs;
  const size_t length = cobs_.length();
  if (length > capacity_) return Event::kOversize;
  if (length < kFrameOverhead) return Event::kShort;
  const uint8_t* const crc = body_ + length - 4;
  if (crc32(body_, length - 4) != get_u32(crc)) return Event::kCrc;
  if (!is_request(body_[0]) && !is_answer(body_[0])) return Event::kType;
  frame_.type = body_[0];
  frame_.sequence = get_u32(body_ + 1);
  frame_.payload = body_ + kFrameHeader;
  frame_.length = length - kFrameOverhead;
  return Event::kFrame;
}

void write_frame(uint8_t type, uint32_t sequence, uint8_t* body, size_t length, Sink write, void* context) {
  const size_t checked = kFrameHeader + length;
  body[0] = type;
  put_u32(body + 1, sequence);
  put_u32(body + checked, crc32(body, checked));
  write(context, &kDelimiter, 1);
  cobs_encode(body, checked + 4, write, context);
  write(context, &kDelimiter, 1);
}

}  // namespace link
}  // namespace tinyhil

// Frames of the link: 0x00, COBS(type u8 | sequence u32 | payload | crc u32), 0x00 (docs/protocol.md, "Frames").
//
// Purpose:   one decoder and one encoder, without ports, clocks or threads.
// Ownership: all memory is the caller's. A Frame that the decoder returns points into the decoder's buffer and is
//     valid until the next byte is put.
// Limits:    a fixed amount of memory whatever arrives; a chunk that is no frame is counted and never an error.
#ifndef TINYHIL_LINK_FRAMES_H_
#define TINYHIL_LINK_FRAMES_H_

#include <stddef.h>
#include <stdint.h>

#include "cobs.h"

namespace tinyhil {
namespace link {

constexpr size_t kFrameHeader = 5;                          // type and sequence, before the payload
constexpr size_t kFrameOverhead = kFrameHeader + 4;         // all of a body but its payload

struct Frame {
  uint8_t type;
  uint32_t sequence;
  const uint8_t* payload;
  size_t length;  // of the payload
};

// What a byte brought about. The rejections stand in the order in which a chunk is judged.
enum class Event : uint8_t {
  kNothing,
  kFrame,
  kOversize,  // longer than any encoding of a body that fits the buffer, or a body that does not fit
  kCobs,      // no COBS, or not the canonical one
  kShort,     // the body is no whole frame
  kCrc,
  kType,      // neither a request nor an answer of the protocol
};
constexpr size_t kEvents = 7;

// Turns bytes into frames.
//
// Usage: `FrameDecoder decoder(buffer, sizeof(buffer)); if (decoder.put(byte) == Event::kFrame) use(decoder.frame());`
// The buffer has to hold the largest payload and kFrameOverhead more.
class FrameDecoder {
 public:
  FrameDecoder(uint8_t* buffer, size_t capacity);

  Event put(uint8_t byte);

  // The frame of the last put() that returned kFrame.
  const Frame& frame() const { return frame_; }

  // How often an event has been returned, modulo 2^32; for kNothing always 0.
  uint32_t count(Event event) const { return counts_[static_cast<size_t>(event)]; }

 private:
  Event judge();

  CobsDecoder cobs_;
  const uint8_t* body_;
  size_t capacity_;
  size_t longest_;  // encoding of a body that fits
  size_t chunk_;    // bytes since the last zero, stops one above `longest_`
  Frame frame_;
  uint32_t counts_[kEvents];
};

// Writes one frame with its delimiters.
//
// `body` holds `length` bytes of payload from body + kFrameHeader on; the bytes around them, kFrameOverhead in all, are
// written here, so that a frame needs no second copy of its payload.
void write_frame(uint8_t type, uint32_t sequence, uint8_t* body, size_t length, Sink write, void* context);

}  // namespace link
}  // namespace tinyhil

#endif  // TINYHIL_LINK_FRAMES_H_

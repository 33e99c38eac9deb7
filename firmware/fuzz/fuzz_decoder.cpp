// libFuzzer: any bytes into the frame decoder.
//
// Input:    one byte that chooses the largest payload, then the stream.
// Promises: an event at the end of each chunk and nowhere else, the one that plain_codec.h finds too; a frame encodes
//     to its own chunk; the counts add up; nothing outside the buffer is touched (the address sanitizer watches it);
//     a good frame behind anything at all arrives.
//
// Random changes hardly ever hit a CRC, so every other mutation seals a chunk: it is written anew as a sound frame.
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <random>

#include "check.h"
#include "frames.h"
#include "plain_codec.h"

using namespace tinyhil::link;  // NOLINT: this file is about nothing else
using plain::Bytes;

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

// From nothing at all to the protocol's own limit, and bodies around the length of a COBS block and of two.
const size_t kPayloads[] = {0, 1, 16, 64, 244, 245, 246, 247, 498, 499, 500, 520, 4096};
const size_t kPayloadCount = sizeof(kPayloads) / sizeof(kPayloads[0]);

void append(void* context, const uint8_t* bytes, size_t length) {
  Bytes* to = static_cast<Bytes*>(context);
  to->insert(to->end(), bytes, bytes + length);
}

Bytes wire(uint8_t type, uint32_t sequence, const uint8_t* payload, size_t length) {
  Bytes body(length + kFrameOverhead);
  if (length != 0) memcpy(body.data() + kFrameHeader, payload, length);
  Bytes written;
  written.reserve(body.size() + body.size() / 254 + 3);
  write_frame(type, sequence, body.data(), length, append, &written);
  return written;
}

// A decoder under watch.
class Watched {
 public:
  explicit Watched(size_t payload)
      : longest_(payload + kFrameOverhead), buffer_(longest_), decoder_(buffer_.data(), longest_), counts_() {
    chunk_.reserve(longest_ + 64);
  }

  TINYHIL_FUZZ_UNCOVERED Event put(uint8_t byte) {
    const Event event = decoder_.put(byte);
    if (byte != 0) {
      CHECK(event == Event::kNothing);
      chunk_.push_back(byte);
    } else if (chunk_.empty()) {
      CHECK(event == Event::kNothing);
    } else {
      end_of_chunk(event);
      chunk_.clear();
    }
    return event;
  }

  void check_counts() const {
    for (size_t i = 0; i < kEvents; ++i) CHECK(decoder_.count(static_cast<Event>(i)) == counts_[i]);
  }

  const Frame& frame() const { return decoder_.frame(); }

 private:
  void end_of_chunk(Event event) {
    Bytes body;
    CHECK(event == plain::judge(chunk_, longest_, &body));
    ++counts_[static_cast<size_t>(event)];
    if (event != Event::kFrame) return;
    const Frame& frame = decoder_.frame();
    CHECK(frame.length == body.size() - kFrameOverhead);
    CHECK(frame.payload + frame.length <= buffer_.data() + longest_);
    Bytes expected(1, 0);
    expected.insert(expected.end(), chunk_.begin(), chunk_.end());
    expected.push_back(0);
    CHECK(wire(frame.type, frame.sequence, frame.payload, frame.length) == expected);
  }

  const size_t longest_;
  Bytes buffer_;
  FrameDecoder decoder_;
  Bytes chunk_;
  uint32_t counts_[kEvents];
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Watched decoder(kPayloads[data[0] % kPayloadCount]);
  for (size_t i = 1; i < size; ++i) decoder.put(data[i]);

  const Bytes good = wire(0x03, 0x00FF0001u, nullptr, 0);
  Event last = Event::kNothing;
  for (size_t i = 0; i < good.size(); ++i) last = decoder.put(good[i]);
  CHECK(last == Event::kFrame);
  CHECK(decoder.frame().type == 0x03 && decoder.frame().sequence == 0x00FF0001u && decoder.frame().length == 0);
  decoder.check_counts();
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  if (random() % 2 != 0 || size < 2) return LLVMFuzzerMutate(data, size, max_size);

  // The chunk around a random byte.
  uint8_t* const stream = data + 1;
  uint8_t* const end = data + size;
  uint8_t* const middle = stream + random() % (size - 1);
  uint8_t* last = std::find(middle, end, 0);
  uint8_t* first = middle;
  while (first != stream && first[-1] != 0) --first;

  bool whole = false;
  Bytes body = plain::unstuff(Bytes(first, last), &whole);
  body.resize(std::max(body.size(), kFrameOverhead));
  const bool known = random() % 4 != 0;
  const uint8_t type = known ? static_cast<uint8_t>(1 + random() % 15 + 128 * (random() % 2)) : body[0];
  const uint32_t sequence = static_cast<uint32_t>(random());
  const Bytes sealed = wire(type, sequence, body.data() + kFrameHeader, body.size() - kFrameOverhead);

  Bytes mutated(data, first);
  mutated.insert(mutated.end(), sealed.begin(), sealed.end());
  mutated.insert(mutated.end(), last, end);
  if (mutated.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  memcpy(data, mutated.data(), mutated.size());
  return mutated.size();
}

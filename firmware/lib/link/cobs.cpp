#include "cobs.h"

namespace tinyhil {
namespace link {
namespace {

const uint8_t kFull = 0xFF;       // the code of a block without a zero behind it
const size_t kFullBytes = 254;    // and the bytes in it

}  // namespace

void cobs_encode(const uint8_t* bytes, size_t length, Sink write, void* context) {
  const uint8_t* const end = bytes + length;
  for (;;) {
    size_t run = 0;
    while (run < kFullBytes && bytes + run != end && bytes[run] != 0) ++run;
    const uint8_t code = static_cast<uint8_t>(run + 1);
    write(context, &code, 1);
    write(context, bytes, run);
    bytes += run;
    if (bytes == end) return;
    if (code != kFull) ++bytes;  // the zero that the block stands for; if it is the last byte, an empty block follows
  }
}

void CobsDecoder::reset() {
  length_ = 0;
  code_ = 0;
  previous_ = 0;
  left_ = 0;
}

void CobsDecoder::put(uint8_t byte) {
  if (left_ != 0) {
    --left_;
    append(byte);
    return;
  }
  if (code_ != 0 && code_ != kFull) append(0);  // the block before was not the last one
  previous_ = code_;
  code_ = byte;
  left_ = static_cast<uint8_t>(byte - 1);
}

bool CobsDecoder::sound() const {
  // An empty block behind a full one says nothing that the full one does not say alone.
  const bool superfluous = code_ == 1 && previous_ == kFull;
  return code_ != 0 && left_ == 0 && !superfluous;
}

void CobsDecoder::append(uint8_t byte) {
  if (length_ < capacity_) body_[length_] = byte;
  ++length_;
}

}  // namespace link
}  // namespace tinyhil

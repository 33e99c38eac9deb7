// Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999), canonical form only (docs/protocol.md, "Frames").
//
// A chunk is a sequence of blocks: a code byte n, then n - 1 bytes that are not zero. Each block but the last stands for
// its bytes and a zero behind them, except the block of code 0xFF, which is full and stands for its 254 bytes alone.
//
// Ownership: the decoder writes into memory of the caller; the encoder reads from it and writes to a callback.
#ifndef TINYHIL_LINK_COBS_H_
#define TINYHIL_LINK_COBS_H_

#include <stddef.h>
#include <stdint.h>

namespace tinyhil {
namespace link {

// Takes `length` bytes for the wire, all of them, before it returns. `context` is what the caller gave beside it.
typedef void (*Sink)(void* context, const uint8_t* bytes, size_t length);

// The most bytes that `length` bytes can take when encoded, delimiters excluded.
constexpr size_t longest_encoding(size_t length) { return length + (length + 253) / 254 + (length == 0 ? 1 : 0); }

// Writes the encoding of `length` bytes, without delimiters.
void cobs_encode(const uint8_t* bytes, size_t length, Sink write, void* context);

// Decodes one chunk byte by byte.
//
// Usage:  reset(), put() for each byte of a chunk, then sound() and length().
// Limits: writes at most `capacity` bytes to `body`, but goes on counting behind them, so that a chunk that is no COBS
//     can be told from one that is too long.
class CobsDecoder {
 public:
  CobsDecoder(uint8_t* body, size_t capacity) : body_(body), capacity_(capacity) { reset(); }

  void reset();
  void put(uint8_t byte);  // not zero

  // Whether the bytes so far are a whole encoding, and the one that the encoder would have written.
  bool sound() const;

  // Decoded bytes so far; the first `capacity` of them are in `body`.
  size_t length() const { return length_; }

 private:
  void append(uint8_t byte);

  uint8_t* body_;
  size_t capacity_;
  size_t length_;
  uint8_t code_;      // of the block that is being read, 0 before the first
  uint8_t previous_;  // the code before it
  uint8_t left_;      // bytes to come in this block
};

}  // namespace link
}  // namespace tinyhil

#endif  // TINYHIL_LINK_COBS_H_

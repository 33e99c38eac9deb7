// A second opinion on a chunk: docs/protocol.md, "Frames", as plainly as it can be written down, on vectors and without
// state between bytes. It shares no line with lib/link, so that a mistake there is not repeated here.
#ifndef TINYHIL_FUZZ_PLAIN_CODEC_H_
#define TINYHIL_FUZZ_PLAIN_CODEC_H_

#include <stddef.h>
#include <stdint.h>

#include <vector>

#include "frames.h"

namespace plain {

typedef std::vector<uint8_t> Bytes;

// What a fuzzer is to explore is the code under test, not this.
#define TINYHIL_FUZZ_UNCOVERED __attribute__((no_sanitize("coverage")))

// The body of a chunk, canonical or not. Stops where a code points past the end, and says so.
TINYHIL_FUZZ_UNCOVERED inline Bytes unstuff(const Bytes& chunk, bool* whole) {
  Bytes body;
  body.reserve(chunk.size());
  size_t at = 0;
  *whole = true;
  while (at < chunk.size()) {
    const size_t end = at + chunk[at];
    if (end > chunk.size()) *whole = false;
    for (size_t i = at + 1; i < end && i < chunk.size(); ++i) body.push_back(chunk[i]);
    if (end < chunk.size() && chunk[at] != 0xFF) body.push_back(0);
    at = end;
  }
  return body;
}

// The one encoding of a body.
TINYHIL_FUZZ_UNCOVERED inline Bytes stuff(const Bytes& body) {
  Bytes chunk;
  chunk.reserve(body.size() + body.size() / 254 + 1);
  Bytes run;
  run.reserve(254);
  bool due = true;  // a block that is not written yet, be it empty
  for (size_t i = 0; i <= body.size(); ++i) {
    const bool end = i == body.size();
    if (!end && body[i] != 0) run.push_back(body[i]);
    const bool full = run.size() == 254;
    if (full || (end && due) || (!end && body[i] == 0)) {
      chunk.push_back(static_cast<uint8_t>(run.size() + 1));
      chunk.insert(chunk.end(), run.begin(), run.end());
      run.clear();
      due = !end && !full;
    } else {
      due = true;
    }
  }
  return chunk;
}

TINYHIL_FUZZ_UNCOVERED inline uint32_t crc32(const uint8_t* bytes, size_t length) {
  uint32_t crc = 0xFFFFFFFFu;
  for (size_t i = 0; i < length; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

// What a decoder for bodies of up to `longest` bytes has to say about a chunk, and its body if it is one.
TINYHIL_FUZZ_UNCOVERED inline tinyhil::link::Event judge(const Bytes& chunk, size_t longest, Bytes* body) {
  using tinyhil::link::Event;
  if (chunk.size() > longest + (longest + 253) / 254) return Event::kOversize;
  bool whole = false;
  *body = unstuff(chunk, &whole);
  if (!whole || stuff(*body) != chunk) return Event::kCobs;
  if (body->size() > longest) return Event::kOversize;
  if (body->size() < 9) return Event::kShort;
  const size_t checked = body->size() - 4;
  const uint32_t crc = crc32(body->data(), checked);
  for (size_t i = 0; i < 4; ++i) {
    if ((*body)[checked + i] != static_cast<uint8_t>(crc >> (8 * i))) return Event::kCrc;
  }
  const uint8_t type = (*body)[0];
  const bool known = (type >= 0x01 && type <= 0x0F) || (type >= 0x81 && type <= 0x8F) || type == 0xFF;
  return known ? Event::kFrame : Event::kType;
}

}  // namespace plain

#endif  // TINYHIL_FUZZ_PLAIN_CODEC_H_

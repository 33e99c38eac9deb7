// A shared library for the differential fuzzer: lib/link's decoder over a whole stream in one call.
//
//     judge(max_payload, stream, length, log, text, tally)  -> bytes in the log, and by `text` bytes in the text
//
// The log has, for each chunk in order, one byte with the event; behind that of a frame u16 length, u8 type, u32
// sequence and the payload, little-endian. Rejected chunks that consist of text bytes are left out of it, because a
// host reports them as text and not as rejected.
//
// The text is what a host has to pass on (docs/protocol.md, "Text"), without its white space, because blank lines are
// not passed on. The device knows no text: this is the page written down a second time.
//
// The caller's buffers hold 8 bytes more than twice the stream, and as many as the stream.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <vector>

#include "frames.h"
#include "messages.h"

namespace {

using namespace tinyhil::link;  // NOLINT: this file is about nothing else

const size_t kLongestLine = 4096;  // of the host, where its longest chunk is shorter

struct Tally {
  uint32_t events[kEvents];       // all of them
  uint32_t text_only[kEvents];    // those of chunks of text bytes
  uint32_t types[256];            // of frames
  uint32_t text_with_frame;       // frames that let lines go before they were known to be frames
};

bool is_text(uint8_t byte) {
  return byte == '\t' || byte == '\n' || byte == '\r' || byte == 0x1B || (byte >= 0x20 && byte != 0x7F);
}

bool is_white(uint8_t byte) { return byte == '\t' || byte == '\n' || byte == '\r' || byte == ' '; }

// How many bytes of a chunk a host passes on as text.
size_t passed_on(const uint8_t* chunk, size_t length, size_t text, bool rejected, size_t longest_chunk) {
  if (text == length && rejected) return text;
  const bool certain = text > longest_chunk || (text >= 2 && !is_answer(chunk[1]));
  if (!certain) return 0;
  size_t lines = text;
  while (lines != 0 && chunk[lines - 1] != '\n') --lines;
  const size_t longest_line = std::max(kLongestLine, longest_chunk + 1);
  return lines + (text - lines) / longest_line * longest_line;
}

}  // namespace

extern "C" size_t judge(size_t max_payload, const uint8_t* stream, size_t length, uint8_t* log, uint8_t* text,
                        size_t* text_length, Tally* tally) {
  std::vector<uint8_t> buffer(max_payload + kFrameOverhead);
  FrameDecoder decoder(buffer.data(), buffer.size());
  uint8_t* const log_start = log;
  uint8_t* const text_start = text;
  const uint8_t* chunk = stream;
  for (const uint8_t* at = stream; at != stream + length; ++at) {
    const Event event = decoder.put(*at);
    if (event != Event::kNothing) {
      const size_t size = static_cast<size_t>(at - chunk);
      const uint8_t* const end_of_text = std::find_if_not(chunk, at, is_text);
      const bool only_text = end_of_text == at;
      const size_t said = passed_on(chunk, size, static_cast<size_t>(end_of_text - chunk), event != Event::kFrame,
                                    longest_encoding(buffer.size()));
      text = std::remove_copy_if(chunk, chunk + said, text, is_white);
      ++tally->events[static_cast<size_t>(event)];
      if (only_text) ++tally->text_only[static_cast<size_t>(event)];
      if (event == Event::kFrame || !only_text) *log++ = static_cast<uint8_t>(event);
      if (event == Event::kFrame) {
        const Frame& frame = decoder.frame();
        ++tally->types[frame.type];
        if (said != 0) ++tally->text_with_frame;
        *log++ = static_cast<uint8_t>(frame.length);
        *log++ = static_cast<uint8_t>(frame.length >> 8);
        *log++ = frame.type;
        for (int shift = 0; shift < 32; shift += 8) *log++ = static_cast<uint8_t>(frame.sequence >> shift);
        if (frame.length != 0) memcpy(log, frame.payload, frame.length);
        log += frame.length;
      }
    }
    if (*at == 0) chunk = at + 1;
  }
  *text_length = static_cast<size_t>(text - text_start);
  return static_cast<size_t>(log - log_start);
}

extern "C" size_t tally_size() { return sizeof(Tally); }

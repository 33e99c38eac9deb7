// Runs lib/link on the host for the table of frame cases: one command a line on stdin, its events on stdout.
//
//     new PAYLOAD               a new decoder for payloads of up to PAYLOAD bytes        -> (nothing)
//     feed HEX                  bytes from the wire                                      -> frame ... | rejected ...
//     encode TYPE SEQUENCE HEX  a frame for the wire                                     -> wire HEX
//     parse TYPE HEX            the payload of a request                                 -> sound | unsound
//     crc HEX                                                                            -> crc VALUE
//     counts                                                                             -> counts FRAMES OVERSIZE ...
//
// Every command ends with a line "ok".
#include <stdint.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "crc32.h"
#include "frames.h"
#include "messages.h"

namespace {

using namespace tinyhil::link;  // NOLINT: this file is about nothing else

typedef std::vector<uint8_t> Bytes;

const char* const kReasons[kEvents] = {"", "", "oversize", "cobs", "short", "crc", "type"};

std::string hex(const uint8_t* bytes, size_t length) {
  const char* const digits = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < length; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

Bytes unhex(const std::string& text) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

void append(void* context, const uint8_t* bytes, size_t length) {
  Bytes* to = static_cast<Bytes*>(context);
  to->insert(to->end(), bytes, bytes + length);
}

// A decoder with a buffer of exactly the size it asks for, so that the address sanitizer sees one byte too many.
struct Decoder {
  explicit Decoder(size_t payload) : buffer(payload + kFrameOverhead), decoder(buffer.data(), buffer.size()) {}
  Bytes buffer;
  FrameDecoder decoder;
};

void feed(Decoder& decoder, const Bytes& bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    const Event event = decoder.decoder.put(bytes[i]);
    if (event == Event::kFrame) {
      const Frame& frame = decoder.decoder.frame();
      std::cout << "frame " << unsigned(frame.type) << " " << frame.sequence << " " << hex(frame.payload, frame.length)
                << "\n";
    } else if (event != Event::kNothing) {
      std::cout << "rejected " << kReasons[static_cast<size_t>(event)] << "\n";
    }
  }
}

bool sound(const Frame& frame) {
  switch (frame.type) {
    case kHello: return fits(kHelloLength, frame.length);
    case kDescribe: return fits(kDescribeLength, frame.length);
    case kInfer: return fits(kInferLength, frame.length);
    case kReset: return fits(kResetLength, frame.length);
    case kWrite: return fits(kWriteLength, frame.length);
    case kRun: return fits(kRunLength, frame.length);
    case kRead: return fits(kReadLength, frame.length);
    case kUsage: return fits(kUsageLength, frame.length);
    case kArena: return fits(kArenaLength, frame.length);
    case kProfile: return fits(kProfileLength, frame.length);
    case kBaud: return fits(kBaudLength, frame.length);
    case kGoodbye: return fits(kGoodbyeLength, frame.length);
    case kPreprocess: return fits(kPreprocessLength, frame.length);
    default: return false;
  }
}

}  // namespace

int main() {
  std::unique_ptr<Decoder> decoder;
  std::string command;
  while (std::cin >> command) {
    if (command == "new") {
      size_t payload = 0;
      std::cin >> payload;
      decoder.reset(new Decoder(payload));
    } else if (command == "counts") {
      std::cout << "counts";
      for (size_t i = 1; i < kEvents; ++i) std::cout << " " << decoder->decoder.count(static_cast<Event>(i));
      std::cout << "\n";
    } else {
      unsigned type = 0;
      uint32_t sequence = 0;
      if (command == "encode") std::cin >> type >> sequence;
      if (command == "parse") std::cin >> type;
      std::string text;
      std::getline(std::cin, text);
      const Bytes bytes = unhex(text.substr(text.find_first_not_of(' ') == std::string::npos ? text.size() : 1));
      if (command == "feed") {
        feed(*decoder, bytes);
      } else if (command == "encode") {
        Bytes body(bytes.size() + kFrameOverhead);
        std::copy(bytes.begin(), bytes.end(), body.begin() + kFrameHeader);
        Bytes wire;
        write_frame(static_cast<uint8_t>(type), sequence, body.data(), bytes.size(), append, &wire);
        std::cout << "wire " << hex(wire.data(), wire.size()) << "\n";
      } else if (command == "parse") {
        const Frame frame = {static_cast<uint8_t>(type), 0, bytes.data(), bytes.size()};
        std::cout << (sound(frame) ? "sound" : "unsound") << "\n";
      } else if (command == "crc") {
        std::cout << "crc " << crc32(bytes.data(), bytes.size()) << "\n";
      } else {
        std::cerr << "unknown command: " << command << "\n";
        return 1;
      }
    }
    std::cout << "ok" << std::endl;
  }
  return 0;
}

// libFuzzer: the server over a fake engine.
//
// Input:    a byte for the device (its largest payload, preprocessing, clock, engine), then a row of steps, each a byte
//     that says what the host does and the bytes that it takes: frames of all types with a sound CRC, sensible or not,
//     repeated or damaged ones, and garbage.
// Promises: exactly one answer to each request that the decoder accepts, written before on_byte() returns, with the
//     request's number, never longer than the largest payload, and the one that expected.h has too; nothing in
//     answer to anything else; engine and preprocessing run as often as was asked, and what they take changes by them
//     and WRITE only; nothing outside the buffers and tensors is touched (the address sanitizer watches them).
#include <stdint.h>

#include <algorithm>
#include <memory>

#include "check.h"
#include "engine.h"
#include "expected.h"
#include "fake_model.h"
#include "plain_codec.h"
#include "server.h"

namespace {

using expected::Answer;
using expected::Request;
using plain::Bytes;
namespace link = tinyhil::link;

const uint16_t kResultOfOne = 6 + fake::kOutputBytes;

// One that does not hold a vector's inputs, one that does not hold its outputs, one that lacks a byte, one that just
// does, and larger ones.
const uint16_t kPayloads[] = {100, 128, kResultOfOne - 1, kResultOfOne, 344, 520, 1024, 4096};
const size_t kPayloadCount = sizeof(kPayloads) / sizeof(kPayloads[0]);

uint32_t boot_id() { return expected::kBootId; }
uint32_t ticks() { return fake::model.clock; }
uint32_t stack_used() { return expected::kStackUsed; }

uint32_t line_rate;
bool set_rate(uint32_t rate) {
  line_rate = rate;
  return true;
}
uint32_t milliseconds() { return 0; }

// Compiled without TINYHIL_PREPROCESSING, a server knows of none, and is what one with none has to be.
#ifdef TINYHIL_PREPROCESSING
const uint32_t kRawDims[] = {1, 13, 5};
const tinyhil::TensorInfo kRaw = {"raw", tinyhil::DType::kInt16, 3, kRawDims, 0.0f, 0, fake::kRawBytes};

bool set_preprocessing(bool some) {
  const tinyhil::Preprocessing none = {nullptr, nullptr, nullptr};
  const tinyhil::Preprocessing one = {&kRaw, fake::model.raw.data(), fake::preprocess};
  tinyhil::preprocessing = some ? one : none;
  return some;
}
#else
bool set_preprocessing(bool) { return false; }
#endif

void append(void* context, const uint8_t* bytes, size_t length) {
  Bytes* to = static_cast<Bytes*>(context);
  to->insert(to->end(), bytes, bytes + length);
}

Request request_of(const link::Frame& frame) {
  return {frame.type, frame.sequence, Bytes(frame.payload, frame.payload + frame.length)};
}

// The real server with a decoder beside it that hears the same bytes.
class Watched {
 public:
  Watched(uint16_t max_payload, uint32_t tick_rate, bool preprocesses)
      : capacity_(max_payload + link::kFrameOverhead),
        receive_(capacity_),
        send_(capacity_),
        heard_(capacity_),
        ear_(heard_.data(), capacity_),
        server_(config(max_payload, tick_rate)),
        device_(max_payload, tick_rate, preprocesses) {
    server_.begin();
  }

  void put(const Bytes& bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) put(bytes[i]);
  }

 private:
  tinyhil::ServerConfig config(uint16_t max_payload, uint32_t tick_rate) {
    tinyhil::ServerConfig config;
    config.max_payload = max_payload;
    config.window = expected::kWindow;
    config.receive_buffer = receive_.data();
    config.send_buffer = send_.data();
    config.write = append;
    config.write_context = &written_;
    config.boot_id = boot_id;
    config.tick_rate = tick_rate;
    config.ticks = tick_rate != 0 ? ticks : nullptr;
    config.stack_bytes = expected::kStackBytes;
    config.stack_used = stack_used;
    config.max_rate = expected::kMaxRate;
    config.set_rate = set_rate;
    config.milliseconds = milliseconds;
    line_rate = 0;
    return config;
  }

  void put(uint8_t byte) {
    const bool request = ear_.put(byte) == link::Event::kFrame && link::is_request(ear_.frame().type);
    if (request) {
      on_request(request_of(ear_.frame()), byte);
    } else {
      server_.on_byte(byte);
      CHECK(written_.empty());
    }
    for (size_t i = 0; i < link::kEvents; ++i) {
      const link::Event event = static_cast<link::Event>(i);
      CHECK(server_.decoder().count(event) == ear_.count(event));
    }
  }

  void on_request(const Request& request, uint8_t last_byte) {
    const Answer answer = device_.answer(request);
    const uint32_t inferences = fake::model.inferences;
    const uint32_t preprocessed = fake::model.preprocessed;
    Bytes memory = fake::written();
    server_.on_byte(last_byte);
    CHECK(fake::model.preprocessed == preprocessed + (device_.preprocessed() ? 1 : 0));
    check_answer(request, answer);
    CHECK(line_rate == device_.rate());
    written_.clear();

    const bool carried_out = answer.type != 0xFF && !device_.repeated();
    if (device_.prepared() || (carried_out && request.type == 0x04)) {
      CHECK(fake::model.inferences == 0);
    } else {
      CHECK(fake::model.inferences == inferences + device_.inferences());
    }
    if (device_.preprocessed()) {
      memory = fake::preprocessed(Bytes(memory.begin() + fake::kInputBytes, memory.end()), preprocessed);
    }
    if (request.type == 0x03 || request.type == 0x06 || request.type == 0x0A) {
      const Bytes inputs = fake::inputs();
      std::copy(inputs.begin(), inputs.end(), memory.begin());
    }
    if (carried_out && request.type == 0x05) {
      size_t at = request.payload[1];  // no tensor has more than 255 bytes
      for (uint8_t i = 0; i < request.payload[0]; ++i) at += fake::model.input[i].size();
      std::copy(request.payload.begin() + 5, request.payload.end(), memory.begin() + static_cast<ptrdiff_t>(at));
    }
    CHECK(fake::written() == memory);
  }

  void check_answer(const Request& request, const Answer& answer) const {
    CHECK(written_.size() > 2 && written_.front() == 0 && written_.back() == 0);
    const Bytes chunk(written_.begin() + 1, written_.end() - 1);
    CHECK(std::find(chunk.begin(), chunk.end(), 0) == chunk.end());
    Bytes body;
    CHECK(plain::judge(chunk, capacity_, &body) == link::Event::kFrame);
    CHECK(body[0] == answer.type);
    for (size_t i = 0; i < 4; ++i) CHECK(body[1 + i] == static_cast<uint8_t>(request.sequence >> (8 * i)));
    const Bytes payload(body.begin() + 5, body.end() - 4);
    CHECK(payload.size() == answer.payload.size());
    const ptrdiff_t compared = static_cast<ptrdiff_t>(answer.any_detail ? 1 : payload.size());
    CHECK(std::equal(payload.begin(), payload.begin() + compared, answer.payload.begin()));
  }

  const size_t capacity_;
  Bytes receive_, send_, heard_, written_;
  link::FrameDecoder ear_;
  tinyhil::Server server_;
  expected::Device device_;
};

// The fuzzer's bytes, with zeros behind them.
class Source {
 public:
  Source(const uint8_t* bytes, size_t size) : at_(bytes), end_(bytes + size) {}
  bool more() const { return at_ != end_; }
  uint8_t byte() { return at_ == end_ ? 0 : *at_++; }
  uint32_t number(size_t bytes) {
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value |= static_cast<uint32_t>(byte()) << (8 * i);
    return value;
  }
  Bytes take(size_t size) {
    const size_t taken = std::min<size_t>(size, static_cast<size_t>(end_ - at_));
    at_ += taken;
    return Bytes(at_ - taken, at_);
  }

 private:
  const uint8_t* at_;
  const uint8_t* const end_;
};

void put_number(Bytes* to, uint32_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) to->push_back(static_cast<uint8_t>(value >> (8 * i)));
}

// `count` vectors made of a few bytes, over and over.
Bytes vectors(size_t count, const Bytes& pattern) {
  Bytes made(count * fake::kInputBytes);
  for (size_t i = 0; i < made.size() && !pattern.empty(); ++i) made[i] = pattern[i % pattern.size()];
  return made;
}

// The host: makes what goes over the wire.
class Host {
 public:
  Host(Source* source, uint16_t max_payload) : source_(source), max_payload_(max_payload), sequence_(0xFFFFFFFEu) {}

  Bytes step() {
    const uint8_t choice = source_->byte();
    const uint8_t what = choice & 15;
    if (what == 0) return source_->take(source_->byte());
    if (what == 1) return last_;
    if (what == 2) return damaged();
    const uint8_t numbering = choice >> 6;
    if (numbering == 0) sequence_ = source_->number(4);
    if (numbering > 1) ++sequence_;
    last_ = frame(what, (choice & 0x30) == 0x30);
    return last_;
  }

 private:
  Bytes damaged() {
    Bytes bytes = last_;
    const size_t at = source_->number(2);
    if (!bytes.empty()) bytes[at % bytes.size()] ^= static_cast<uint8_t>(1 << (at / 4096 % 8));
    return bytes;
  }

  // `raw`: where there is a choice, one about the raw sample and what is made of it.
  Bytes frame(uint8_t what, bool raw) {
    Bytes payload;
    switch (what) {
      case 3: return wire(0x01, {1, 1});
      case 4: return wire(0x01, source_->take(2));
      case 5:
        payload.push_back(source_->byte() % 3);
        payload.push_back(source_->byte() % (fake::kTensors + 2));
        return wire(0x02, payload);
      case 6: return infer(1 + source_->byte() % (max_payload_ / fake::kInputBytes + 1));
      case 7: return infer(source_->number(2));
      case 8: return wire(0x04, {});
      case 9: {
        if (raw) return write(fake::kTensors + source_->byte() % 2, fake::kRawBytes);
        const uint8_t input = source_->byte() % fake::kTensors;
        return write(input, fake::model.input[input].size());
      }
      case 10: {
        const Bytes checked = raw ? fake::model.raw : fake::inputs();
        put_number(&payload, plain::crc32(checked.data(), checked.size()) ^ source_->byte(), 4);
        return wire(raw ? 0x0D : 0x06, payload);
      }
      case 11: {
        const uint8_t index = source_->byte();
        payload.push_back(raw ? fake::kTensors + index % (fake::kTensors + 1) : index % fake::kTensors);
        put_number(&payload, source_->byte(), 4);
        put_number(&payload, source_->byte(), 2);
        return wire(0x07, payload);
      }
      case 12: {  // what the device's resources are, its line, and the end
        const uint8_t type = static_cast<uint8_t>(0x08 + source_->byte() % 5);
        if (type == 0x09) put_number(&payload, source_->number(2) % (fake::kCapacity + 2), 4);
        if (type == 0x0A) put_number(&payload, source_->byte() % (fake::kOperators + 1), 2);
        if (type == 0x0B) put_number(&payload, source_->byte() * (expected::kMaxRate / 128), 4);
        return wire(type, payload);
      }
      case 13: {  // any frame that is longer than its pattern
        const uint8_t type = source_->byte();
        const size_t size = source_->number(2) % (max_payload_ + 4u);
        return wire(type, Bytes(size, source_->byte()));
      }
      default: {  // any frame at all
        const uint8_t type = what == 14 ? source_->byte() % 16 : source_->byte();
        return wire(type, source_->take(source_->byte()));
      }
    }
  }

  Bytes infer(uint32_t count) {
    const size_t sent = std::min<size_t>(count, max_payload_ / fake::kInputBytes + 1);
    const Bytes values = vectors(sent, source_->take(source_->byte() % 16));
    Bytes payload;
    put_number(&payload, count, 2);
    payload.insert(payload.end(), values.begin(), values.end());
    return wire(0x03, payload);
  }

  Bytes write(uint8_t input, size_t size) {
    Bytes payload(1, input);
    const uint32_t offset = source_->byte();
    put_number(&payload, offset == 0xFF ? source_->number(4) : static_cast<uint32_t>(offset % size), 4);
    const Bytes values = source_->take(1 + source_->byte() % (size + 1));
    payload.insert(payload.end(), values.begin(), values.end());
    return wire(0x05, payload);
  }

  // A frame of any type, valid or not.
  Bytes wire(uint8_t type, const Bytes& payload) const {
    Bytes body(1, type);
    put_number(&body, sequence_, 4);
    body.insert(body.end(), payload.begin(), payload.end());
    put_number(&body, plain::crc32(body.data(), body.size()), 4);
    const Bytes chunk = plain::stuff(body);
    Bytes bytes(1, 0);
    bytes.insert(bytes.end(), chunk.begin(), chunk.end());
    bytes.push_back(0);
    return bytes;
  }

  Source* const source_;
  const uint16_t max_payload_;
  uint32_t sequence_;
  Bytes last_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Source source(data, size);
  const uint8_t device = source.byte();
  const uint16_t max_payload = kPayloads[(device & 15) % kPayloadCount];
  fake::restart((device & 0xE0) == 0xE0 ? 5 : 0);
  Watched server(max_payload, (device & 0x10) != 0 ? 1000000 : 0, set_preprocessing((device & 0x08) != 0));
  Host host(&source, max_payload);
  while (source.more()) server.put(host.step());
  return 0;
}

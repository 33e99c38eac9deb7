// What a device has to answer: docs/protocol.md, "Messages", as plainly as it can be written down, for the model of
// fake_model.h. It shares no line with lib/server and lib/link but the names of types.
#ifndef TINYHIL_FUZZ_EXPECTED_H_
#define TINYHIL_FUZZ_EXPECTED_H_

#include <stdint.h>

#include "fake_model.h"

namespace expected {

using fake::Bytes;

constexpr uint32_t kBootId = 0xB007B007u;
constexpr uint8_t kWindow = 3;
constexpr uint32_t kStackBytes = 0x01020304u;
constexpr uint32_t kStackUsed = 0x00FFEEDDu;
constexpr uint32_t kMaxRate = 921600;

struct Request {
  uint8_t type;
  uint32_t sequence;
  Bytes payload;
};

struct Answer {
  uint8_t type;
  Bytes payload;
  bool any_detail;  // an ERROR whose detail may be one of several offending values
};

// The device as the page describes it. Ask it before the server answers: it looks at the fake model's inputs and
// outputs as they are then. It has no engine of its own.
class Device {
 public:
  Device(uint16_t max_payload, uint32_t tick_rate, bool preprocesses)
      : max_payload_(max_payload), tick_rate_(tick_rate), preprocesses_(preprocesses), ready_(false) {}

  Answer answer(const Request& request);

  // How many inferences the last answer took, failed ones not counted.
  uint32_t inferences() const { return inferences_; }

  // Whether the raw sample was preprocessed for the last answer.
  bool preprocessed() const { return preprocessed_; }

  // Whether the last answer meant to prepare the engine again, which takes its state away.
  bool prepared() const { return prepared_; }

  // Whether the last answer was that of the request before, given again.
  bool repeated() const { return repeated_; }

  // What the line is at after the last answer, 0 for its first rate.
  uint32_t rate() const { return rate_; }

 private:
  Answer fresh(const Request& request);
  Answer hello(const Bytes& payload);
  Answer describe(const Bytes& payload);
  Answer infer(const Bytes& payload);
  Answer write(const Bytes& payload);
  Answer run(const Bytes& payload);
  Answer read(const Bytes& payload);
  Answer usage(const Bytes& payload);
  Answer arena(const Bytes& payload);
  Answer profile(const Bytes& payload);
  Answer baud(const Bytes& payload);
  Answer goodbye(const Bytes& payload);
  Answer preprocess(const Bytes& payload);

  const uint16_t max_payload_;
  const uint32_t tick_rate_;
  const bool preprocesses_;
  bool ready_;
  bool repeated_ = false;
  bool preprocessed_ = false;
  bool prepared_ = false;
  bool resized_ = false;
  bool profiled_ = false;
  uint32_t status_ = fake::model.init_status;
  uint32_t inferences_ = 0;
  uint32_t rate_ = 0;
  bool has_last_ = false;
  Request last_request_ = {0, 0, {}};
  Answer last_answer_ = {0, {}, false};
};

}  // namespace expected

#endif  // TINYHIL_FUZZ_EXPECTED_H_

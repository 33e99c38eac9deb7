// The device's role in the link protocol: answers each request with exactly one frame (docs/protocol.md, "Messages").
//
// Purpose:   the only library that knows both the link and the engine.
// Usage:     `Server server(config); server.begin();` then server.on_byte() for each byte that arrives. Answers are
//     written before on_byte() returns; an inference takes place inside it.
// Ownership: the buffers and functions of the config are the caller's and outlive the server.
//     Between requests the send buffer holds the last answer, which may be asked for again.
// Limits:    one session, no heap; between requests it remembers whether there was a HELLO, the last answer, and how the
//     engine was last prepared and profiled.
#ifndef TINYHIL_SERVER_H_
#define TINYHIL_SERVER_H_

#include <stddef.h>
#include <stdint.h>

#include "frames.h"
#include "messages.h"

namespace tinyhil {

struct ServerConfig {
  uint16_t max_payload;       // link::kMinPayload..link::kMaxPayload
  uint8_t window;             // 1..255: requests that the way to on_byte() holds while the server works
  uint8_t* receive_buffer;    // max_payload + link::kFrameOverhead bytes
  uint8_t* send_buffer;       // as many, elsewhere
  link::Write write;          // takes all bytes, in order, before it returns
  void* write_context;        // handed to write
  uint32_t (*boot_id)();      // constant until the device starts again; called when a request has arrived
  uint32_t tick_rate;         // ticks per second of `ticks`, 0 without a clock
  uint32_t (*ticks)();        // runs freely over all 32 bits; null exactly when tick_rate is 0
  uint32_t stack_bytes;       // of the stack, 0 where that is not known
  uint32_t (*stack_used)();   // most of them since start; 0 where that is not known
};

class Server {
 public:
  explicit Server(const ServerConfig& config);

  // Initialises the engine. A failure is kept and reported to whoever asks for the model. Called again, it ends the
  // session: a host finds a device that has started anew.
  void begin();

  // Whether the engine has accepted the model.
  bool works() const { return init_status_ == 0; }

  void on_byte(uint8_t byte);
  void receive(const uint8_t* bytes, size_t length);

  // Counts of frames and of rejected chunks.
  const link::FrameDecoder& decoder() const { return decoder_; }

 private:
  // Each handler writes the payload of the answer and leaves its type in answer_.
  size_t answer(const link::Frame& request);
  size_t hello(const link::Frame& request);
  size_t describe(const link::Frame& request);
  size_t infer(const link::Frame& request);
  size_t reset(const link::Frame& request);
  size_t write(const link::Frame& request);
  size_t run(const link::Frame& request);
  size_t read(const link::Frame& request);
  size_t usage(const link::Frame& request);
  size_t arena(const link::Frame& request);
  size_t profile(const link::Frame& request);
  uint32_t compute(const link::Infer& infer, uint8_t* outputs);
  uint32_t ticks() const { return config_.tick_rate != 0 ? config_.ticks() : 0; }
  size_t error(link::ErrorCode code, uint32_t detail);

  ServerConfig config_;
  link::FrameDecoder decoder_;
  uint8_t* payload_;        // of the answer, inside the send buffer
  uint8_t answer_;          // type of the answer
  uint8_t asked_;           // type of the request that it answers; HELLO where no answer is kept
  uint16_t length_;         // of its payload
  uint32_t sequence_;       // of both
  bool ready_;              // there was a HELLO
  bool resized_;            // ARENA has prepared the engine since begin() or the last HELLO
  uint16_t profiled_;       // operators in the result of the last PROFILE, 0 where there is none
  uint32_t init_status_;    // of the engine, when it was last prepared
  uint32_t input_bytes_;    // of one vector; 0xFFFF also for more, which no payload holds
  uint32_t output_bytes_;
};

}  // namespace tinyhil

#endif  // TINYHIL_SERVER_H_

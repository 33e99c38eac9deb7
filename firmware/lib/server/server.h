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
  link::Sink write;           // takes all bytes, in order, before it returns
  void* write_context;        // handed to write
  uint32_t (*boot_id)();      // constant until the device starts again; called when a request has arrived
  uint32_t tick_rate;         // ticks per second of `ticks`, 0 without a clock
  uint32_t (*ticks)();        // runs freely over all 32 bits; null exactly when tick_rate is 0
  uint32_t stack_bytes;       // of the stack, 0 where that is not known
  uint32_t (*stack_used)();   // most of them since start; 0 where that is not known
  uint32_t max_rate;          // bit/s that the line can go over to; 0 where its rate is fixed, and the next two are unused
  bool (*set_rate)(uint32_t);  // as port.h has it
  uint32_t (*milliseconds)();  // likewise; called from the first change of the rate on
};

struct TensorInfo;

// The preprocessing of a sketch: from one raw sample to the model's inputs.
struct Preprocessing {
  const TensorInfo* raw;  // type and shape of the raw sample
  void* memory;           // where it lies: raw->bytes bytes
  void (*run)();          // writes the inputs; null where there is no preprocessing
};

// Known to a server that was compiled with TINYHIL_PREPROCESSING, as around sketches: PREPROCESS is answered, and WRITE
// and READ reach the raw sample and the inputs, while there is one.
extern Preprocessing preprocessing;

class Server {
 public:
  explicit Server(const ServerConfig& config);

  // Initialises the engine. A failure is kept and reported to whoever asks for the model. Called again, it ends the
  // session: a host finds a device that has started anew.
  void begin();

  // Whether the engine has accepted the model.
  bool works() const { return init_status_ == 0; }

  // Whether the last request was a GOODBYE: nobody is there who waits for anything.
  bool parted() const { return answer_ == link::kParted; }

  void on_byte(uint8_t byte);
  void receive(const uint8_t* bytes, size_t length);

  // To be called whenever nothing has arrived: takes the line back to its first rate where no frame comes at another one.
  void on_silence();

  // Counts of frames and of rejected chunks.
  const link::FrameDecoder& decoder() const { return decoder_; }

 private:
  // What has to be there before a request is carried out; else it is answered `not ready`, or `init failed`.
  enum Needs : uint8_t { kNothing, kSession, kModel };

  // One exchange that the server knows. The handler finds the request in decoder_.frame(), its length checked, writes the
  // payload of the answer to payload_, or an error(), and returns its length.
  struct Row {
    uint8_t request;
    uint8_t length;  // of the request's payload, as link::fits() takes it
    uint8_t answer;
    Needs needs;
    size_t (*handler)(Server& server);
  };
  static const Row kExchanges[];

  // A method as the handler of a row.
  template <size_t (Server::*method)()>
  static size_t call(Server& server);

  size_t answer(const link::Frame& request);
  size_t hello();
  size_t describe();
  size_t infer();
  size_t reset();
  size_t write();
  size_t run();
  size_t read();
  size_t usage();
  size_t arena();
  size_t profile();
  size_t baud();
  size_t goodbye();
  size_t preprocess();
  void keep_rate();
  uint32_t compute(const link::Infer& infer, uint8_t* outputs);
  uint32_t ticks() const { return config_.tick_rate != 0 ? config_.ticks() : 0; }
  size_t error(link::ErrorCode code, uint32_t detail);

  // What most code uses stands first, where instructions of two bytes reach it.
  uint8_t answer_;          // type of the answer
  uint8_t request_;         // type of the request that it answers; HELLO where no answer is kept
  uint16_t length_;         // of the answer's payload
  bool ready_;              // there was a HELLO
  bool resized_;            // ARENA has prepared the engine since begin() or the last HELLO
  bool proven_;             // a frame has come at the rate that the line went over to
  uint16_t profiled_;       // operators in the result of the last PROFILE, 0 where there is none
  uint32_t sequence_;       // of request and answer
  uint32_t init_status_;    // of the engine, when it was last prepared
  uint32_t input_bytes_;    // of one vector; 0xFFFF also for more, which no payload holds
  uint32_t output_bytes_;
  uint8_t* payload_;        // of the answer, inside the send buffer
  uint32_t rate_;           // of the line, 0 for its first one
  uint32_t next_rate_;      // that it goes over to after the answer
  uint32_t heard_;          // milliseconds at the last frame, while the rate is not the first one
  ServerConfig config_;
  link::FrameDecoder decoder_;
};

}  // namespace tinyhil

#endif  // TINYHIL_SERVER_H_

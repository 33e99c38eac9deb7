// The model and its verification, for a sketch of your own: the one header of the library that a sketch includes.
//
// Purpose:   tinyhil verifies the very firmware that runs your sensors: between frames of a host the model is yours,
//     while a host talks it is the host's.
// Usage:     tinyhil_setup() in setup(), then tinyhil_poll() at least every few milliseconds, first in loop():
//
//         if (tinyhil_poll()) return;        // a host has the model
//         static_cast<int8_t*>(tinyhil_input(0))[0] = ...;
//         if (tinyhil_invoke()) use(static_cast<const int8_t*>(tinyhil_output(0))[0]);
//
// Ownership: the serial line that the host talks over is the library's: tinyhil_setup() opens it, and whatever the
//     sketch prints goes through tinyhil_print(). setup(), loop() and main() are the sketch's.
// Limits:    one model per image; all calls from one thread of execution, none from an interrupt.
#ifndef TINYHIL_H_
#define TINYHIL_H_

#include <stdint.h>

#include "engine.h"  // tinyhil::kModelInfo: types, shapes, scales and zero points of the model's inputs and outputs

// Opens the line and prepares the model.
void tinyhil_setup();

// Answers what has arrived on the line. Returns whether a host has the model: from its first frame on until its goodbye,
// or else 30 s after its last one (TINYHIL_SKETCH_AFTER_MS), and then nothing below has an effect. Does not wait while
// the model is yours.
bool tinyhil_poll();

// Where input `index` has to be written before each tinyhil_invoke(), which may destroy it:
// tinyhil::kModelInfo.input[index].bytes bytes. Null while a host has the model, where there is no such input, and where
// the engine has not accepted the model.
void* tinyhil_input(uint8_t index);

// Computes the outputs from the inputs. False, and no outputs, where the engine failed or a host has the model.
bool tinyhil_invoke();

// Where output `index` can be read after tinyhil_invoke(): tinyhil::kModelInfo.output[index].bytes bytes. Null as
// tinyhil_input() is.
const void* tinyhil_output(uint8_t index);

// Takes a model that remembers back to its beginning; has no effect on any other, nor while a host has the model.
void tinyhil_reset();

// Sends text over the line, between the frames; nothing while a host has the model.
void tinyhil_print(const char* text);

// Has the sketch's preprocessing verified as well: once, after tinyhil_setup().
//
//     int16_t window[8];
//     void preprocess() { static_cast<int8_t*>(tinyhil_input(0))[0] = ... window ...; }
//     tinyhil_preprocess(preprocess, window);
//
// `preprocess` takes one raw sample, which lies in `raw`, to the model's inputs, and the sketch calls it for its own
// inferences too. A host that has the model writes its raw samples to `raw`, has `preprocess` called, within which
// tinyhil_input() is not null then, and compares the inputs that it has made. So nothing else may write to `raw`
// meanwhile, such as an interrupt, and what `preprocess` makes depends on `raw` alone.
//
// `raw` is a number or an array, of up to five dimensions, of int8_t, uint8_t, int16_t, int32_t (or int) or float.
template <typename Raw>
void tinyhil_preprocess(void (*preprocess)(), Raw& raw);

// For pacing, where there is no millis(): runs over after 2^32.
uint32_t tinyhil_milliseconds();

// Sleeps until a byte arrives, for a few milliseconds at most: for a sketch that has nothing to do. An Arduino core only
// gets its turn.
void tinyhil_rest();

namespace tinyhil {
namespace raw {

constexpr uint8_t kMaxRank = 6;

template <DType type>
struct Number {
  static constexpr DType kType = type;
  static constexpr uint8_t kRank = 1;
  static void shape(uint32_t*) {}
};

// An int32_t is an int for one compiler and a long for another, and sketches say int: signed integers go by their size.
template <typename T>
struct Size {
  static constexpr unsigned kBytes = 0;  // no such integer
};
template <>
struct Size<short> {
  static constexpr unsigned kBytes = sizeof(short);
};
template <>
struct Size<int> {
  static constexpr unsigned kBytes = sizeof(int);
};
template <>
struct Size<long> {
  static constexpr unsigned kBytes = sizeof(long);
};

template <unsigned kBytes>
struct Signed : Number<DType::kInt32> {
  static_assert(kBytes == 4, "a raw sample is a number or an array of int8_t, uint8_t, int16_t, int32_t or float");
};
template <>
struct Signed<2> : Number<DType::kInt16> {};

// Type and shape of a number or an array: the first of its dimensions is 1, that of a batch.
template <typename T>
struct Of : Signed<Size<T>::kBytes> {};
template <>
struct Of<int8_t> : Number<DType::kInt8> {};
template <>
struct Of<uint8_t> : Number<DType::kUint8> {};
template <>
struct Of<float> : Number<DType::kFloat32> {};

template <typename T, decltype(sizeof(0)) kLength>
struct Of<T[kLength]> {
  static constexpr DType kType = Of<T>::kType;
  static constexpr uint8_t kRank = Of<T>::kRank + 1;
  static void shape(uint32_t* to) {
    *to = kLength;
    Of<T>::shape(to + 1);
  }
};

void set(void (*preprocess)(), void* memory, uint32_t bytes, DType type, uint8_t rank, const uint32_t* shape);

}  // namespace raw
}  // namespace tinyhil

template <typename Raw>
void tinyhil_preprocess(void (*preprocess)(), Raw& raw) {
  typedef tinyhil::raw::Of<Raw> Info;
  static_assert(Info::kRank <= tinyhil::raw::kMaxRank, "a raw sample has five dimensions at most");
  uint32_t shape[tinyhil::raw::kMaxRank] = {1};
  Info::shape(shape + 1);
  tinyhil::raw::set(preprocess, &raw, sizeof(raw), Info::kType, Info::kRank, shape);
}

#endif  // TINYHIL_H_

// The application: the server over the port, as the calls that every main() and every sketch needs.
//
// A model that has a demo shows it until the first valid frame arrives, and again after a GOODBYE, or when no frame has
// come for a while. Around a sketch of the user's own it is the sketch that goes on in between
// (TINYHIL_SKETCH_AFTER_MS).
//
// Usage: setup() once, then poll() for ever; each call takes at most one byte from the line.
#ifndef TINYHIL_APP_H_
#define TINYHIL_APP_H_

namespace tinyhil {

struct TensorInfo;

namespace app {

void setup();

// Returns whether there was a byte. Sleeps where there was none, unless a sketch is to go on.
bool poll();

// Whether the engine has accepted the model.
bool works();

// Whether a host has the model: a frame has arrived, and no GOODBYE nor a long silence after it. Never without a demo or a
// sketch, which are what it matters to.
bool held();

// Around a sketch: from now on a host can have `run` called, which takes the raw sample in `memory` to the model's
// inputs. `raw` has the sample's type and shape, and stays where it is.
void preprocess(const TensorInfo& raw, void* memory, void (*run)());

}  // namespace app
}  // namespace tinyhil

#endif  // TINYHIL_APP_H_

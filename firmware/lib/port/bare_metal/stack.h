// How far down the stack has ever reached, by the paint that it has not worn off.
//
// Usage:  paint_stack() at reset, while hardly anything is on the stack; port::stack_bytes() and port::stack_used(),
//     which port.h declares, at any time later.
// Limits: a word that was written, but with the paint's own value, counts as not used.
#ifndef TINYHIL_BARE_METAL_STACK_H_
#define TINYHIL_BARE_METAL_STACK_H_

namespace tinyhil {
namespace port {

// Paints what lies below the caller. Needs no variable, so it may run before those are initialised.
void paint_stack();

}  // namespace port
}  // namespace tinyhil

#endif  // TINYHIL_BARE_METAL_STACK_H_

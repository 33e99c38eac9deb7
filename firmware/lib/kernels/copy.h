// Moves elements without looking at them: one loop for everything that transposes, slices, joins, repeats or reverses.
#ifndef TINYHIL_KERNELS_COPY_H_
#define TINYHIL_KERNELS_COPY_H_

#include <stdint.h>

namespace tinyhil {
namespace kernels {

constexpr int32_t kCopyRank = 6;

// Nested loops, from the outermost to the innermost, that copy `bytes` each time. Steps are in bytes; that of the source
// may be 0 (repeat) and both may be negative (reverse).
struct Copy {
  int32_t bytes;
  int32_t rank;  // 1 .. kCopyRank
  int32_t counts[kCopyRank];  // each at least 1
  int32_t from[kCopyRank];
  int32_t to[kCopyRank];
};

// `from` and `to` are where the first element is read and written. What is written is not read by the same call.
void copy(const Copy& copy, const void* from, void* to);

// Writes `count` elements of `size` (1, 2 or 4) bytes that all have the value of the lowest bytes of `value`.
void fill(void* to, int32_t count, int32_t size, int32_t value);

// For each of `outer` blocks of `extent` entries of `bytes`: copies the entries that `indices` names. An index that is
// not in 0 .. extent - 1 is taken as the nearest that is: TFLM would read something else's memory.
void pick(const void* from, void* to, const int32_t* indices, int32_t count, int32_t outer, int32_t extent, int32_t bytes);

// Nearest neighbours: output row y, column x is input row rows[y], column columns[x], of `bytes` each.
struct Neighbours {
  int32_t batches;
  int32_t input_height;
  int32_t input_width;
  int32_t output_height;
  int32_t output_width;
  int32_t bytes;
};
void resize_nearest(const Neighbours& sizes, const int16_t* rows, const int16_t* columns, const void* from, void* to);

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_COPY_H_

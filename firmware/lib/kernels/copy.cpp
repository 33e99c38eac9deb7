#include "copy.h"

#include <string.h>

namespace tinyhil {
namespace kernels {
namespace {

// The innermost loop. A size that the compiler knows is a load and a store instead of a call.
template <uint32_t kBytes>
void copy_each(int32_t count, const uint8_t* from, int32_t from_step, uint8_t* to, int32_t to_step) {
  for (; count > 0; --count, from += from_step, to += to_step) memcpy(to, from, kBytes);
}

void copy_row(const Copy& copy, const uint8_t* from, uint8_t* to) {
  const int32_t last = copy.rank - 1;
  const int32_t count = copy.counts[last];
  const int32_t from_step = copy.from[last];
  const int32_t to_step = copy.to[last];
  switch (copy.bytes) {
    case 1:
      return copy_each<1>(count, from, from_step, to, to_step);
    case 2:
      return copy_each<2>(count, from, from_step, to, to_step);
    case 4:
      return copy_each<4>(count, from, from_step, to, to_step);
    default:
      for (int32_t i = 0; i < count; ++i) {
        memcpy(to + i * to_step, from + i * from_step, static_cast<uint32_t>(copy.bytes));
      }
  }
}

}  // namespace

void copy(const Copy& copy, const void* from, void* to) {
  const uint8_t* source = static_cast<const uint8_t*>(from);
  uint8_t* target = static_cast<uint8_t*>(to);
  int32_t at[kCopyRank] = {0, 0, 0, 0, 0, 0};
  for (;;) {
    copy_row(copy, source, target);
    int32_t dimension = copy.rank - 2;
    for (; dimension >= 0; --dimension) {
      source += copy.from[dimension];
      target += copy.to[dimension];
      if (++at[dimension] < copy.counts[dimension]) break;
      at[dimension] = 0;
      source -= copy.from[dimension] * copy.counts[dimension];
      target -= copy.to[dimension] * copy.counts[dimension];
    }
    if (dimension < 0) return;
  }
}

void fill(void* to, int32_t count, int32_t size, int32_t value) {
  if (size == 1) {
    memset(to, value, static_cast<uint32_t>(count));
    return;
  }
  uint8_t* target = static_cast<uint8_t*>(to);
  // Little-endian: the lowest bytes come first.
  for (; count > 0; --count, target += size) memcpy(target, &value, static_cast<uint32_t>(size));
}

void pick(const void* from, void* to, const int32_t* indices, int32_t count, int32_t outer, int32_t extent, int32_t bytes) {
  const uint8_t* source = static_cast<const uint8_t*>(from);
  uint8_t* target = static_cast<uint8_t*>(to);
  for (; outer > 0; --outer, source += extent * bytes) {
    for (int32_t i = 0; i < count; ++i, target += bytes) {
      const int32_t index = indices[i] < 0 ? 0 : indices[i] < extent ? indices[i] : extent - 1;
      memcpy(target, source + index * bytes, static_cast<uint32_t>(bytes));
    }
  }
}

void resize_nearest(const Neighbours& sizes, const int16_t* rows, const int16_t* columns, const void* from, void* to) {
  const uint8_t* source = static_cast<const uint8_t*>(from);
  uint8_t* target = static_cast<uint8_t*>(to);
  const int32_t row_bytes = sizes.input_width * sizes.bytes;
  for (int32_t batch = 0; batch < sizes.batches; ++batch, source += sizes.input_height * row_bytes) {
    for (int32_t y = 0; y < sizes.output_height; ++y) {
      const uint8_t* row = source + rows[y] * row_bytes;
      for (int32_t x = 0; x < sizes.output_width; ++x, target += sizes.bytes) {
        memcpy(target, row + columns[x] * sizes.bytes, static_cast<uint32_t>(sizes.bytes));
      }
    }
  }
}

}  // namespace kernels
}  // namespace tinyhil

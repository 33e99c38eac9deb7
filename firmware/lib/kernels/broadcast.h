// Walks two inputs of different shapes along the output that they are stretched to.
#ifndef TINYHIL_KERNELS_BROADCAST_H_
#define TINYHIL_KERNELS_BROADCAST_H_

#include <stdint.h>

#include "fixed_point.h"

namespace tinyhil {
namespace kernels {

constexpr int32_t kMostDimensions = 6;

// The output's dimensions, the innermost first, neighbours that are walked alike taken as one. A jump is what is added to
// an input's position when a dimension goes on by one, after the dimensions inside it are through: for the innermost
// the distance of two elements, 0 or 1.
struct Broadcast {
  int32_t dimensions;  // 1 .. kMostDimensions
  int32_t sizes[kMostDimensions];
  int32_t jumps1[kMostDimensions];
  int32_t jumps2[kMostDimensions];
};

// output = function(input1, input2) for every element.
template <typename T, typename U, typename Function>
TINYHIL_INLINE void for_each_pair(const Broadcast& shape, const T* input1, const U* input2, T* output,
                                  const Function& function) {
  int32_t positions[kMostDimensions] = {};
  const int32_t size = shape.sizes[0];
  const int32_t step1 = shape.jumps1[0];
  const int32_t step2 = shape.jumps2[0];
  int32_t dimension;
  do {
    for (const T* const end = output + size; output != end; ++output) {
      *output = function(*input1, *input2);
      input1 += step1;
      input2 += step2;
    }
    for (dimension = 1; dimension < shape.dimensions; ++dimension) {
      input1 += shape.jumps1[dimension];
      input2 += shape.jumps2[dimension];
      if (++positions[dimension] < shape.sizes[dimension]) break;
      positions[dimension] = 0;
    }
  } while (dimension < shape.dimensions);
}

}  // namespace kernels
}  // namespace tinyhil

#endif  // TINYHIL_KERNELS_BROADCAST_H_

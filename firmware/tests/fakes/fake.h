// What the driver and every fake engine share.
//
// Each .cpp beside this is a whole engine with its model; a program contains exactly one of them, as a project does.
// Every tensor is an object of its own, so that the address sanitizer sees one byte too many.
#ifndef TINYHIL_TESTS_FAKES_FAKE_H_
#define TINYHIL_TESTS_FAKES_FAKE_H_

#include <stdint.h>

namespace fake {

extern uint32_t init_status;  // what init() returns
extern uint32_t clock_ticks;  // now; the driver starts it shortly before it runs over

const uint32_t kTicksEach = 100;    // that an inference takes
const uint32_t kInvokeStatus = 77;  // of one that fails
const uint32_t kPrepareStatus = 9;  // of an arena that is too small

const uint8_t kModelHash[32] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA,
                                0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 1,    2,    3,    4,    5,    6,
                                7,    8,    9,    10,   11,   12,   13,   14,   15,   16};
const uint8_t kProjectHash[32] = {0xFE, 0xDC};

}  // namespace fake

#endif  // TINYHIL_TESTS_FAKES_FAKE_H_

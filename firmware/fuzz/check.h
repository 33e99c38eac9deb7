// What a fuzzer does when a promise of the code under test is broken: it says which one and aborts, so that libFuzzer
// keeps the input.
#ifndef TINYHIL_FUZZ_CHECK_H_
#define TINYHIL_FUZZ_CHECK_H_

#include <stdio.h>
#include <stdlib.h>

#define CHECK(promise)                                                         \
  do {                                                                         \
    if (!(promise)) {                                                          \
      fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #promise); \
      abort();                                                                 \
    }                                                                          \
  } while (0)

#endif  // TINYHIL_FUZZ_CHECK_H_

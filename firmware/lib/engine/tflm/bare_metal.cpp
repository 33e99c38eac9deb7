// What TFLM asks of its platform, on a chip without an Arduino core, which would have it.
//
// The library leaves its own DebugLog() out where ARDUINO_EXCLUDE_CODE is defined, as it is for targets without that
// framework. Messages go nowhere: the engine reports by its statuses. Newer versions of the library hand over more
// arguments, which the C calling convention allows to ignore.
//
// Where the library finds itself in a state that cannot be, it aborts or fails an assertion: the CPU faults, and the port
// says where. What newlib does then would bring along signals, files and a heap.
#ifdef ARDUINO_EXCLUDE_CODE

extern "C" {

void DebugLog(const char*);
void abort() __attribute__((noreturn));
void __assert_func(const char*, int, const char*, const char*) __attribute__((noreturn));

void DebugLog(const char*) {}

void abort() { __builtin_trap(); }

void __assert_func(const char*, int, const char*, const char*) { __builtin_trap(); }

}  // extern "C"

#endif  // ARDUINO_EXCLUDE_CODE

// Where TFLM's messages go on a chip without an Arduino core: nowhere. The engine reports by its statuses.
//
// The library leaves its own DebugLog() out where ARDUINO_EXCLUDE_CODE is defined, which the project does for targets
// without that framework. Newer versions of it hand over more arguments, which the C calling convention allows to ignore.
#ifdef ARDUINO_EXCLUDE_CODE

extern "C" void DebugLog(const char*);

extern "C" void DebugLog(const char*) {}

#endif  // ARDUINO_EXCLUDE_CODE

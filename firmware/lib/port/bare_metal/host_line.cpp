// The operations of Arm's "Semihosting for AArch32 and AArch64", chapter 4, which RISC-V has as well.
#include "host_line.h"

#include "cpu.h"

namespace tinyhil {
namespace port {
namespace host_line {
namespace {

const uint32_t kOpen = 0x01;
const uint32_t kWrite = 0x05;
const uint32_t kRead = 0x06;
const uint32_t kGetCommandLine = 0x15;
const uint32_t kReadAndWrite = 3;  // "r+b"
const uint32_t kFailed = 0xFFFFFFFFu;

// What the host leaves at the beginning of RAM before the chip starts, and leaves out where there is no semihosting.
struct Mark {
  uint32_t word;
  uint32_t seed;
};
__attribute__((section(".host_line"), used)) volatile Mark mark;
const uint32_t kSemihosting = 0x74696E79;

uint32_t file;
uint8_t taken[256];  // what read() has fetched at once
uint32_t begin;
uint32_t end;

}  // namespace

bool open() {
  if (mark.word != kSemihosting) return false;
  // The command line is the terminal's path; `taken` has no other use yet.
  uint32_t line[2] = {reinterpret_cast<uint32_t>(taken), sizeof(taken)};
  if (cpu::ask_host(kGetCommandLine, line) == kFailed) return false;
  const uint32_t name[3] = {reinterpret_cast<uint32_t>(taken), kReadAndWrite, line[1]};
  file = cpu::ask_host(kOpen, name);
  return file != kFailed;
}

uint32_t seed() { return mark.word == kSemihosting ? mark.seed : 0; }

int read() {
  if (begin == end) {
    const uint32_t wanted[3] = {file, reinterpret_cast<uint32_t>(taken), sizeof(taken)};
    const uint32_t missing = cpu::ask_host(kRead, wanted);
    if (missing >= sizeof(taken)) return -1;
    begin = 0;
    end = sizeof(taken) - missing;
  }
  return taken[begin++];
}

void write(const uint8_t* bytes, size_t length) {
  while (length != 0) {
    const uint32_t given[3] = {file, reinterpret_cast<uint32_t>(bytes), length};
    const uint32_t left = cpu::ask_host(kWrite, given);
    if (left >= length) return;  // the line is gone
    bytes += length - left;
    length = left;
  }
}

}  // namespace host_line
}  // namespace port
}  // namespace tinyhil

"""What boot loaders print, and programs that crash: patterns by which their lines are known.

The texts are those of ESP-IDF's ROM and second boot loader and its panic handler (Xtensa and RISC-V), of Mbed OS' fault
handler (Nano 33 BLE), of Zephyr and MCUboot, of the Pico SDK, and of our own port for bare metal.
"""

from __future__ import annotations

import re

_DOWNLOAD = re.compile(
    r"waiting for download|\(DOWNLOAD|DOWNLOAD_BOOT|wait usb download|serial recovery", re.IGNORECASE
)

_NO_PROGRAM = re.compile(
    r"invalid header: 0x|flash read err|csum err|No bootable app partitions|Image is not bootable|"
    r"ota data partition invalid|Unable to find bootable image|invalid magic number",
    re.IGNORECASE,
)

_BOOT = re.compile(
    r"^ets [A-Z][a-z]{2} |^ESP-ROM:|^Build:[A-Z][a-z]{2} |^rst:0x|,?boot:0x[0-9a-f]+ ?\(|^Saved PC:0x|^SPIWP:0x|"
    r"^configsip: \d|^clk_drv:0x|^mode:(DIO|DOUT|QIO|QOUT)|^load:0x|^entry 0x|^ho \d+ tail \d+ room|"
    r"^(\x1b\[[\d;]*m)?[IWE] \(\d+\) (boot|esp_image|bootloader_\w+|cpu_start)\b|"
    r"Booting MCUboot|MCUboot|^\[?\w*\]? ?Starting bootloader|^U-Boot ",
)

_CRASH = re.compile(
    r"Guru Meditation Error|^Backtrace:|abort\(\) was called at|assert failed:|Task watchdog got triggered|"
    r"Stack canary watchpoint triggered|\*\*\*ERROR\*\*\* A stack overflow|Brownout detector was triggered|"
    r"\+\+ MbedOS (Fault Handler|Error Info) \+\+|ZEPHYR FATAL ERROR|\*\*\* PANIC \*\*\*|"
    r"rst:0x[0-9a-f]+ \((\w*WDT\w*|SW_CPU_RESET|RTC_SW_CPU_RST|\w*BROWN_?OUT\w*|PANIC\w*)\)|HardFault|"
    r"^fault [0-9a-f]{2} at [0-9a-f]{8}$",
    re.IGNORECASE,
)

ADDRESS = re.compile(
    r"(?:^fault [0-9a-f]{2} at |\bMEPC +: 0x|\bRA +: 0x|^PC *: (?:0x)?|^LR *: (?:0x)?|called at PC 0x)([0-9a-f]{8})",
    re.IGNORECASE | re.MULTILINE,
)
"""An address of code in a crash's lines; those of a backtrace are found by ``BACKTRACE``."""

BACKTRACE = re.compile(r"^Backtrace: ?((?:0x[0-9a-f]{8}(?::0x[0-9a-f]{8})? ?)+)", re.IGNORECASE | re.MULTILINE)


def waits_for_download(line: str) -> bool:
    """Whether a boot loader says that it waits for an image."""
    return _DOWNLOAD.search(line) is not None


def has_no_program(line: str) -> bool:
    """Whether a boot loader says that it found nothing to start."""
    return _NO_PROGRAM.search(line) is not None


def is_boot(line: str) -> bool:
    """Whether a boot loader has said this."""
    return bool(_BOOT.search(line)) or waits_for_download(line) or has_no_program(line)


def is_crash(line: str) -> bool:
    """Whether a program says by this that it has crashed."""
    return _CRASH.search(line) is not None


def addresses(text: str) -> list[int]:
    """The addresses of code in a crash's lines, each once, in their order."""
    found = [(match.start(), match[1]) for match in ADDRESS.finditer(text)]
    for match in BACKTRACE.finditer(text):
        pairs = match[1].split()
        found += [(match.start(), pair.partition(":")[0].removeprefix("0x")) for pair in pairs]
    return list(dict.fromkeys(int(digits, 16) for _, digits in sorted(found, key=lambda each: each[0])))

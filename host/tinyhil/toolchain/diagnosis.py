"""Finds the cause in the output of a build that failed.

A build prints hundreds of lines, and the first error is the cause of the rest. What PlatformIO, SCons, GCC and the
linker print is told apart by form; a message of a compiler comes before one of the linker, and that before the
complaint of a build tool that its child has failed.
"""

from __future__ import annotations

import re

_CAUSES = (
    re.compile(r"^\S.*?: (?:fatal |internal compiler )?error: (?!ld returned).*"),
    re.compile(
        r".*(?:undefined reference to|multiple definition of|will not fit in region|cannot find|cannot open"
        r"|/ld: (?!warning|.*in function)).*"
    ),
    re.compile(r"^(?:error|Error): .*"),
    re.compile(r"^[A-Z]\w*[a-z]\w*[A-Z]\w*:(?: |$)"),
    re.compile(r"^\*\*\* .*"),
)
"""Most specific first. The fourth is a Python exception, which is how PlatformIO reports what it cannot do."""

_STORAGE = re.compile(
    r"No space left on device|Read-only file system|Disk quota exceeded|Permission denied|is not writable"
    r"|can not store configuration data|(?:NotADirectoryError|FileExistsError): \[Errno \d+\] [^:]*"
)

_MISSING = re.compile(r"fatal error: \S+: No such file|cannot read spec file|could not find specs file|cannot find -l")


_TOO_LARGE = re.compile(r"region `?\w+'? overflowed by|will not fit in region|static data reaches into the stack")


def first_error(output: str) -> str:
    """The line that says why the build failed; the last one if none looks like it, empty if there is no output."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    for cause in _CAUSES:
        for line in lines:
            if cause.match(line):
                return line
    return lines[-1] if lines else ""


_UPLOADS = (
    (
        re.compile(r"Failed to connect to \S+|Wrong boot mode detected|No serial data received"),
        "hold the board's BOOT button while the upload begins, or look whether the cable carries data",
    ),
    (
        re.compile(r"No device found on \S+|Couldn't find a board on the selected port"),
        "press the board's reset button twice, quickly: it then stays in its boot loader; and try again",
    ),
    (
        re.compile(r"(?i)port is busy|device or resource busy|resource temporarily unavailable"),
        "close the serial monitor, IDE or test run that holds the port",
    ),
    (
        re.compile(r"(?i)permission denied"),
        "add yourself to the group that owns the port, on Debian `sudo usermod -aG dialout $USER`, and log in again",
    ),
    (
        re.compile(r"(?i)could not open (?:port )?\S+|no such file or directory"),
        "plug the board in; `tinyhil ports` shows what is there",
    ),
)
"""What uploaders say (esptool, bossac, PlatformIO), and what to do about it."""


def upload_problem(output: str) -> tuple[str, str]:
    """The line that says why an upload failed, and the next step; the first error if none is known."""
    for pattern, step in _UPLOADS:
        for line in output.splitlines():
            if pattern.search(line):
                return line.strip(), step
    return first_error(output), "the uploader's own words are above; -v shows them all"


def storage_problem(output: str) -> str:
    """What the disk refused, in the system's words; empty if that was not the cause."""
    found = _STORAGE.search(output)
    return found[0] if found else ""


def too_large(output: str) -> bool:
    """Whether the linker has no room for the image."""
    return _TOO_LARGE.search(output) is not None


def lacks_a_library(output: str) -> bool:
    """Whether the compiler is there, but not its C library or headers."""
    return _MISSING.search(output) is not None

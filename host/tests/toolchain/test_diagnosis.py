from __future__ import annotations

import pytest

from tinyhil.toolchain import diagnosis

HEADER = """\
Processing qemu-m4 (platform: tinyhil; board: mps2_an386)
CONFIGURATION: https://docs.platformio.org/page/boards/tinyhil/mps2_an386.html
PLATFORM: tinyhil emulators (1.0.0) > Arm MPS2 with AN386 (Cortex-M4F)
HARDWARE: CMSDK-CM4 25MHz, 4MB RAM, 4MB Flash
LDF Modes: Finder ~ chain, Compatibility ~ soft
Compiling .pio/build/qemu-m4/src/main.o
"""
FOOTER = "*** [.pio/build/qemu-m4/src/main.o] Error 1\n===== [FAILED] Took 1.54 seconds =====\n"


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (
            "src/main.cpp: In function 'int main()':\n"
            "src/main.cpp:4:7: error: 'x' was not declared in this scope\n"
            "src/main.cpp:9:7: error: 'y' was not declared in this scope\n",
            "src/main.cpp:4:7: error: 'x' was not declared in this scope",
        ),
        (
            "In file included from src/main.cpp:1:\nlib/a/a.h:1:10: fatal error: b.h: No such file or directory\n",
            "lib/a/a.h:1:10: fatal error: b.h: No such file or directory",
        ),
        (
            "cc1plus: error: unrecognized command-line option '-Wnothing'\n",
            "cc1plus: error: unrecognized command-line option '-Wnothing'",
        ),
        (
            "/usr/bin/ld: .pio/build/qemu-m4/src/main.o: in function `main':\n"
            "main.cpp:(.text.startup.main+0x4): undefined reference to `missing()'\n"
            "collect2: error: ld returned 1 exit status\n",
            "main.cpp:(.text.startup.main+0x4): undefined reference to `missing()'",
        ),
        (
            "/usr/bin/ld: firmware.elf section `.bss' will not fit in region `RAM'\n"
            "/usr/bin/ld: region `RAM' overflowed by 90 bytes\ncollect2: error: ld returned 1 exit status\n",
            "/usr/bin/ld: firmware.elf section `.bss' will not fit in region `RAM'",
        ),
        (
            "/usr/bin/ld: warning: firmware.elf has a LOAD segment with RWX permissions\n"
            "/usr/bin/ld: static data reaches into the stack\ncollect2: error: ld returned 1 exit status\n",
            "/usr/bin/ld: static data reaches into the stack",
        ),
        ("error: the project has no linker script x.ld\n", "error: the project has no linker script x.ld"),
        ("UnknownBoard: Unknown board ID 'moon'\n", "UnknownBoard: Unknown board ID 'moon'"),
        ("HTTPClientError: \n", "HTTPClientError:"),
        ("", "*** [.pio/build/qemu-m4/src/main.o] Error 1"),
    ],
)
def test_the_first_cause_is_found_among_the_rest(lines: str, cause: str) -> None:
    assert diagnosis.first_error(HEADER + lines + FOOTER) == cause


def test_output_without_any_known_form_gives_its_last_line() -> None:
    assert diagnosis.first_error("one\ntwo\n\n") == "two"
    assert diagnosis.first_error("") == ""


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("cc1: fatal error: error writing to /tmp/c.s: No space left on device", "No space left on device"),
        ("OSError: [Errno 30] Read-only file system: '.pio'", "Read-only file system"),
        ("FileExistsError: [Errno 17] File exists: '/p/.pio'", "FileExistsError: [Errno 17] File exists"),
        ("Error: Invalid value: Directory '/p' is not writable.", "is not writable"),
        ("src/main.cpp:4:7: error: 'x' was not declared", ""),
    ],
)
def test_what_the_disk_refused(line: str, problem: str) -> None:
    assert diagnosis.storage_problem(HEADER + line + "\n" + FOOTER) == problem


@pytest.mark.parametrize(
    ("line", "lacking"),
    [
        ("arm-none-eabi-gcc: fatal error: cannot read spec file 'nano.specs': No such file or directory", True),
        ("/usr/bin/ld: cannot find -lc_nano: No such file or directory", True),
        ("src/main.cpp:1:10: fatal error: stdint.h: No such file or directory", True),
        ("src/main.cpp:4:7: error: 'x' was not declared in this scope", False),
    ],
)
def test_a_compiler_without_its_library_is_told_from_an_error_in_the_source(line: str, lacking: bool) -> None:
    assert diagnosis.lacks_a_library(line) is lacking


@pytest.mark.parametrize(
    ("line", "large"),
    [
        ("/usr/bin/ld: firmware.elf section `.text' will not fit in region `FLASH'", True),
        ("/usr/bin/ld: region `RAM' overflowed by 90 bytes", True),
        ("/usr/bin/ld: static data reaches into the stack", True),
        ("main.cpp:(.text.startup.main+0x4): undefined reference to `missing()'", False),
    ],
)
def test_an_image_without_room_is_told_from_other_failures(line: str, large: bool) -> None:
    assert diagnosis.too_large(HEADER + line + "\n" + FOOTER) is large

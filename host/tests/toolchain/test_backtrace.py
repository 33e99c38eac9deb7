"""Addresses in what a crash printed, decoded by the real addr2line of an image that a real compiler made."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tinyhil.link import known_texts
from tinyhil.toolchain import backtrace

SOURCE = """\
volatile int seen;
extern "C" void culprit() { seen = 7; }
extern "C" void _start() { culprit(); for (;;) {} }
"""


@pytest.fixture(scope="module", params=["g++", "arm-none-eabi-g++", "riscv64-unknown-elf-g++"])
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which(request.param) is None:
        pytest.skip(f"blocked: {request.param} is not installed")
    folder = tmp_path_factory.mktemp("crash")
    (folder / "crash.cpp").write_text(SOURCE)
    flags = ["-g", "-O0", "-nostdlib", *(["-no-pie", "-static"] if request.param == "g++" else [])]
    subprocess.run([request.param, *flags, "crash.cpp", "-o", "firmware.elf"], cwd=folder, check=True)
    return folder / "firmware.elf"


def address(image: Path) -> str:
    listed = subprocess.run(["readelf", "-sW", image], capture_output=True, text=True, check=True).stdout
    found = re.search(r"([0-9a-f]{8,16}) +\d+ FUNC .* culprit$", listed, re.MULTILINE)
    assert found
    return f"{int(found[1], 16) & ~1:08x}"


@pytest.mark.parametrize(
    "said",
    [
        "fault 03 at {0}",
        "Guru Meditation Error: ...\nBacktrace: 0x{0}:0x3ffb21d0 0x00000001:0x3ffb21f0\n",
        "Guru Meditation Error: ...\nMEPC    : 0x{0}  RA      : 0x00000001  SP      : 0x3fc9\n",
        "abort() was called at PC 0x{0} on core 1",
        "++ MbedOS Fault Handler ++\nR12: 0\nLR   : 00000001\nPC   : {0}\n",
    ],
    ids=["ours", "xtensa", "risc-v", "abort", "mbed"],
)
def test_a_crash_is_decoded(image: Path, said: str) -> None:
    found = backtrace.decoded(said.format(address(image)), image)
    assert re.search(r": culprit(\(\))? at .*crash\.cpp:2$", found, re.MULTILINE), found
    assert "??" not in found


def test_nothing_is_said_of_what_is_unknown(image: Path, tmp_path: Path) -> None:
    assert backtrace.decoded("fault 03 at fffffff0", image) == ""
    assert backtrace.decoded("temperature 21.5", image) == ""
    assert backtrace.decoded(f"fault 03 at {address(image)}", tmp_path / "none") == ""
    (tmp_path / "text").write_text("no image")
    assert backtrace.decoded(f"fault 03 at {address(image)}", tmp_path / "text") == ""


def test_each_address_once_and_in_order() -> None:
    assert known_texts.addresses("Backtrace: 0x00000003:0x00000009 0x00000002:0x00000009 0x00000003:0x00000009") == [
        3,
        2,
    ]

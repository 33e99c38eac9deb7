"""A short run of each fuzzer, always the same, and proof that each of them finds what it is for.

The long runs are ``make fuzz``. Numbers of executions are fixed rather than seconds, so that a busy machine takes
longer and does the same.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from . import programs

pytestmark = pytest.mark.long

SEED = "20"
# About ten seconds of processor time each, and less where little of the code is its own.
RUNS = {"decoder": "25000", "server": "20000", "server --plain": "5000", "differential": "100"}
CASES_PER_BATCH = 4000  # at least

# A file of the firmware and a change to it that no compiler minds.
CANONICAL = ("lib/link/cobs.cpp", "code_ == 1 && previous_ == kFull", "false")
ONE_TOO_MANY = ("lib/link/cobs.cpp", "if (length_ < capacity_)", "if (length_ <= capacity_)")
LENGTH = ("lib/link/frames.cpp", "if (length > capacity_)", "if (length > capacity_ + 1)")
ANY_RAW_CRC = (
    "lib/server/server.cpp",
    "if (preprocessed.crc == preprocess.crc)",
    "if (true || preprocessed.crc == preprocess.crc)",
)
INPUT_TOO_MANY = (
    "lib/server/server.cpp",
    "static_cast<uint32_t>(kModelInfo.inputs) : 0u",
    "kModelInfo.inputs + 1u : 0u",
)
ANY_CRC = ("lib/server/server.cpp", "if (crc != run.crc)", "if (false && crc != run.crc)")


@pytest.fixture(scope="session")
def clang(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where libFuzzer is missing."""
    if (missing := programs.why_no_libfuzzer(tmp_path_factory.mktemp("clang"))) is not None:
        pytest.skip(missing)


def fuzz(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "host.tests.fuzz.run", "--seed", SEED, "--folder", str(folder), *arguments]
    return subprocess.run(
        command, cwd=programs.CHECKOUT, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


def broken(folder: Path, change: tuple[str, str, str]) -> Path:
    """A copy of the firmware's sources with one change."""
    firmware = folder / "firmware"
    shutil.copytree(programs.FIRMWARE / "lib", firmware / "lib")
    name, before, after = change
    source = (firmware / name).read_text(encoding="utf-8")
    assert source.count(before) == 1
    (firmware / name).write_text(source.replace(before, after), encoding="utf-8")
    return firmware


@pytest.mark.usefixtures("clang")
@pytest.mark.parametrize("which", ["decoder", "server", "server --plain"])
def test_libfuzzer_finds_nothing(which: str, tmp_path: Path, child_environment: dict[str, str]) -> None:
    name = which.split()[0]
    done = fuzz(child_environment, tmp_path, *which.split(), "--runs", RUNS[which])
    assert done.returncode == 0, done.stdout + done.stderr
    line = re.search(
        rf"^{name}: ([\d,]+) executions, [\d,]+/s, (\d+) edges, corpus of (\d+): no crash", done.stdout, re.M
    )
    assert line, done.stdout
    assert int(line[1].replace(",", "")) >= int(RUNS[which])


def test_the_two_decoders_agree(tmp_path: Path, child_environment: dict[str, str]) -> None:
    done = fuzz(child_environment, tmp_path, "differential", "--runs", RUNS["differential"])
    assert done.returncode == 0, done.stdout + done.stderr
    line = re.search(r"^differential: ([\d,]+) cases, .* (\d+) of (\d+) kinds .* 0 divergences$", done.stdout, re.M)
    assert line, done.stdout
    assert int(line[1].replace(",", "")) >= CASES_PER_BATCH * int(RUNS["differential"])
    assert line[2] == line[3]


@pytest.mark.usefixtures("clang")
@pytest.mark.parametrize(
    ("name", "change", "report"),
    [
        ("decoder", ONE_TOO_MANY, "AddressSanitizer: heap-buffer-overflow"),
        ("server", ANY_CRC, "broken promise: body[0] == answer.type"),
        ("server", ANY_RAW_CRC, "broken promise: fake::model.preprocessed == "),
        ("server", INPUT_TOO_MANY, "AddressSanitizer: global-buffer-overflow"),
    ],
)
def test_libfuzzer_finds_a_planted_error(
    name: str, change: tuple[str, str, str], report: str, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    done = fuzz(child_environment, tmp_path, name, "--runs", RUNS[name], "--firmware", str(broken(tmp_path, change)))
    assert done.returncode == 1, done.stdout + done.stderr
    assert report in done.stdout
    assert list(tmp_path.glob(f"{name}-crash-*"))


@pytest.mark.parametrize("change", [CANONICAL, LENGTH])
def test_the_differential_fuzzer_finds_a_planted_error(
    change: tuple[str, str, str], tmp_path: Path, child_environment: dict[str, str]
) -> None:
    firmware = str(broken(tmp_path, change))
    done = fuzz(child_environment, tmp_path, "differential", "--runs", RUNS["differential"], "--firmware", firmware)
    assert done.returncode == 1, done.stdout + done.stderr
    assert '"host events"' in done.stdout
    # Shrunk to one chunk.
    assert all(stream.count("00") and stream.endswith("00") for stream in re.findall(r'"stream": "(\w+)"', done.stdout))


def test_the_corpus_is_small() -> None:
    files = [path for path in programs.CORPUS.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} == {"decoder", "server"}
    assert sum(path.stat().st_size for path in files) < 200_000

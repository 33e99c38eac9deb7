"""The self-test notices every fault, and notices itself when a check no longer does its work."""

from __future__ import annotations

import json
import shutil
import signal
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tinyhil.cli.app import application
from tinyhil.compare import fidelity
from tinyhil.link import frames
from tinyhil.resources import read_tree
from tinyhil.session.identity import Identity

from .cli import Cli
from .test_interrupt import Running, wait_until

pytestmark = pytest.mark.long

OF_FILES = {"health", "model file", "samples", "manifest", "report"}
"""Kinds of faults that no device has to do with."""
PATIENCE = 900.0
"""Seconds after which a test gives up waiting; nothing is measured by it."""


def of_the_run(build: Path) -> dict[str, bytes]:
    """What belongs to the real firmware, and not to its faulty copies."""
    return {path: data for path, data in read_tree(build).items() if "/selftest/" not in path and ".lock" not in path}


def test_every_fault_in_the_sine_is_caught_for_the_right_reason_or_is_none(tinyhil: Cli, copied: Path) -> None:
    before = of_the_run(copied)
    child = tinyhil.start("selftest", "sine", "--target", "qemu-m4", "--build-dir", copied, "--json", "out.json")
    out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0, out + err
    found = json.loads((tinyhil.cwd / "out.json").read_text())
    assert (found["verdict"], found["exhaustive"], found["not_planted"]) == ("pass", True, [])
    assert len(found["faults"]) >= 30
    assert {each["kind"] for each in found["faults"]} > OF_FILES
    for each in found["faults"]:
        if each["outcome"] == "equivalent":
            assert each["expected"] == "fidelity"
        else:
            assert (each["outcome"], each["caught_by"]) == ("caught", each["expected"]), each
    assert found["counts"]["equivalent"] < found["counts"]["caught"]
    assert out.splitlines()[-1].startswith(f"PASS  self-test of sine on qemu-m4 (compiled): {len(found['faults'])} ")
    assert of_the_run(copied) == before


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, tiny_model: bytes) -> Path:
    """A folder with a small model file, and soon with its firmware for ``native``."""
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    folder = tmp_path_factory.mktemp("selftest")
    (folder / "small.tflite").write_bytes(tiny_model)
    return folder


@pytest.fixture
def selftest(workshop: Path) -> Callable[..., tuple[int, Any]]:
    """Runs the command in this process, so that a check can be taken out of it: exit code, and what it found."""

    def run(*kinds: str) -> tuple[int, Any]:
        out = workshop / "out.json"
        out.unlink(missing_ok=True)
        only = [part for kind in kinds for part in ("--only", kind)]
        arguments = ["selftest", str(workshop / "small.tflite"), "--target", "native", "--json", str(out), *only]
        before = signal.getsignal(signal.SIGTERM)
        try:
            done = CliRunner().invoke(application(arguments), [*arguments, "--build-dir", str(workshop / "build")])
        finally:
            signal.signal(signal.SIGTERM, before)
        return done.exit_code, json.loads(out.read_text()) if out.exists() else done.output

    return run


KINDS = ("bias", "other build", "checksum")


def test_with_all_checks_in_place_the_same_faults_are_caught(selftest: Callable[..., tuple[int, Any]]) -> None:
    code, found = selftest(*KINDS)
    assert code == 0, found
    assert {each["kind"] for each in found["faults"]} == set(KINDS)
    assert {each["outcome"] for each in found["faults"]} == {"caught"}
    assert found["exhaustive"] is False


def without_fidelity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        fidelity, "compare", lambda device, *_: fidelity.Differences(len(device[0]), mismatches=0, max_lsb=0, first=())
    )


def without_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Identity, "check", lambda *_: None)


def without_crc(monkeypatch: pytest.MonkeyPatch) -> None:
    class AnyCrc(int):
        """Equal to whatever the frame says."""

        def __ne__(self, other: object) -> bool:
            return False

        __hash__ = int.__hash__

    class Zlib:
        crc32 = staticmethod(lambda data: AnyCrc(zlib.crc32(data)))

    monkeypatch.setattr(frames, "zlib", Zlib)


@pytest.mark.parametrize(
    ("disable", "kind"), [(without_fidelity, "bias"), (without_identity, "other build"), (without_crc, "checksum")]
)
def test_a_check_that_no_longer_works_is_found_out(
    selftest: Callable[..., tuple[int, Any]],
    monkeypatch: pytest.MonkeyPatch,
    disable: Callable[[pytest.MonkeyPatch], None],
    kind: str,
) -> None:
    disable(monkeypatch)
    code, found = selftest(kind)
    assert code == 1, found
    assert found["verdict"] == "fail"
    assert {each["outcome"] for each in found["faults"]} == {"missed"}


def test_where_the_firmware_cannot_be_run_nothing_is_caught(
    tinyhil: Cli, copied: Path, path_without: Callable[..., str]
) -> None:
    blind = Cli(tinyhil.cwd, tinyhil.mark, path_without("qemu-system-arm"))
    done = blind("selftest", "sine", "--build-dir", copied)
    assert done.code == 3, done.out + done.err
    assert "qemu-system-arm is not installed" in done.err


def test_what_cannot_be_asked_for(tinyhil: Cli, copied: Path) -> None:
    done = tinyhil("selftest", "sine", "--build-dir", copied, "--only", "typo")
    assert (done.code, "there is no kind of fault 'typo'" in done.err) == (2, True), done.err
    done = tinyhil("selftest", "sine", "--build-dir", copied, "--target", "esp32")
    assert (done.code, "faulty firmwares" in done.err) == (2, True), done.err


def test_where_nothing_is_compiled_the_model_file_is_watched(tinyhil: Cli, tiny_model: bytes) -> None:
    (tinyhil.cwd / "small.tflite").write_bytes(tiny_model)
    done = tinyhil("selftest", "small.tflite", "--target", "sim", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    assert "not planted: link and firmware: sim has no firmware" in done.out
    found = json.loads((tinyhil.cwd / "out.json").read_text())
    of_device = [each for each in found["faults"] if each["kind"] not in OF_FILES]
    assert {each["expected"] for each in of_device} == {"hash of the model file", "identity of the model"}
    assert {each["kind"] for each in found["faults"]} >= OF_FILES


def test_ctrl_c_leaves_nothing_running(tinyhil: Cli, copied: Path) -> None:
    running = Running(tinyhil.start("selftest", "sine", "--build-dir", copied))
    wait_until(lambda: running.says("caught"), "the first fault")
    running.child.send_signal(signal.SIGINT)
    assert running.ended() == 130
    assert running.says("interrupted")

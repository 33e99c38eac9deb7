"""What is missing is said before anything is made: no stage has begun, whatever the run was to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tinyhil import kinds
from tinyhil.errors import BlockedError
from tinyhil.kinds import Kind
from tinyhil.options import Options
from tinyhil.pipeline.answers import needs
from tinyhil.pipeline.opening import open_run
from tinyhil.pipeline.run import Run
from tinyhil.targets import registry
from tinyhil.toolchain import libraries
from tinyhil.transport import quarantine

from .test_preflight import Watching

CASES: list[tuple[str, str | None, str, Kind]] = [
    ("sim", "/dev/ttyNOWHERE", "there is no port /dev/ttyNOWHERE", kinds.NO_BOARD),
    ("sim", "usb:NOBODY", "no port has the USB serial number NOBODY", kinds.NO_BOARD),
    ("qemu-m4", None, "qemu-system-arm is not installed", kinds.MISSING_TOOL),
    ("native", None, "gcc is not installed", kinds.MISSING_TOOL),
    ("nano33ble", None, "no nano33ble is plugged in", kinds.NO_BOARD),
    ("nano33ble", "/dev/null", "the library .* is not installed", kinds.MISSING_TOOL),
]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer with no programs, no boards and no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(needs, "present", list)
    monkeypatch.setattr(libraries, "registry_answers", lambda: False)


@pytest.mark.parametrize("what", [Run.verify, Run.flash], ids=["run", "flash"])
@pytest.mark.parametrize(("target", "port", "words", "kind"), CASES)
def test_nothing_is_begun(
    bare: None, what: Callable[[Run], object], target: str, port: str | None, words: str, kind: Kind
) -> None:
    watching = Watching()
    engine = "tflm" if port == "/dev/null" else None
    run = open_run("sine", Options(target=target, port=port, engine=engine), watching)
    with pytest.raises(BlockedError, match=words) as caught:
        what(run)
    assert caught.value.kind is kind
    assert watching.stages == []


def test_a_board_that_is_plugged_in_is_enough(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Listed:
        vid, pid, device = 0x2341, 0x805A, "/dev/ttyACM0"

    monkeypatch.setattr(needs, "present", lambda: [Listed()])
    needs.of_device(registry.get("nano33ble"), None)


@pytest.mark.parametrize("port", [None, "usb:N1"])
def test_a_board_that_is_quarantined_is_not_enough(
    bare: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: str | None
) -> None:
    class Listed:
        vid, pid, device, serial_number = 0x2341, 0x805A, "/dev/ttyACM0", "N1"

    monkeypatch.setenv(quarantine.VARIABLE, str(tmp_path / "boards.json"))
    monkeypatch.setattr(needs, "present", lambda: [Listed()])
    quarantine.add("N1", "resets under load")
    with pytest.raises(BlockedError) as caught:
        needs.of_device(registry.get("nano33ble"), port)
    assert caught.value.kind is kinds.QUARANTINED


def test_a_device_that_is_not_asked_for_is_not_looked_for(bare: None) -> None:
    """A build for a board that is not plugged in."""
    watching = Watching()
    run = open_run("sine", Options(target="nano33ble", engine="tflm"), watching)
    with pytest.raises(BlockedError, match="the library"):
        run.build()
    assert watching.stages == []

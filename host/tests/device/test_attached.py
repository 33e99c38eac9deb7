from __future__ import annotations

from pathlib import Path

from tinyhil.deadline import Deadline
from tinyhil.device.attached import AttachedDevice
from tinyhil.device.base import Device


def test_the_port_is_passed_on_and_nothing_is_touched(tmp_path: Path) -> None:
    port = tmp_path / "port"
    port.write_text("still here")
    device: Device = AttachedDevice(str(port))
    with device:
        assert device.start(tmp_path / "no such firmware", Deadline.after(0)) == str(port)
        device.check()
    device.stop()
    assert port.read_text() == "still here"

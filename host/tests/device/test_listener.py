"""Emulators that listen at an address, and what each run has of its own. The emulator is a fake, its socket is real."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import ConfigError, DeviceError
from tinyhil.targets.model import Emulator, FlashImage, FlashPart

PATIENCE_SECONDS = 20.0
FAKE = Path(__file__).with_name("fake_emulator.py")
ADDRESS = "socket://127.0.0.1:{port}"


def listens(script: str = f"exec {shlex.quote(sys.executable)} {shlex.quote(str(FAKE))} {{port}}") -> Emulator:
    """A shell script that starts the fake emulator, or does something else."""
    return Emulator(program="sh", debian="dash", arguments=("-c", script), address=ADDRESS)


def patience() -> Deadline:
    return Deadline.after(PATIENCE_SECONDS)


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_SECONDS)


def received(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = line.recv(count - len(data))
        assert more, "it hung up"
        data += more
    return data


def test_bytes_go_through_the_address_for_one_client_after_the_other() -> None:
    with EmulatorDevice(listens()) as device:
        address = device.start(Path("firmware.elf"), patience())
        for payload in (bytes(range(256)), b"again"):
            with connect(address) as line:
                line.sendall(payload)
                assert received(line, len(payload)) == payload
        device.check()
    with pytest.raises(ConnectionRefusedError):
        connect(address)


def test_it_is_waited_for() -> None:
    """A program that needs its time before it listens."""
    with (
        EmulatorDevice(listens("sleep 0.4; " + listens().arguments[1])) as device,
        connect(device.start(Path("firmware.elf"), patience())) as line,
    ):
        line.sendall(b"x")
        assert received(line, 1) == b"x"


def test_two_runs_have_two_ports() -> None:
    with EmulatorDevice(listens()) as one, EmulatorDevice(listens()) as other:
        assert one.start(Path("a"), patience()) != other.start(Path("a"), patience())


def test_one_that_never_listens() -> None:
    with pytest.raises(DeviceError, match=r"sh did not listen at socket://127\.0\.0\.1:\d+ within 0\.3 s") as caught:
        EmulatorDevice(listens("echo starting; exec sleep 1000")).start(Path("firmware.elf"), Deadline.after(0.3))
    assert caught.value.detail == "starting\n"


def test_one_that_ends_instead_is_quoted_at_once() -> None:
    with pytest.raises(DeviceError, match="sh ended with exit code 4: no such platform"):
        EmulatorDevice(listens("echo no such platform; exit 4")).start(Path("firmware.elf"), Deadline.after(1000))


def test_a_death_after_the_start_is_noticed(tmp_path: Path) -> None:
    trigger = tmp_path / "trigger"
    os.mkfifo(trigger)
    serving = listens().arguments[1].replace("exec ", "")
    with EmulatorDevice(listens(f"{serving} & read -r line < {trigger}; echo dying; kill $!; exit 9")) as device:
        device.start(Path("firmware.elf"), patience())
        device.check()
        trigger.write_text("now\n")
        deadline = patience()
        with pytest.raises(DeviceError, match="sh ended with exit code 9: dying"):
            while not deadline.expired:
                device.check()


@pytest.mark.parametrize("address", ["/dev/ttyS0", "socket://host", "socket://host:many", "unix:/tmp/x"])
def test_an_address_that_is_none_is_an_error_of_the_target_file(address: str) -> None:
    with pytest.raises(ConfigError, match="address = .* is no TCP address"):
        EmulatorDevice(msgspec.structs.replace(listens(), address=address)).start(Path("firmware.elf"), patience())


def test_a_run_has_a_folder_of_its_own_with_links_and_takes_it_away(tmp_path: Path) -> None:
    project = tmp_path / "a project"
    project.mkdir()
    (project / "script").write_text("of the project")
    firmware = tmp_path / "the firmware.elf"
    firmware.write_text("of the firmware")
    show = (
        'echo "in $TMPDIR"; cat {temporary}/firmware {temporary}/project/script; echo; echo "port x"; exec sleep 1000'
    )
    emulator = Emulator(
        program="sh",
        debian="dash",
        arguments=("-c", show),
        environment={"TMPDIR": "{temporary}"},
        serial_port=r"(?:in|port) (\S+)",
    )
    with EmulatorDevice(emulator, project) as device:
        folder = Path(device.start(firmware, patience()))
        assert folder.is_dir()
        assert (folder / "firmware").read_text() == "of the firmware"
        assert (folder / "project" / "script").read_text() == "of the project"
        again = Path(device.start(firmware, patience()))
        assert again != folder
        assert not folder.exists()
    assert not again.exists()
    assert (project / "script").exists(), "what the links point to is not ours to remove"
    assert firmware.exists()


PARTS = (FlashPart(offset=4, file="boot.bin"), FlashPart(offset=16, file="tools/some/app0.bin"))


def flashed(parts: tuple[FlashPart, ...] = PARTS, size: int = 32) -> Emulator:
    return Emulator(
        program="sh",
        debian="dash",
        arguments=("-c", 'echo "port {flash_image}"; exec sleep 1000'),
        serial_port=r"port (\S+)",
        flash_image=FlashImage(size=size, parts=parts),
    )


def test_the_flash_image_is_made_of_what_lies_beside_the_firmware(tmp_path: Path) -> None:
    (tmp_path / "boot.bin").write_bytes(b"boot")
    (tmp_path / "app0.bin").write_bytes(b"app0")
    with EmulatorDevice(flashed()) as device:
        image = Path(device.start(tmp_path / "firmware.elf", patience()))
        assert image.read_bytes() == b"\xff" * 4 + b"boot" + b"\xff" * 8 + b"app0" + b"\xff" * 12
    assert not image.exists()


def test_a_part_that_is_missing_or_does_not_fit_is_named(tmp_path: Path) -> None:
    (tmp_path / "boot.bin").write_bytes(b"boot")
    with pytest.raises(DeviceError, match=r"app0\.bin is a part of the flash image, but cannot be read"):
        EmulatorDevice(flashed()).start(tmp_path / "firmware.elf", patience())
    with pytest.raises(ConfigError, match="behind the flash of 0x6 bytes"):
        EmulatorDevice(flashed(PARTS[:1], 6)).start(tmp_path / "firmware.elf", patience())

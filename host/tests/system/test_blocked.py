"""A run that cannot be carried out: exit code 3, the cause, the next step, and a report that says *blocked*."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tinyhil import kinds

from .cli import REPOSITORY, Cli, Done

ARDUINO = REPOSITORY / "firmware/lib/port/arduino"
DEBIANS_XTENSA = "#!/bin/sh\necho 'Supported machines are:'\necho 'kc705                kc705 EVB (dc232b)'\n"

PathWithout = Callable[..., str]
TargetFile = Callable[..., str]


def blocked(done: Done, cause: str, step: str) -> None:
    """The command ended as a blocked one has to."""
    assert done.code == 3, done.out + done.err
    assert cause in done.err
    assert step in done.err
    assert "BLOCKED" in done.err
    assert "PASS" not in done.out
    assert "Traceback" not in done.err


def test_no_qemu(tinyhil: Cli, copied: Path, path_without: PathWithout) -> None:
    cli = replace(tinyhil, path=path_without("qemu-system-arm"))
    blocked(cli("run", "sine"), "qemu-system-arm is not installed", "apt-get install qemu-system-arm")
    report = json.loads((copied / "sine/qemu-m4/report.json").read_text())
    assert report["verdict"] == "blocked"
    assert report["model_sha256"] is None, "it is said before anything is done"
    suite = ElementTree.parse(copied / "sine/qemu-m4/report.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("errors"), suite.get("failures")) == ("1", "0")
    done = cli("report", "sine")
    assert done.code == 3
    assert "BLOCKED" in done.out


def test_no_compiler(tinyhil: Cli, copied: Path, path_without: PathWithout) -> None:
    cli = replace(tinyhil, path=path_without("arm-none-eabi-gcc"))
    blocked(cli("run", "sine"), "arm-none-eabi-gcc is not installed", "apt-get install gcc-arm-none-eabi")


def test_doctor_says_what_is_missing(tinyhil: Cli, path_without: PathWithout) -> None:
    cli = replace(tinyhil, path=path_without("qemu-system-arm", "arm-none-eabi-gcc"))
    done = cli("doctor", "--json", "doctor.json")
    assert done.code == 3
    missing = {
        item["name"] for item in json.loads((tinyhil.cwd / "doctor.json").read_text()) if not item["found_version"]
    }
    assert {"qemu-system-arm", "arm-none-eabi-gcc"} <= missing
    assert "apt-get install qemu-system-arm" in done.out


def test_doctor_names_the_targets_that_lack_something(tinyhil: Cli, path_without: PathWithout) -> None:
    cli = replace(tinyhil, path=path_without("renode"))
    done = cli("doctor")
    assert done.code == 0  # of the default target
    assert cli("doctor", "--target", "renode-nano33ble").code == 3
    lines = {line.split()[1]: line for line in done.out.splitlines() if line.startswith("target ")}
    assert "lacks renode" in lines["renode-nano33ble"]
    assert "has all its programs" in lines["native"]


def test_doctor_is_asked_for_a_target_that_is_not_there(tinyhil: Cli) -> None:
    done = tinyhil("doctor", "--target", "nowhere")
    assert done.code == 2
    assert "unknown target 'nowhere'" in done.err


def test_no_renode(tinyhil: Cli, copied: Path, path_without: PathWithout) -> None:
    """Said before the firmware is built in vain."""
    shutil.rmtree(copied / "sine/renode-nano33ble", ignore_errors=True)
    done = replace(tinyhil, path=path_without("renode"))("run", "sine", "--target", "renode-nano33ble")
    blocked(done, "renode is not installed", "https://github.com/renode/renode/releases")
    assert not (copied / "sine/renode-nano33ble/firmware").exists()


@pytest.mark.skipif(not ARDUINO.is_dir(), reason="the port for Arduino does not ship")
@pytest.mark.parametrize(
    ("stand_in", "cause"),
    [({}, "is not installed"), ({"qemu_system_xtensa": DEBIANS_XTENSA}, "lacks the machine esp32")],
)
def test_no_espressif_qemu(
    tinyhil: Cli, copied: Path, path_without: PathWithout, stand_in: dict[str, str], cause: str
) -> None:
    """Nor is Debian's program of the same name one, for which a script stands in."""
    cli = replace(tinyhil, path=path_without("qemu-system-xtensa", **stand_in))
    blocked(cli("run", "sine", "--target", "qemu-esp32"), cause, "https://github.com/espressif/qemu/releases")


@pytest.mark.parametrize("package", ["keras", "tensorflow"])
def test_no_tensorflow(tinyhil: Cli, tmp_path: Path, package: str) -> None:
    """A module that behaves as one that is not installed stands in front of the real one."""
    (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError('absent', name={package!r})\n")
    cli = replace(tinyhil, python_path=(tmp_path,))
    blocked(cli("train", "sine"), f"{package} is not installed", "pip install 'tinyhil[train]'")


def test_qemu_ends_at_once(tinyhil: Cli, copied: Path, path_without: PathWithout) -> None:
    """A script stands in for a QEMU that is broken."""
    broken = "#!/bin/sh\necho 'qemu-system-arm: no such machine' >&2\nexit 7\n"
    cli = replace(tinyhil, path=path_without(qemu_system_arm=broken))
    blocked(cli("run", "sine"), "exit code 7", "no such machine")


def test_a_device_that_never_answers(tinyhil: Cli, copied: Path, target_file: TargetFile) -> None:
    """QEMU starts, but its CPU is stopped (-S)."""
    name = target_file("frozen", ('"-M",', '"-S", "-M",'), ("answer_within = 10.0", "answer_within = 1.5"))
    blocked(tinyhil("run", "sine", "--target", name), "did not answer the handshake within 1.5 s", "reset button")


@pytest.fixture
def silent_port() -> Iterator[str]:
    """A serial port with nobody at the other end."""
    ours, theirs = pty.openpty()
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_a_port_where_nobody_is(tinyhil: Cli, copied: Path, target_file: TargetFile, silent_port: str) -> None:
    name = target_file("board", ("answer_within = 10.0", "answer_within = 1.0"))
    done = tinyhil("verify", "sine", "--target", name, "--port", silent_port)
    blocked(done, "did not answer the handshake within 1 s: nothing came from it", "reset button")


def test_ports_where_nobody_answers_says_why_and_what_to_do(tinyhil: Cli, silent_port: str) -> None:
    done = tinyhil("ports", silent_port, "--json", "ports.json")
    assert done.code == 3, done.out + done.err
    (entry,) = (one for one in json.loads((tinyhil.cwd / "ports.json").read_text()) if one["device"] == silent_port)
    assert entry["id"] == kinds.NOTHING_CAME.id
    assert entry["why"] in done.out
    assert f"next: {entry['next_step']}" in done.out


def test_a_port_that_does_not_exist(tinyhil: Cli, copied: Path) -> None:
    done = tinyhil("verify", "sine", "--port", "/dev/ttyNOWHERE")
    assert done.code == 3
    assert "/dev/ttyNOWHERE" in done.err


def test_a_device_started_elsewhere_is_judged_through_its_port(tinyhil: Cli, copied: Path) -> None:
    elf = copied / "sine/qemu-m4/firmware/firmware.elf"
    machine = ["-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "pty", "-icount", "shift=0"]
    argv = ["qemu-system-arm", *machine, "-kernel", str(elf)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as emulator:
        try:
            assert emulator.stdout is not None
            port = emulator.stdout.readline().split("redirected to ")[1].split()[0]
            done = tinyhil("verify", "sine", "--port", port)
            assert done.code == 0, done.err
            assert "256/256" in done.out
        finally:
            emulator.kill()


def test_a_build_error_shows_the_compiler_s_line(tinyhil: Cli, copied: Path, target_file: TargetFile) -> None:
    name = target_file("broken", ('flags = ["-DTINYHIL', 'flags = ["-include", "absent_header.h", "-DTINYHIL'))
    done = tinyhil("build", "sine", "--target", name)
    blocked(done, "fatal error: absent_header.h: No such file", "apt-get install")


def test_an_image_that_does_not_fit(tinyhil: Cli, copied: Path, target_file: TargetFile) -> None:
    """Its weights and tensors would fit, so pre-flight cannot tell."""
    name = target_file(
        "small", ("flash_bytes = 4194304", "flash_bytes = 1024"), ("ram_bytes = 4194304", "ram_bytes = 4200")
    )
    blocked(tinyhil("build", "sine", "--target", name), "does not fit small: flash takes", "smaller model")


def test_an_unwritable_build_folder(tinyhil: Cli, tmp_path: Path) -> None:
    """A path below a regular file, which not even root can write."""
    (tmp_path / "file").write_text("")
    done = tinyhil("run", "sine", "--build-dir", tmp_path / "file" / "build")
    blocked(done, "cannot write", "--build-dir")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here (that takes root); the unwritable folder is tested above")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk(tinyhil: Cli, copied: Path, tiny_disk: Path) -> None:
    shutil.copytree(copied / "sine" / "model", tiny_disk / "sine" / "model")
    (tiny_disk / "filler").write_bytes(b"")
    with contextlib.suppress(OSError), (tiny_disk / "filler").open("ab", buffering=0) as filler:
        while True:
            filler.write(b"\0" * 1024)
    done = tinyhil("run", "sine", "--build-dir", tiny_disk)
    blocked(done, "No space left on device", "--build-dir")


def test_json_that_cannot_be_written(tinyhil: Cli, copied: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = tinyhil("run", "sine", "--json", tmp_path / "file" / "out.json")
    assert done.code == 3
    assert "cannot write" in done.err

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import serial

from tinyhil import process
from tinyhil.deadline import Deadline
from tinyhil.device import emulator as emulator_module
from tinyhil.device.base import Device
from tinyhil.device.emulator import KEPT_LINES, EmulatorDevice
from tinyhil.errors import ConfigError, DeviceError, MissingToolError
from tinyhil.targets.model import FIRMWARE, Ability, Emulator

PATIENCE_SECONDS = 20.0
FOREVER = "exec sleep 1000"
NOTHING = Path("firmware.elf")


def shell(script: str, serial_port: str = r"port (\S+)") -> Emulator:
    """A shell script in the place of an emulator."""
    return Emulator(program="sh", debian="dash", arguments=("-c", script), serial_port=serial_port)


def patience() -> Deadline:
    return Deadline.after(PATIENCE_SECONDS)


def ends(pid: int) -> bool:
    """Waits until a process of any parent has ended; False if it still runs after all patience."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENCE_SECONDS)[0])
    finally:
        os.close(handle)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


Born = Callable[[], list[int]]


@pytest.fixture(autouse=True)
def born() -> Iterator[Born]:
    """Our children that this test has started; none may be left when it ends."""
    before = set(children(os.getpid()))

    def since() -> list[int]:
        return [pid for pid in children(os.getpid()) if pid not in before]

    yield since
    assert since() == []


def test_bytes_go_through_the_emulated_uart(qemu: Emulator, echo_firmware: Path) -> None:
    device: Device = EmulatorDevice(qemu)
    with device:
        port = device.start(echo_firmware, patience())
        device.check()
        payload = bytes(range(256))
        with serial.Serial(port, timeout=PATIENCE_SECONDS) as line:
            line.write(payload)
            assert line.read(len(payload)) == payload
        # A second session on the same run: the pseudo-terminal has stayed open.
        with serial.Serial(port, timeout=PATIENCE_SECONDS) as line:
            line.write(b"again")
            assert line.read(5) == b"again"
    assert not Path(port).exists()


def test_it_can_be_started_again(qemu: Emulator, echo_firmware: Path, born: Born) -> None:
    with EmulatorDevice(qemu) as device:
        device.start(echo_firmware, patience())
        first = born()
        device.start(echo_firmware, patience())
        second = born()
        assert len(first) == len(second) == 1
        assert first != second
    assert born() == []


def death_of(device: EmulatorDevice) -> DeviceError:
    """Waits until the device finds out that its program has ended."""
    deadline = patience()
    while not deadline.expired:
        try:
            device.check()
        except DeviceError as error:
            return error
    raise AssertionError("it still runs")


def test_an_emulator_that_refuses_its_arguments_is_quoted(qemu: Emulator, born: Born) -> None:
    wrong = msgspec.structs.replace(qemu, arguments=("-M", "no-such-machine", *qemu.arguments))
    wrong = msgspec.structs.replace(wrong, arguments=tuple(each for each in wrong.arguments if each != "mps2-an386"))
    with pytest.raises(DeviceError, match=r"qemu-system-arm ended with exit code 1"):
        EmulatorDevice(wrong).start(NOTHING, patience())
    assert born() == []


def test_firmware_that_the_emulator_refuses_ends_it_with_its_own_words(
    qemu: Emulator, tmp_path: Path, born: Born
) -> None:
    with EmulatorDevice(qemu) as device:
        device.start(tmp_path / "absent.elf", patience())  # QEMU names its port before it reads the file
        death = death_of(device)
    assert death.message.startswith("qemu-system-arm ended with exit code 1: ")
    assert "absent.elf" in death.message
    assert born() == []


def test_a_program_that_exits_at_once() -> None:
    with pytest.raises(DeviceError, match="sh ended with exit code 3: the reason") as caught:
        EmulatorDevice(shell("echo first; echo the reason >&2; exit 3")).start(NOTHING, patience())
    assert caught.value.detail == "first\nthe reason\n"


def test_a_program_that_crashes_at_once_without_a_word() -> None:
    with pytest.raises(DeviceError, match=r"sh ended with signal SIGSEGV$"):
        EmulatorDevice(shell("kill -SEGV $$")).start(NOTHING, patience())


def test_a_program_that_is_not_installed() -> None:
    emulator = msgspec.structs.replace(shell(""), program="no-such-emulator", debian="emulator-pkg")
    with pytest.raises(MissingToolError, match="no-such-emulator is not installed") as caught:
        EmulatorDevice(emulator).start(NOTHING, patience())
    assert caught.value.hint == "sudo apt-get install emulator-pkg"
    elsewhere = msgspec.structs.replace(emulator, debian="", install="ask its maker")
    with pytest.raises(MissingToolError) as caught:
        EmulatorDevice(elsewhere).start(NOTHING, patience())
    assert caught.value.hint == "ask its maker"


@pytest.mark.parametrize("answer", ["echo esp32s3 too; exit 1", "echo an esp32 of another kind"])
def test_another_program_of_the_same_name_is_not_taken_for_it(answer: str, born: Born) -> None:
    ability = Ability(arguments=("-c", answer), expects=r"^esp32\s", lacking="the machine esp32")
    emulator = msgspec.structs.replace(shell(f"echo port x; {FOREVER}"), ability=ability)
    with pytest.raises(MissingToolError, match=r"^sh is installed, but lacks the machine esp32$") as caught:
        EmulatorDevice(emulator).start(NOTHING, patience())
    assert caught.value.hint == "sudo apt-get install dash"
    assert born() == []


def test_a_program_that_can_do_what_is_needed_is_started() -> None:
    ability = Ability(arguments=("-c", "echo none; echo 'esp32  a chip'"), expects=r"^esp32\s", lacking="it")
    with EmulatorDevice(msgspec.structs.replace(shell(f"echo port x; {FOREVER}"), ability=ability)) as device:
        assert device.start(NOTHING, patience()) == "x"


@pytest.mark.parametrize("script", [f"echo something else; {FOREVER}", f"exec >&- 2>&-; {FOREVER}"])
def test_a_program_that_never_names_a_port(script: str, monkeypatch: pytest.MonkeyPatch, born: Born) -> None:
    monkeypatch.setattr(emulator_module, "_LAST_WORDS_SECONDS", 0.1)
    with pytest.raises(DeviceError, match=r"sh named no serial port within 0\.3 s"):
        EmulatorDevice(shell(script)).start(NOTHING, Deadline.after(0.3))
    assert born() == []


@pytest.mark.parametrize(("key", "pattern"), [("serial_port", "("), ("serial_port", "no group"), ("last_words", "(")])
def test_a_wrong_pattern_is_an_error_of_the_target_file(key: str, pattern: str, born: Born) -> None:
    emulator = msgspec.structs.replace(shell(FOREVER), **{key: pattern})
    with pytest.raises(ConfigError, match=key):
        EmulatorDevice(emulator).start(NOTHING, patience())
    assert born() == []


def test_the_port_is_held_open_while_it_runs() -> None:
    master, slave = os.openpty()
    port = os.ttyname(slave)
    os.close(slave)

    def somebody_listens() -> bool:
        watch = select.poll()
        watch.register(master, 0)
        return not any(event & select.POLLHUP for _, event in watch.poll(0))

    try:
        assert not somebody_listens()
        with EmulatorDevice(shell(f"echo port {port}; {FOREVER}")) as device:
            device.start(NOTHING, patience())
            assert somebody_listens()
        assert not somebody_listens()
    finally:
        os.close(master)


def test_the_firmwares_path_is_put_in(tmp_path: Path) -> None:
    emulator = msgspec.structs.replace(
        shell(""), arguments=("-c", f'echo "port $0"; {FOREVER}', "x={firmware},{other}"), serial_port="port (.*)"
    )
    with EmulatorDevice(emulator) as device:
        assert device.start(tmp_path, patience()) == f"x={tmp_path},{{other}}"


# A copy of the shell stands in for firmware that is a program.
SHELL = Path("/bin/sh").resolve()
ITSELF = Emulator(program=FIRMWARE, arguments=("-c", f'echo "port $0"; {FOREVER}', FIRMWARE), serial_port=r"port (\S+)")


def test_the_firmware_may_be_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without a slash is the file in the current folder, not something on PATH."""
    shutil.copy(SHELL, tmp_path / "sh")
    monkeypatch.chdir(tmp_path)
    with EmulatorDevice(ITSELF) as device:
        assert device.start(Path("sh"), patience()) == str(tmp_path / "sh")
        assert Path(f"/proc/{device.pid}").exists()
    with pytest.raises(DeviceError, match="the firmware is not running"):
        device.pid  # noqa: B018


def test_firmware_that_may_not_be_run_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "firmware.elf"
    shutil.copyfile(SHELL, path)
    with pytest.raises(DeviceError, match="may not be run") as caught:
        EmulatorDevice(ITSELF).start(path, patience())
    assert caught.value.hint == f"chmod +x {path}"


def test_firmware_for_another_machine_is_not_run(tmp_path: Path, echo_firmware: Path) -> None:
    """Least of all as a shell script."""
    trace = tmp_path / "trace"
    script = tmp_path / "firmware.elf"
    script.write_text(f"touch {trace}\n")
    for path in (script, echo_firmware):
        path.chmod(0o755)
        with pytest.raises(DeviceError, match="is not a program for this computer"):
            EmulatorDevice(ITSELF).start(path, patience())
    assert not trace.exists()
    with pytest.raises(DeviceError, match="cannot read"):
        EmulatorDevice(ITSELF).start(tmp_path / "absent", patience())


def test_the_line_that_says_why_is_found_among_the_last_words() -> None:
    emulator = shell("echo port x; echo one; echo '==1== SUMMARY: the reason'; echo ABORTING; exit 1")
    emulator = msgspec.structs.replace(emulator, last_words="SUMMARY: |error")
    with EmulatorDevice(emulator) as device:
        device.start(NOTHING, patience())
        assert death_of(device).message == "sh ended with exit code 1: ==1== SUMMARY: the reason"


def test_a_port_that_hangs_up_is_known_as_the_beginning_of_the_end(tmp_path: Path) -> None:
    """A program's files are closed before it counts as ended; a check in between must not miss the cause."""
    trigger = tmp_path / "trigger"
    os.mkfifo(trigger)
    master, slave = os.openpty()
    script = f"echo port {os.ttyname(slave)}; read -r line < {trigger}; echo dying; exit 9"
    with EmulatorDevice(shell(script)) as device:
        device.start(NOTHING, patience())
        os.close(slave)
        device.check()
        os.close(master)
        trigger.write_text("now\n")
        with pytest.raises(DeviceError, match="sh ended with exit code 9: dying"):
            device.check()


def test_a_death_while_running_is_noticed_with_the_last_words(tmp_path: Path) -> None:
    trigger = tmp_path / "trigger"
    os.mkfifo(trigger)
    with EmulatorDevice(shell(f"echo port x; read -r line < {trigger}; echo dying; exit 9")) as device:
        device.start(NOTHING, patience())
        device.check()
        trigger.write_text("now\n")
        assert death_of(device).message == "sh ended with exit code 9: dying"
        assert death_of(device).detail == "port x\ndying\n"


def test_a_device_that_was_not_started_or_is_stopped() -> None:
    device = EmulatorDevice(shell(f"echo port x; {FOREVER}"))
    with pytest.raises(DeviceError, match="sh is not running"):
        device.check()
    device.stop()
    device.start(NOTHING, patience())
    device.stop()
    device.stop()
    with pytest.raises(DeviceError, match="sh is not running"):
        device.check()


def test_output_never_blocks_the_program_and_only_the_end_is_kept() -> None:
    lines = 20 * KEPT_LINES
    script = f"echo port x; head -c 1000000 /dev/zero; seq {lines}; exit 1"
    with EmulatorDevice(shell(script)) as device:
        device.start(NOTHING, patience())
        death = death_of(device)
    assert death.detail.split() == [str(number) for number in range(lines - KEPT_LINES + 1, lines + 1)]


def test_stop_takes_the_whole_group_even_if_it_does_not_want_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.1)
    with EmulatorDevice(shell('trap "" TERM; sleep 1000 & echo "port $!"; wait; wait')) as device:
        grandchild = int(device.start(NOTHING, patience()))
    assert ends(grandchild)


def test_an_exception_while_it_runs_ends_it(qemu: Emulator, echo_firmware: Path, born: Born) -> None:
    def interrupted() -> None:
        with EmulatorDevice(qemu) as device:
            device.start(echo_firmware, patience())
            assert len(born()) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert born() == []


PARENT = """\
import sys, time
from pathlib import Path
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.targets import registry
with EmulatorDevice(registry.get("qemu-m4").emulator) as device:
    device.start(Path(sys.argv[1]), Deadline.after(20))
    print("started", flush=True)
    time.sleep(1000)
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_no_emulator_survives_its_parent(ending: signal.Signals, qemu: Emulator, echo_firmware: Path) -> None:
    if ending == signal.SIGKILL and shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed: apt-get install util-linux")
    environment = {**os.environ, "PYTHONPATH": str(Path(process.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(echo_firmware)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment, text=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        (child,) = children(parent.pid)
        assert Path(f"/proc/{child}/comm").read_text().startswith("qemu-system")
        parent.send_signal(ending)
    assert ends(child)

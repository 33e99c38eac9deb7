"""The runner over real pseudo-terminals."""

from __future__ import annotations

import random
import socket
import threading
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError, DeviceError
from tinyhil.proxy import FaultProxy, Faults
from tinyhil.proxy.line import QUEUE_BYTES

from .ends import PATIENCE_S, Device, Opens, read_all, until
from .strategies import bytes_of, carried, pipe, stream, wired

NOISE = random.Random(1).randbytes(1 << 20)


def deadline() -> Deadline:
    return Deadline.after(PATIENCE_S)


def test_without_faults_both_directions_arrive_as_they_were_sent(device: Device, host_opens: Opens) -> None:
    """A megabyte each way at once, which is more than all buffers hold, by two ends that do not take turns."""
    with FaultProxy(device.port) as proxy:
        host = host_opens(proxy.port)
        at_device = bytearray()
        sent = 0

        def serve() -> None:
            nonlocal sent
            while sent < len(NOISE) or len(at_device) < len(NOISE):
                sent += device.write(NOISE[sent : sent + 4096])
                at_device.extend(device.read())
                time.sleep(0)

        served = threading.Thread(target=serve)
        served.start()
        at_host = bytearray()
        for start in range(0, len(NOISE), 8192):
            host.write(NOISE[start : start + 8192], deadline())
            at_host += host.read(65536, 0.0)
        at_host += read_all(host, len(NOISE) - len(at_host))
        served.join(PATIENCE_S)
        host.close()
        assert at_device == NOISE
        assert at_host == NOISE
        counted = proxy.describe()
    for direction in ("to_device", "to_host"):
        assert counted[direction].pop("bytes_in") == counted[direction].pop("bytes_out") == len(NOISE)
        assert counted[direction].pop("frames") > 0
        assert set(counted[direction].values()) == {0}


def test_each_direction_has_the_faults_that_its_pipeline_says(device: Device, host_opens: Opens) -> None:
    faults = Faults(bit_flip=1e-3, drop_frame=0.1, duplicate_frame=0.1, insert_garbage=0.1, lose_block=0.05)
    data = wired(stream(300))
    expected = {name: bytes_of(carried(pipe(faults, 5, name), data)) for name in ("to_device", "to_host")}
    assert expected["to_device"] != expected["to_host"]
    with FaultProxy(device.port, faults, seed=5) as proxy:
        host = host_opens(proxy.port)
        host.write(data, deadline())
        assert device.read_all(len(expected["to_device"])) == expected["to_device"]
        sent = 0
        arrived = b""

        def through() -> bool:
            nonlocal sent, arrived
            sent += device.write(data[sent:])
            arrived += host.read(65536, 0.0)
            return len(arrived) >= len(expected["to_host"])

        until(through, "the answer")
        host.close()
        assert arrived == expected["to_host"]
        assert proxy.counters["to_host"].bit_flips > 0


def test_a_device_that_does_not_read_makes_the_host_wait(device: Device, host_opens: Opens) -> None:
    with FaultProxy(device.port) as proxy:
        host = host_opens(proxy.port)

        def taken() -> int:
            return proxy.counters["to_device"].bytes_in

        def full() -> bool:
            with pytest.raises(DeviceError, match="took only"):
                host.write(bytes(4 << 20), Deadline.after(0.5))
            return taken() >= QUEUE_BYTES

        until(full, "a full queue")
        assert taken() <= QUEUE_BYTES + (1 << 17)
        host.close()


def test_an_end_that_reads_late_gets_everything(device: Device, host_opens: Opens) -> None:
    """Nothing else happens meanwhile that would wake the proxy."""
    data = NOISE[: QUEUE_BYTES // 2]
    with FaultProxy(device.port) as proxy:
        host = host_opens(proxy.port)
        host.write(data, deadline())
        until(lambda: proxy.counters["to_device"].bytes_in == len(data), "the proxy to have it")
        assert device.read_all(len(data)) == data
        sent = 0
        while sent < len(data):
            sent += device.write(data[sent:])
        until(lambda: proxy.counters["to_host"].bytes_in == len(data), "the proxy to have it")
        assert read_all(host, len(data)) == data
        host.close()


def test_a_wire_takes_its_time(device: Device, host_opens: Opens) -> None:
    """A lower bound only: it holds on however busy a machine."""
    with FaultProxy(device.port, baud=9600) as proxy:
        host = host_opens(proxy.port)
        begun = time.monotonic()
        host.write(bytes(96), deadline())
        assert device.read_all(96) == bytes(96)
        assert time.monotonic() - begun >= 0.1
        device.write(b"answer")
        assert read_all(host, 6) == b"answer"
        host.close()


def test_delay_and_stalls_hold_back(device: Device, host_opens: Opens) -> None:
    with FaultProxy(device.port, Faults(delay=0.05, stall_every=10, stall_seconds=0.1)) as proxy:
        host = host_opens(proxy.port)
        begun = time.monotonic()
        host.write(b"0123456789abcdefghij!", deadline())
        assert device.read_all(21) == b"0123456789abcdefghij!"
        assert time.monotonic() - begun >= 0.25
        host.close()


def test_after_a_disconnect_the_port_returns_under_another_name(
    device: Device, tmp_path: Path, host_opens: Opens
) -> None:
    link = tmp_path / "port"
    faults = Faults(disconnect_every=2, disconnect_seconds=0.2)
    names = []
    with FaultProxy(device.port, faults, link=link) as proxy:
        assert proxy.port == str(link)
        for _ in range(3):
            until(link.exists, "the port to be there")
            names.append(proxy.terminal)
            host = host_opens(proxy.port)
            host.write(b"\0one\0\0two\0", deadline())
            assert device.read_all(10) == b"\0one\0\0two\0"
            with pytest.raises(DeviceError, match="gone"):
                read_all(host, 1)
            assert not link.is_symlink() or proxy.terminal != names[-1]
            host.close()  # its name is free from now on, and yet is not taken again at once
        assert all(before != after for before, after in pairwise(names))
        assert proxy.counters["to_device"].disconnects == 3
    assert not link.is_symlink()


def has_moved(proxy: FaultProxy, before: str) -> bool:
    return proxy.terminal != before


def test_the_name_is_another_one_although_the_host_left_the_old_one_free(device: Device, host_opens: Opens) -> None:
    with FaultProxy(device.port, Faults(disconnect_every=1, disconnect_seconds=0.0, delay=0.05)) as proxy:
        for count in range(1, 4):
            before = proxy.terminal
            host = host_opens(before)
            host.write(b"last words\0", deadline())
            host.close()
            until(partial(has_moved, proxy, before), "another name")
            assert proxy.counters["to_device"].disconnects == count


def test_a_reset_comes_between_the_halves_of_a_frame(device: Device, host_opens: Opens) -> None:
    before: list[bytes] = []
    was_reset = threading.Event()

    def reset() -> None:
        before.append(device.read_all(len(b"\0first\0\0sec")))
        was_reset.set()

    with FaultProxy(device.port, Faults(reset_every=2), reset=reset) as proxy:
        host = host_opens(proxy.port)
        host.write(b"\0first\0\0second\0", deadline())
        assert was_reset.wait(PATIENCE_S)  # one reads at a time
        assert device.read_all(len(b"ond\0")) == b"ond\0"
        assert proxy.counters["to_device"].resets == 1
    assert before == [b"\0first\0\0sec"]


def test_what_nobody_has_open_nobody_gets_later(device: Device, host_opens: Opens) -> None:
    with FaultProxy(device.port) as proxy:
        host = host_opens(proxy.port)
        device.write(b"heard")
        assert read_all(host, 5) == b"heard"
        host.close()
        until(lambda: bool(device.write(b"unheard")) and proxy.counters["to_host"].unheard_bytes >= 7, "the void")
        host = host_opens(proxy.port)
        assert proxy.counters["to_host"].unheard_bytes > 0
        host.close()


def test_what_a_host_wrote_before_it_left_arrives(device: Device, host_opens: Opens) -> None:
    with FaultProxy(device.port) as proxy:
        for _ in range(20):
            host = host_opens(proxy.port)
            host.write(b"bye", deadline())
            host.close()
            assert device.read_all(3) == b"bye"


def test_when_the_device_goes_the_port_goes_and_the_error_stays(
    device: Device, tmp_path: Path, host_opens: Opens
) -> None:
    link = tmp_path / "port"
    with FaultProxy(device.port, link=link) as proxy:
        host = host_opens(proxy.port)
        device.unplug()
        assert proxy.wait(PATIENCE_S)
        with pytest.raises(DeviceError):
            read_all(host, 1)
        host.close()
        assert isinstance(proxy.failure, DeviceError)
        assert not link.is_symlink()


def test_a_reset_that_fails_ends_the_proxy(device: Device, host_opens: Opens) -> None:
    def reset() -> None:
        raise DeviceError("no such process")

    with FaultProxy(device.port, Faults(reset_every=1), reset=reset) as proxy:
        host = host_opens(proxy.port)
        host.write(b"\0frame\0", deadline())
        assert proxy.wait(PATIENCE_S)
        assert proxy.failure is not None
        assert proxy.failure.message == "no such process"
        host.close()


@pytest.mark.parametrize(
    "faults",
    [
        Faults(),
        Faults(delay=3600.0),
        Faults(stall_every=1, stall_seconds=3600.0),
        Faults(disconnect_every=1, disconnect_seconds=3600.0),
    ],
    ids=["full", "delay", "stall", "gone"],
)
def test_it_stops_while_everything_is_stuck(device: Device, faults: Faults, host_opens: Opens) -> None:
    with FaultProxy(device.port, faults) as proxy:
        host = host_opens(proxy.port)
        host.write(b"\0frame\0" * 100, deadline())
        until(lambda: proxy.counters["to_device"].bytes_in > 0, "the bytes")
        host.close()
    proxy.stop()
    assert proxy.failure is None


def test_a_device_behind_a_socket(tmp_path: Path, host_opens: Opens) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "device"))
        listener.listen()
        with FaultProxy(f"unix:{tmp_path / 'device'}") as proxy:
            connected, _ = listener.accept()
            with connected:
                host = host_opens(proxy.port)
                host.write(b"ask", deadline())
                assert connected.recv(100) == b"ask"
                connected.send(b"answer")
                assert read_all(host, 6) == b"answer"
                host.close()


def test_a_device_that_cannot_be_waited_for(host_opens: Opens) -> None:
    """pyserial's ``loop://`` gives back what it gets, and has no descriptor."""
    with FaultProxy("loop://") as proxy:
        host = host_opens(proxy.port)
        host.write(NOISE[:10_000], deadline())
        assert read_all(host, 10_000) == NOISE[:10_000]
        host.close()


def test_what_cannot_be_started_leaves_nothing(device: Device, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    with pytest.raises(ConfigError, match="exists already"):
        FaultProxy(device.port, link=taken).start()
    assert taken.is_file()
    with pytest.raises(DeviceError, match="there is no port"):
        FaultProxy(str(tmp_path / "absent")).start()
    with pytest.raises(ConfigError, match="reset"):
        FaultProxy(device.port, Faults(reset_every=1))
    with pytest.raises(ConfigError, match="baud"):
        FaultProxy(device.port, baud=0)
    with FaultProxy(device.port) as proxy, pytest.raises(ConfigError, match="before"):
        proxy.start()


def test_a_stale_link_is_replaced_and_a_live_one_is_not(device: Device, tmp_path: Path) -> None:
    link = tmp_path / "port"
    link.symlink_to(tmp_path / "gone")
    with FaultProxy(device.port, link=link) as proxy:
        assert str(link.readlink()) == proxy.terminal
        other = Device()
        with pytest.raises(ConfigError, match="exists already"):
            FaultProxy(other.port, link=link).start()
        other.unplug()
        assert str(link.readlink()) == proxy.terminal


def test_many_starts_leave_nothing(device: Device, host_opens: Opens) -> None:
    for _ in range(20):
        with FaultProxy(device.port) as proxy:
            host_opens(proxy.port).close()

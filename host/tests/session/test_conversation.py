"""A whole session over a real socket with a device's role at the other end, which restarts when it is told to."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tinyhil.artifacts.types import Array, Capture, Vectors
from tinyhil.errors import DeviceError, RemoteLinkError
from tinyhil.link.connection import Connection
from tinyhil.link.fields import MessageType
from tinyhil.session import Identity, conversation
from tinyhil.targets.model import Target

from ..link.device_role import DeviceRole
from ..link.models import KINDS, Kind
from .captures import capture_on, greet
from .conftest import unmeasured

COUNT = 25
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@contextmanager
def served(role: DeviceRole, path: Path) -> Iterator[str]:
    """The address of a socket behind which the device answers one host."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connected, _ = listener.accept()
            with connected:
                while data := connected.recv(65536):
                    connected.sendall(b"".join(role.receive(data)))

        server = threading.Thread(target=serve)
        server.start()
        yield f"unix:{path}"
        server.join()


def device(kind: Kind, restarts_at: Callable[[int], bool]) -> DeviceRole:
    """A device that restarts at some of the inferences and resets, counted from 1 on."""
    carried_out = itertools.count(1)
    work = (MessageType.INFER, MessageType.RUN, MessageType.RESET)
    return kind.device(restarts=lambda request: request in work and restarts_at(next(carried_out)))


def talk(kind: Kind, role: DeviceRole, folder: Path, target: Target) -> tuple[list[bytes], Capture]:
    """What the session captures of some vectors, and the vectors."""
    dice = np.random.default_rng(7)
    vectors = [dice.bytes(kind.input_bytes) for _ in range(COUNT)]
    inputs = _apart(vectors, kind, 0)
    welcome = role.welcome
    identity = Identity(
        welcome.model_sha256.hex(), welcome.project_sha256.hex(), tuple(kind.tensors[0]), tuple(kind.tensors[1])
    )
    with served(role, folder / "port") as port:
        asked = Vectors(inputs=inputs, reference=(), float_outputs=None, exhaustive=False)
        return vectors, capture_on(port, identity, asked, unmeasured(target))


def _apart(records: list[bytes], kind: Kind, side: int) -> tuple[Array, ...]:
    arrays, start = [], 0
    for spec in kind.tensors[side]:
        parts = [np.frombuffer(record[start : start + spec.nbytes], spec.dtype.numpy) for record in records]
        arrays.append(np.stack(parts).reshape(len(records), *spec.shape))
        start += spec.nbytes
    return tuple(arrays)


def assert_captured(kind: Kind, vectors: list[bytes], captured: Capture) -> None:
    wanted = _apart(kind.answers(vectors), kind, 1)
    assert len(captured.outputs) == len(wanted)
    for output, expected in zip(captured.outputs, wanted, strict=True):
        assert output.dtype == expected.dtype
        assert output.shape == expected.shape
        assert output.tobytes() == expected.tobytes()
    assert captured.ticks == 10 * COUNT


@each_kind
def test_every_kind_of_model_is_captured(kind: Kind, tmp_path: Path, qemu_m4: Target) -> None:
    role = kind.device()
    vectors, captured = talk(kind, role, tmp_path, qemu_m4)
    assert_captured(kind, vectors, captured)
    assert role.ran == vectors
    assert captured.counters["restarts"] == captured.counters["resends"] == 0


@each_kind
def test_a_run_goes_on_after_restarts(kind: Kind, tmp_path: Path, qemu_m4: Target) -> None:
    role = device(kind, lambda carried_out: carried_out in (1, 3))
    vectors, captured = talk(kind, role, tmp_path, qemu_m4)
    assert_captured(kind, vectors, captured)
    assert captured.counters["restarts"] == role.boots == 2
    if kind.stateful:
        assert role.ran == vectors


@each_kind
def test_a_device_that_restarts_at_every_request_blocks_the_run(kind: Kind, tmp_path: Path, qemu_m4: Target) -> None:
    role = device(kind, lambda carried_out: True)
    with pytest.raises(RemoteLinkError, match="restarted 6 times") as caught:
        talk(kind, role, tmp_path, qemu_m4)
    assert "crash" in caught.value.hint


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.stateful], ids=lambda kind: kind.name)
def test_a_model_with_state_that_never_comes_further_blocks_the_run(
    kind: Kind, tmp_path: Path, qemu_m4: Target
) -> None:
    role = device(kind, lambda carried_out: carried_out % 4 == 0)
    with pytest.raises(DeviceError, match=r"restarted 6 times without coming further than request 3") as caught:
        talk(kind, role, tmp_path, qemu_m4)
    assert "crash" in caught.value.hint
    assert "7 restarts" in caught.value.detail


def test_any_answer_is_a_step_forward(tmp_path: Path, qemu_m4: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vector that takes many requests may take longer than ``answer_within`` as a whole."""
    kind = next(kind for kind in KINDS if kind.name == "large")
    now = itertools.count(0.0, 0.02)
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    target = msgspec.structs.replace(qemu_m4, link=msgspec.structs.replace(qemu_m4.link, answer_within=1.5))
    start = next(now)
    vectors, captured = talk(kind, kind.device(window=1), tmp_path, target)
    assert_captured(kind, vectors, captured)
    assert (next(now) - start) / COUNT > target.link.answer_within


def test_the_connection_is_told_the_line_rate(tmp_path: Path, qemu_m4: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []

    def connect(first_sequence: int, **options: Any) -> Connection:
        told.append(options["line_rate"])
        return Connection(first_sequence, **options)

    monkeypatch.setattr(conversation, "Connection", connect)
    talk(KINDS[0], KINDS[0].device(), tmp_path, qemu_m4)
    assert told == [qemu_m4.link.baud / 10]


def test_a_program_that_died_before_its_port_was_opened_is_the_cause(tmp_path: Path, qemu_m4: Target) -> None:
    """Its port went with it, but that is no cause to plug anything in."""

    def check() -> None:
        raise DeviceError("the firmware ended with exit code 1")

    identity = Identity("0" * 64, "0" * 64, (), ())
    with pytest.raises(DeviceError, match="the firmware ended"):
        greet(str(tmp_path / "ttyGone"), identity, qemu_m4, check)

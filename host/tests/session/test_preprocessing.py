"""Raw samples to a device that preprocesses them, in a session."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import kinds
from tinyhil.affine import DType
from tinyhil.errors import DeviceError, InputError, LinkError
from tinyhil.link.fields import Message, MessageType
from tinyhil.link.inference import Data, Written
from tinyhil.link.preprocessing import Preprocess, Preprocessed
from tinyhil.progress import Silent
from tinyhil.session import PortLines, Session, open_session
from tinyhil.session.preprocessing import Features, features
from tinyhil.targets import registry

from ..link.device_role import DeviceRole
from .pty_device import IDENTITY, INPUTS, OUTPUTS, PtyDevice, invert

NATIVE = registry.get("native")
SHAPE = (1, 60, 2)
RAW = np.random.default_rng(3).integers(-1000, 1000, (5, 60, 2)).astype(np.int16)
"""A sample is longer than the device's payload."""


def mean(raw: np.ndarray) -> np.ndarray:
    """The device's preprocessing: of each quarter of the sample, in the input's type."""
    quarters: np.ndarray = raw.reshape(4, -1).astype(np.int64).mean(axis=1)
    made: np.ndarray = (quarters / 10).astype(np.int8)
    return made


class Preprocessor(DeviceRole):
    """A device with preprocessing.

    Args:
        loses: how many WRITEs of the raw sample get lost inside the device.
        options: of the role.

    Attributes:
        done: raw samples that were preprocessed.
    """

    def __init__(self, loses: int = 0, **options: Any) -> None:
        self.done = 0
        self._loses = loses
        self._raw = bytearray(2 * 120)
        self._made = b""
        super().__init__(INPUTS, OUTPUTS, invert, max_payload=100, window=3, **options)
        self._more = {Preprocess.TYPE: self._preprocess}

    def _write(self, payload: bytes) -> Message:
        index, offset = struct.unpack_from("<BI", payload)
        if index != len(INPUTS):
            return super()._write(payload)
        if self._loses:
            self._loses -= 1
        else:
            self._raw[offset : offset + len(payload) - 5] = payload[5:]
        return Written()

    def _read(self, payload: bytes) -> Message:
        index, offset, length = struct.unpack("<BIH", payload)
        return Data(self._made[offset : offset + length]) if index == len(OUTPUTS) else super()._read(payload)

    def _preprocess(self, payload: bytes) -> Message:
        crc = zlib.crc32(self._raw)
        if payload == struct.pack("<I", crc):
            self.done += 1
            self._made = mean(np.frombuffer(bytes(self._raw), "<i2")).tobytes()
        return Preprocessed(crc, 7 * (payload == struct.pack("<I", crc)), DType.INT16, SHAPE)


@contextmanager
def asked(tmp_path: Path, role: DeviceRole) -> Iterator[Session]:
    lines = PortLines(str(tmp_path / "port"), 115200)
    with PtyDevice(tmp_path / "port", role), open_session(lines, IDENTITY, NATIVE, lambda: None, Silent()) as session:
        yield session


def made(tmp_path: Path, role: DeviceRole, raw: np.ndarray = RAW) -> Features:
    told: list[int] = []
    with asked(tmp_path, role) as session:
        found = features(session, raw, told.append)
        (inputs,) = found.inputs
        assert np.array_equal(session.infer(inputs).outputs[0], np.bitwise_not(inputs.astype(np.int8))), (
            "the model goes on as before"
        )
    assert told == list(range(1, len(raw) + 1))
    return found


def test_the_device_s_features_come_back(tmp_path: Path) -> None:
    role = Preprocessor()
    found = made(tmp_path, role)
    assert np.array_equal(found.inputs[0][:, 0], [mean(sample) for sample in RAW])
    assert found.inputs[0].dtype == np.int8
    assert role.done == len(RAW)
    assert found.ticks == (7 * len(RAW) if role.welcome.tick_rate else None)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint16])
def test_integers_of_another_type_are_taken_where_they_fit(tmp_path: Path, dtype: type) -> None:
    raw: np.ndarray = np.abs(RAW).astype(dtype)
    assert np.array_equal(made(tmp_path, Preprocessor(), raw).inputs[0][:, 0], [mean(sample) for sample in raw])


def test_a_part_that_gets_lost_is_written_again(tmp_path: Path) -> None:
    role = Preprocessor(loses=2)
    assert np.array_equal(made(tmp_path, role).inputs[0][:, 0], [mean(sample) for sample in RAW])
    assert role.done == len(RAW), "nothing is preprocessed of what is not whole"


def test_what_never_arrives_is_the_device_s_fault(tmp_path: Path) -> None:
    with asked(tmp_path, Preprocessor(loses=10**6)) as session, pytest.raises(LinkError, match="another one there"):
        features(session, RAW, lambda _: None)


def test_a_restart_costs_the_sample_that_was_on_its_way(tmp_path: Path) -> None:
    left = [4]

    def restarts(kind: int) -> bool:
        left[0] -= kind == MessageType.PREPROCESS
        return kind == MessageType.PREPROCESS and not left[0]

    role = Preprocessor(restarts=restarts)
    assert np.array_equal(made(tmp_path, role).inputs[0][:, 0], [mean(sample) for sample in RAW])
    assert role.boots == 1
    assert role.done <= len(RAW) + 1, "one sample may be preprocessed twice"


def test_firmware_without_preprocessing_is_told_of(tmp_path: Path) -> None:
    role = DeviceRole(INPUTS, OUTPUTS, invert, max_payload=100)
    with asked(tmp_path, role) as session:
        with pytest.raises(DeviceError, match="has no preprocessing") as caught:
            features(session, RAW, lambda _: None)
        assert caught.value.kind is kinds.NO_PREPROCESSING
        assert session.infer(np.zeros((1, 1, 4), np.int8)).count == 1, "that ends nothing"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (RAW[:, :59], "have the shape"),
        (RAW.reshape(5, 2, 60), "have the shape"),
        (RAW.astype(np.float32), "are float32, and the device takes int16"),
        (RAW.astype(np.int64) + 32_000, "are from "),
    ],
)
def test_samples_of_another_kind_are_refused(tmp_path: Path, raw: np.ndarray, said: str) -> None:
    role = Preprocessor()
    with asked(tmp_path, role) as session, pytest.raises(InputError, match=said):
        features(session, raw, lambda _: None)
    assert role.done == 0

"""Each difference between the device and the model has an error of its own; the hashes come first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.errors import DeviceError, ExitCode, StaleFirmwareError
from tinyhil.link.events import DeviceDescription
from tinyhil.link.messages import Welcome
from tinyhil.session.identity import Identity

MODEL, PROJECT, OTHER = "0a" * 32, "1b" * 32, "2c" * 32
INPUTS = (TensorSpec("in", DType.INT8, (1, 3), float(np.float32(0.1)), -3),)
OUTPUTS = (
    TensorSpec("first", DType.INT8, (1, 2), 0.75, 4),
    TensorSpec("second", DType.INT16, (1, 2, 2), 0.25, 0),
)
IDENTITY = Identity(MODEL, PROJECT, INPUTS, OUTPUTS)


def described(
    model: str = MODEL,
    project: str = PROJECT,
    inputs: tuple[TensorSpec, ...] = INPUTS,
    outputs: tuple[TensorSpec, ...] = OUTPUTS,
) -> DeviceDescription:
    """What a device says that is the one we mean, or differs from it."""
    welcome = Welcome(
        version=1,
        stateful=False,
        inputs=len(inputs),
        outputs=len(outputs),
        max_payload=1024,
        window=1,
        boot_id=7,
        tick_rate=0,
        arena_bytes=0,
        model_sha256=bytes.fromhex(model),
        project_sha256=bytes.fromhex(project),
        engine="compiled",
    )
    return DeviceDescription(welcome, inputs, outputs)


def test_the_device_that_is_meant() -> None:
    IDENTITY.check(described())


def test_names_are_not_compared() -> None:
    """The link carries 63 bytes of a name."""
    IDENTITY.check(described(inputs=(replace(INPUTS[0], name="shortened"),)))


def test_scales_are_compared_as_the_link_carries_them() -> None:
    identity = replace(IDENTITY, inputs=(replace(INPUTS[0], scale=0.1),))  # not a float32
    identity.check(described())


@pytest.mark.parametrize(
    ("device", "words", "expected"),
    [(described(model=OTHER), "another model", MODEL), (described(project=OTHER), "another build", PROJECT)],
)
def test_a_stale_firmware_shows_both_hashes(device: DeviceDescription, words: str, expected: str) -> None:
    with pytest.raises(StaleFirmwareError, match="stale firmware") as caught:
        IDENTITY.check(device)
    assert words in caught.value.message
    assert f"it says {OTHER}, expected {expected}" in caught.value.message
    assert "tinyhil flash" in caught.value.hint
    assert caught.value.exit_code is ExitCode.BLOCKED


OTHER_INPUT = {
    "element type uint8, expected int8": {"dtype": DType.UINT8},
    "shape (1, 4), expected (1, 3)": {"shape": (1, 4)},
    "shape (3,), expected (1, 3)": {"shape": (3,)},
    "scale 0.100000009, expected 0.100000001": {"scale": float(np.nextafter(np.float32(0.1), np.float32(1)))},
    "zero point -2, expected -3": {"zero_point": -2},
}


@pytest.mark.parametrize(("words", "changes"), OTHER_INPUT.items())
def test_an_input_that_differs(words: str, changes: dict[str, Any]) -> None:
    with pytest.raises(DeviceError) as caught:
        IDENTITY.check(described(inputs=(replace(INPUTS[0], **changes),)))
    assert caught.value.message == f"input 0 of the device differs from the model's: {words}"
    assert not isinstance(caught.value, StaleFirmwareError)


def test_an_output_that_differs_is_counted() -> None:
    with pytest.raises(DeviceError, match="output 1 of the device differs from the model's: zero point 1, expected 0"):
        IDENTITY.check(described(outputs=(OUTPUTS[0], replace(OUTPUTS[1], zero_point=1))))


@pytest.mark.parametrize("inputs", [(), INPUTS * 2])
def test_another_number_of_inputs(inputs: tuple[TensorSpec, ...]) -> None:
    with pytest.raises(DeviceError, match=f"the device has {len(inputs)} inputs, the model has 1"):
        IDENTITY.check(described(inputs=inputs))


@pytest.mark.parametrize("outputs", [OUTPUTS[:1], OUTPUTS * 2])
def test_another_number_of_outputs(outputs: tuple[TensorSpec, ...]) -> None:
    with pytest.raises(DeviceError, match=f"the device has {len(outputs)} outputs, the model has 2"):
        IDENTITY.check(described(outputs=outputs))


def test_the_hashes_come_first() -> None:
    """Of a board that runs something else, the tensors are no news."""
    everything = described(OTHER, OTHER, (replace(INPUTS[0], zero_point=0),), OUTPUTS[:1])
    with pytest.raises(StaleFirmwareError, match="another model"):
        IDENTITY.check(everything)
    with pytest.raises(StaleFirmwareError, match="another build"):
        IDENTITY.check(replace(everything, welcome=replace(everything.welcome, model_sha256=bytes.fromhex(MODEL))))
    with pytest.raises(DeviceError, match="input 0"):
        IDENTITY.check(replace(everything, welcome=described().welcome))

"""Is this the device that we mean? What the handshake says, held against what the firmware was made from.

Hashes are compared first: a board that still runs yesterday's build is *stale*, whatever its tensors are. The tensors
are compared as well, because a scale that is off by one bit changes what every output means while all the integers
stay right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.errors import StaleFirmwareError, WrongTensorsError
from tinyhil.link.events import DeviceDescription

_RUN_AGAIN = (
    "flash the firmware that was built from this model: tinyhil flash RECIPE --target TARGET; "
    "firmware of your own: build it anew with the library as it is rendered now"
)


@dataclass(frozen=True)
class Identity:
    """What the device has to be.

    Attributes:
        model_sha256: of the .tflite file.
        project_sha256: of the project that the firmware was built from.
        inputs: the model's input tensors.
        outputs: its output tensors.
    """

    model_sha256: str
    project_sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def check(self, device: DeviceDescription) -> None:
        """Holds the device's description against this identity.

        Raises:
            StaleFirmwareError: it runs another model, or another build.
            WrongTensorsError: it has the right hashes, but describes its tensors differently.
        """
        for what, wanted, found in (
            ("model", self.model_sha256, device.welcome.model_sha256.hex()),
            ("build", self.project_sha256, device.welcome.project_sha256.hex()),
        ):
            if wanted != found:
                raise StaleFirmwareError(
                    f"stale firmware: the device runs another {what}: it says {found}, expected {wanted}",
                    hint=_RUN_AGAIN,
                    what=what,
                )
        for direction, expected, described in (
            ("input", self.inputs, device.inputs),
            ("output", self.outputs, device.outputs),
        ):
            if len(expected) != len(described):
                raise WrongTensorsError(f"the device has {len(described)} {direction}s, the model has {len(expected)}")
            for index, (spec, other) in enumerate(zip(expected, described, strict=True)):
                difference = _difference(spec, other)
                if difference:
                    raise WrongTensorsError(
                        f"{direction} {index} of the device differs from the model's: {difference}", hint=_RUN_AGAIN
                    )


def _difference(model: TensorSpec, device: TensorSpec) -> str:
    """What of a tensor differs, in words; empty if nothing does.

    Names may be shortened by the device, so they are not compared.
    """
    if model.dtype is not device.dtype:
        return f"element type {device.dtype.name.lower()}, expected {model.dtype.name.lower()}"
    if model.shape != device.shape:
        return f"shape {device.shape}, expected {model.shape}"
    if np.float32(model.scale) != np.float32(device.scale):
        return f"scale {device.scale:.9g}, expected {model.scale:.9g}"
    if model.zero_point != device.zero_point:
        return f"zero point {device.zero_point}, expected {model.zero_point}"
    return ""

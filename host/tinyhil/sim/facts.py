"""What the device says of itself, and the model that it runs: ``device.json`` beside ``model.tflite``.

Rendered into the project and copied into the image; the device reads it when it starts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts import foreign, hashing
from tinyhil.errors import ConfigError

FACTS = "device.json"
MODEL = "model.tflite"
ENGINE = "tflm-host"
"""Name of the engine on the link."""

_NAME_BYTES = 63
"""Of a tensor's name on the link (docs/protocol.md, TENSOR)."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class TensorFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A :class:`~tinyhil.affine.TensorSpec` in a file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @classmethod
    def of(cls, spec: TensorSpec) -> TensorFacts:
        """The facts of a tensor, its name as far as the link carries it, never half a character."""
        name = spec.name.encode()[:_NAME_BYTES].decode(errors="ignore")
        return cls(
            name=name, dtype=spec.dtype.name, shape=spec.shape, scale=float(spec.scale), zero_point=spec.zero_point
        )

    @property
    def spec(self) -> TensorSpec:
        """The tensor."""
        return TensorSpec(self.name, DType[self.dtype], self.shape, self.scale, self.zero_point)


class DemoFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the device shows without a host, as ``config.recipe.Demo`` has it.

    Attributes:
        start: the first input, in real units.
        step: from one input to the next.
        steps: after which it begins anew.
    """

    start: float
    step: float
    steps: Annotated[int, Meta(ge=1, le=65535)]


class DeviceFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One ``device.json``.

    Attributes:
        made_by: what has rendered it.
        recipe: whose model it runs.
        model_sha256: of ``model.tflite``.
        project_sha256: of the project, this value taken as zeros.
        stateful: whether an inference depends on those before it.
        max_payload: largest payload of a frame that the device takes and sends, in bytes.
        inputs: input tensors.
        outputs: output tensors.
        demo: what it does without a host; nothing if it is left out.
    """

    made_by: str
    recipe: str
    model_sha256: Sha256
    project_sha256: Sha256
    stateful: bool
    max_payload: Annotated[int, Meta(ge=100, le=4096)]
    inputs: Annotated[tuple[TensorFacts, ...], Meta(min_length=1, max_length=255)]
    outputs: Annotated[tuple[TensorFacts, ...], Meta(min_length=1, max_length=255)]
    demo: DemoFacts | None = None

    def to_json(self) -> bytes:
        """The content of the file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def load(place: Path) -> tuple[DeviceFacts, bytes]:
    """Reads a project or an image.

    Args:
        place: its folder, or its ``device.json``.

    Returns:
        The facts, and the content of the model file beside them.

    Raises:
        ConfigError: a file is missing or damaged, or the model is not the one that is described.
    """
    path = place / FACTS if place.is_dir() else place
    with foreign.reading(path, "a description of a device", _refusal):
        facts = msgspec.json.decode(path.read_bytes(), type=DeviceFacts)
    with foreign.reading(path.with_name(MODEL), "a model file", _refusal):
        model = path.with_name(MODEL).read_bytes()
    for tensor in (*facts.inputs, *facts.outputs):
        if tensor.dtype not in DType.__members__:
            raise _refusal(f"{path} describes no device: {tensor.dtype!r} is no element type")
    found = hashing.of_bytes(model)
    if found != facts.model_sha256:
        raise ConfigError(
            f"{path.with_name(MODEL)} is not the model that {path.name} describes: {found}, not {facts.model_sha256}",
            hint="render and build it again",
        )
    return facts, model


def _refusal(message: str) -> ConfigError:
    return ConfigError(message, hint="render the project again: tinyhil render RECIPE|FILE --target sim")

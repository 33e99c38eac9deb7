"""The artifacts, in the order in which they come about.

::

    FloatModel -> QuantizedModel -> Project -> FirmwareImage -> Capture -> Verification

Each is frozen and carries the hash of what it was made from. They are plain data: how they are made is in the stages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyhil.affine import TensorSpec

Array = npt.NDArray[np.generic]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FloatModel:
    """A trained model. Of one that the user gave, nothing of its training is known: those fields keep their defaults.

    Attributes:
        recipe: name of the recipe that it was trained by.
        path: the ``.keras`` or ``.h5`` file.
        dataset: an ``.npz`` file with ``train_x train_y validation_x validation_y test_x test_y``
            (``tinyhil.artifacts.arrays``).
        key: hash of all that it was made from.
        metrics: figures of the kept epoch by Keras' names: of the training set (``mae``), the validation set
            (``val_mae``), and the test set, which nothing was chosen by (``test_mae``).
        history: a JSON file with one value per epoch for each of the former two.
        provenance: where the data came from, and how it was divided.
        trained_by: compiled epochs, Keras' ``fit`` and why, or the recipe's own loop.
        epoch: whose weights were kept, counted from 1.
        diagnosis: what the curves say: ``kind``, ``epoch``, ``reason`` (``tinyhil.compare.diagnosis``).
        figures: what the recipe reads from the trained model: numbers or nested lists of them.
        functions: which of the functions that a recipe's code may have, this one's has.
        file: the user's file that it is a copy of; empty for a recipe.
    """

    recipe: str
    path: Path
    dataset: Path
    key: str
    metrics: dict[str, float] = field(default_factory=dict)
    history: Path | None = None
    provenance: str = "given by the user"
    trained_by: str = "somebody else"
    epoch: int = 0
    diagnosis: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    functions: tuple[str, ...] = ()
    file: str = ""


@dataclass(frozen=True)
class Vectors:
    """What is sent to the device, and what it is compared with.

    Attributes:
        inputs: one array per input tensor, each (vectors, *shape) in the tensor's dtype.
        reference: one array per output tensor: the integer reference's outputs, (vectors, *shape) in the tensor's
            dtype.
        float_outputs: one array per output tensor: the float model's outputs, (vectors, *shape) as float64, or None
            where there is no
            float model.
        exhaustive: whether the inputs are all that the model can be given.
        data: (vectors,), which of them are like the data that the model was trained on: accuracy means nothing for
            the others. None for all of them.
        targets: the test set's targets for the vectors that ``data`` marks, (samples, *shape) in their own dtype; None
            where there are none, and where the vectors are not the test set's samples.
    """

    inputs: tuple[Array, ...]
    reference: tuple[Array, ...]
    float_outputs: tuple[Reals, ...] | None
    exhaustive: bool
    data: npt.NDArray[np.bool_] | None = None
    targets: Array | None = None
    places: npt.NDArray[np.int64] | None = None
    available: int = 0

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return len(self.inputs[0])


@dataclass(frozen=True)
class Beside:
    """Another interpreter's outputs for the same vectors, against the reference.

    Attributes:
        name: of the interpreter, with its version.
        mismatches: vectors with at least one element that differs.
        max_lsb: the largest difference in LSB; of floats in units in the last place.
    """

    name: str
    mismatches: int
    max_lsb: int


@dataclass(frozen=True)
class Saturated:
    """How many values of the samples an input cannot take: quantized, they are cut off at an end of its range.

    Attributes:
        count: of them.
        total: of all values of the samples.
    """

    count: int
    total: int


@dataclass(frozen=True)
class Calibration:
    """What the samples that calibrated an input are like. The ends of ranges are reals, and 0 is always inside.

    Attributes:
        samples: how many there were.
        distinct: how many different ones.
        lowest: their least value.
        highest: their largest value.
        inner_lowest: the least value of the others, without the one sample that has the least.
        inner_highest: the largest value of the others, without the one sample that has the largest.
    """

    samples: int
    distinct: int
    lowest: float
    highest: float
    inner_lowest: float
    inner_highest: float


@dataclass(frozen=True)
class Clamped:
    """A tensor inside a model some of whose values are cut off at an end of its type, for no reason that is known.

    Attributes:
        made_by: the operator.
        share: of its values.
    """

    made_by: str
    share: float


@dataclass(frozen=True)
class DeadChannels:
    """Channels of a layer that have the same value for all samples.

    Attributes:
        made_by: the operator.
        dead: how many.
        channels: how many there are.
    """

    made_by: str
    dead: int
    channels: int


@dataclass(frozen=True)
class QuantizedModel:
    """A model in integers, with its reference outputs.

    Attributes:
        recipe: name of the recipe.
        path: the ``.tflite`` file.
        sha256: of that file; the device reports the same.
        scheme: how it was quantized: ``int8`` with Dense layers per tensor, ``int8-per-channel``, ...
        inputs: input tensors.
        outputs: output tensors.
        ops: names of the builtin operators, in the order of execution.
        vectors: test vectors and expectations.
        key: hash of all that it was made from.
        reference: name and version of the interpreter that computed ``vectors.reference``.
        rewrites: what was added to the file after the export, which changes nothing of what it computes.
        inspection: a JSON file on its tensors (``tinyhil.quantize.inspection``); None where nothing was looked at.
        litert: LiteRT beside the reference, None where it did not run or is the reference.
        saturated: of the samples, for each input; none where there are no samples.
        targets_unused: why targets that came with the samples are not judged; empty where there are none.
        notes: what was changed of a Keras model so that it could be converted, which changes nothing of what it
            computes.
        calibration: of each input; none where it is not known, as for a .tflite file.
        codes: how many different integers the samples become at each input, None for one that is not quantized; nothing
            where there are no samples.
        clamped: tensors that lose values at the ends of their types; none where there are no samples.
        dead: layers with channels that never change; likewise.
    """

    recipe: str
    path: Path
    sha256: str
    scheme: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    ops: tuple[str, ...]
    vectors: Vectors
    key: str
    reference: str
    rewrites: tuple[str, ...] = ()
    inspection: Path | None = None
    litert: Beside | None = None
    saturated: tuple[Saturated, ...] = ()
    targets_unused: str = ""
    notes: tuple[str, ...] = ()
    calibration: tuple[Calibration, ...] = ()
    codes: tuple[int | None, ...] = ()
    clamped: tuple[Clamped, ...] = ()
    dead: tuple[DeadChannels, ...] = ()


@dataclass(frozen=True)
class Problem:
    """Why a model cannot be computed as it is, by an engine on a target.

    Attributes:
        kind: for programs: ``operator``, ``per-channel-dense``, ``dtype``, ...
        cause: one sentence that names the tensors or operators.
        hint: the next step.
    """

    kind: str
    cause: str
    hint: str


@dataclass(frozen=True)
class Project:
    """A self-contained project: PlatformIO's, or the model file and its description where nothing is compiled.

    Attributes:
        folder: where it lies.
        environment: the PlatformIO environment to build; the target's name.
        sha256: over all its files; the firmware made from it reports the same.
        model_sha256: of the .tflite file whose model it holds.
        engine: name of the engine.
        kernels: kernel set and version, for the report.
    """

    folder: Path
    environment: str
    sha256: str
    model_sha256: str
    engine: str
    kernels: str


@dataclass(frozen=True)
class FirmwareImage:
    """What a device runs: a linked image, or the model file itself, described by the file beside it.

    Attributes:
        elf: the ELF file; where nothing is compiled, the description that names the model file by its hash.
        sha256: of that file.
        project_sha256: of the project it was built from.
        model_sha256: of the .tflite file whose model it holds.
        engine: name of the engine.
        flash_bytes: bytes it takes in flash: code, constants and initial values; None where nothing is compiled.
        ram_bytes: bytes of statically allocated RAM, the stack not included; None likewise.
        sections: size in bytes by section name.
        tool_versions: what built it: compilers, build system, the engine's library.
        tool_sha256: of those whose content is known, by the same names: of a program its file, of a library and of a
            Python package all their files.
    """

    elf: Path
    sha256: str
    project_sha256: str
    model_sha256: str
    engine: str
    flash_bytes: int | None
    ram_bytes: int | None
    sections: dict[str, int]
    tool_versions: dict[str, str]
    tool_sha256: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Resources:
    """What memory a device uses, in bytes. What it cannot tell is None.

    Attributes:
        arena_capacity: the engine's whole arena; None where its memory is fixed.
        arena_bytes: the part of it that the engine was prepared in.
        arena_used: what the engine itself says to need.
        arena_overrun: bytes behind that part that have changed; anything but 0 is a fault of the engine.
        stack_bytes: that the stack may take.
        stack_used: the most that it has taken since start.
    """

    arena_capacity: int | None
    arena_bytes: int
    arena_used: int | None
    arena_overrun: int
    stack_bytes: int | None
    stack_used: int | None


@dataclass(frozen=True)
class OperatorTicks:
    """What one operator took, in ticks of the device's clock, modulo 2^32; its name is printable ASCII."""

    name: str
    ticks: int


@dataclass(frozen=True)
class Measurement:
    """What was measured of single inferences on a device.

    Attributes:
        ticks: of the device's clock, one figure an inference; none where it has no clock.
        resources: None where the device does not tell.
        operators: in the order of execution; none where the engine does not time them.
    """

    ticks: tuple[int, ...]
    resources: Resources | None
    operators: tuple[OperatorTicks, ...]


@dataclass(frozen=True)
class Capture:
    """What a device answered.

    Attributes:
        outputs: one array per output tensor, (vectors, *shape) in the tensor's dtype.
        ticks: ticks of the device's clock spent in the engine for all vectors, or None where it has no clock.
        tick_hz: ticks per second, 0 where there is no clock.
        engine: the engine's name as the device reported it.
        arena_bytes: working memory of the engine as the device reported it.
        work: what was asked for, in numbers that follow from the model, the vectors and the device alone: however often
            a run was interrupted and whatever the wire did, they are the same.
        measurement: None where the target's figures mean nothing.
        counters: frames, bytes, resends and rejections of the link, as far as this process has seen them.
    """

    outputs: tuple[Array, ...]
    ticks: int | None
    tick_hz: int
    engine: str
    arena_bytes: int
    work: dict[str, int]
    counters: dict[str, int]
    measurement: Measurement | None = None

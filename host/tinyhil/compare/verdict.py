"""The verdict and the report: one object, from which every rendering is made.

Field names are those of ``report.json``, whose schema (docs/report.schema.json) is generated from these classes. The
two verdicts, fidelity and accuracy, stay apart; ``verdict`` is *pass* only if both hold, and *blocked* is neither
pass nor fail.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from tinyhil.artifacts import hashing
from tinyhil.artifacts.types import Problem, Resources
from tinyhil.compare.fidelity import Mismatch
from tinyhil.compare.metrics import ErrorFigures

SCHEMA = 1
"""Version of report.json; it rises when a field changes its meaning or goes away."""


@dataclass(frozen=True)
class Fidelity:
    """Does the chip compute the model that it was given? Device against the integer reference.

    Attributes:
        passed: no mismatch.
        vectors: vectors compared.
        mismatches: vectors with an element that differs by more than the tolerance.
        max_lsb: largest difference in LSB.
        tolerance_lsb: what the recipe allows.
        exhaustive: whether the vectors are all inputs that there are.
        reference: what computed the reference.
        first_mismatches: the first of them.
    """

    passed: bool
    vectors: int
    mismatches: int
    max_lsb: int
    tolerance_lsb: int
    exhaustive: bool
    reference: str
    first_mismatches: tuple[Mismatch, ...]


@dataclass(frozen=True)
class Bound:
    """One limit of the recipe on an accuracy figure, in real units."""

    figure: str
    value: float
    limit: float
    met: bool


@dataclass(frozen=True)
class ErrorSplit:
    """Where the error comes from: mean signed error of each part, in real units. The parts add up to ``total``.

    Attributes:
        training: float model minus truth; None without a truth.
        quantization: integer reference minus float model.
        device: device minus integer reference.
        total: device minus truth, or minus the float model where there is no truth.
    """

    training: float | None
    quantization: float
    device: float
    total: float


@dataclass(frozen=True)
class Accuracy:
    """Is what the chip computes good enough? Device against the float model and the truth.

    Attributes:
        passed: every bound is met.
        device_vs_float: device against the float model.
        reference_vs_float: integer reference against the float model: what quantization costs.
        device_vs_reference: device against the integer reference, in real units.
        device_vs_truth: device against the noise-free truth, where the recipe has one.
        float_vs_truth: float model against the truth: what training left.
        bounds: the recipe's limits.
        split: the mean error by origin.
    """

    passed: bool
    device_vs_float: ErrorFigures
    reference_vs_float: ErrorFigures
    device_vs_reference: ErrorFigures
    device_vs_truth: ErrorFigures | None
    float_vs_truth: ErrorFigures | None
    bounds: tuple[Bound, ...]
    split: ErrorSplit


@dataclass(frozen=True)
class Size:
    """What the whole image takes, in bytes.

    Attributes:
        flash_bytes: code, constants and initial values.
        ram_bytes: statically allocated, stack not included.
        arena_bytes: the engine's working memory, part of the RAM.
        sections: by section of the ELF file.
    """

    flash_bytes: int
    ram_bytes: int
    arena_bytes: int | None
    sections: dict[str, int]


@dataclass(frozen=True)
class Speed:
    """What single inferences took on the device, each asked for on its own after a warm-up.

    Attributes:
        unit: of the other figures, and of ``Report.operators``.
        min: the quickest.
        median: the one in the middle.
        max: the slowest.
        count: how many there were.
    """

    unit: Literal["instructions", "microseconds"]
    min: float
    median: float
    max: float
    count: int


@dataclass(frozen=True)
class OperatorCost:
    """What one operator took in one inference, in the unit of ``Speed``."""

    name: str
    cost: float


@dataclass(frozen=True)
class Blocked:
    """Why there is no verdict."""

    error: str
    cause: str
    hint: str
    detail: str


@dataclass(frozen=True)
class Verification:
    """What the stage ``verify`` found.

    Attributes:
        fidelity: the first verdict.
        accuracy: the second one; None for a model without a float model.
        instructions_per_inference: measured on the device, None where it cannot count instructions.
        microseconds_per_inference: measured on the device, None where it has no clock of real time.
        speed: of single inferences; None where nothing was measured.
        operators: what each operator took, in the order of execution; none where the engine does not time them.
    """

    fidelity: Fidelity
    accuracy: Accuracy | None
    instructions_per_inference: float | None
    microseconds_per_inference: float | None
    speed: Speed | None
    operators: tuple[OperatorCost, ...]

    @property
    def passed(self) -> bool:
        """Whether both verdicts hold."""
        return self.fidelity.passed and (self.accuracy is None or self.accuracy.passed)


@dataclass(frozen=True)
class Report:
    """The whole report. What is unknown in a blocked run is None, and so is the size where nothing was compiled.

    ``forced`` has the problems that pre-flight found and in spite of which the run was forced.
    """

    schema: int
    verdict: Literal["pass", "fail", "blocked"]
    summary: str
    recipe: str
    target: str
    honest_about: str
    engine: str
    kernels: str | None
    scheme: str | None
    ops: tuple[str, ...]
    forced: tuple[Problem, ...]
    fidelity: Fidelity | None
    accuracy: Accuracy | None
    size: Size | None
    instructions_per_inference: float | None
    microseconds_per_inference: float | None
    speed: Speed | None
    resources: Resources | None
    operators: tuple[OperatorCost, ...]
    measured_by: str | None
    model_sha256: str | None
    project_sha256: str | None
    firmware_sha256: str | None
    tool_versions: dict[str, str]
    link: dict[str, int]
    blocked: Blocked | None


def digest(report: Report) -> str:
    """SHA-256 over all of a report but ``link``: equal where the same was found of the same firmware, in the same way.

    A run, the resumed run, and the replay of its recording have the same.
    """
    return hashing.of_json({name: value for name, value in asdict(report).items() if name != "link"})

"""The verdict and the report: one object, from which every rendering is made.

Field names are those of ``report.json``, whose schema (docs/report.schema.json) is generated from these classes. The
verdicts on fidelity, accuracy and preprocessing stay apart; ``verdict`` is *pass* only if all of them hold, and
*blocked* is neither pass nor fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinyhil.artifacts.retries import Retries
from tinyhil.artifacts.types import Beside, Problem, Resources
from tinyhil.compare.bisection import Bisection
from tinyhil.compare.classification import Agreement, Classification
from tinyhil.compare.fidelity import Mismatch
from tinyhil.compare.health import Finding
from tinyhil.compare.preprocessing import Preprocessing
from tinyhil.compare.regression import RegressionFigures
from tinyhil.compare.scope import Scope
from tinyhil.compare.search import Search

SCHEMA = 1
"""Version of report.json; it rises when a field changes its meaning or goes away."""
MOST_POINTS = 512
"""Enough for a picture, and for every input that an int8 can have."""


@dataclass(frozen=True)
class Fidelity:
    """Does the chip compute the model that it was given? Device against the integer reference.

    Attributes:
        passed: no mismatch, neither in a vector nor in an input that a search has tried; and every output is a number.
        vectors: vectors compared.
        mismatches: vectors with an element that differs by more than the tolerance.
        max_lsb: largest difference, in ``unit``.
        tolerance_lsb: what the recipe allows, likewise.
        exhaustive: whether the vectors are all inputs that there are.
        reference: what computed the reference.
        first_mismatches: the first of them.
        search: what a search beyond the vectors has found; None where there was none: every input there is was a
            vector, the model keeps a state, or nobody asked.
        not_finite: values of the device's outputs that are NaN or infinite.
        detectable: the smallest share of all inputs like the vectors that a fault has to hit so that the vectors would
            have shown it with a probability of ``fidelity.CONFIDENCE``; None where they are all inputs there are, or
            show one.
        unit: what differences are counted in: "LSB"; "ULP" where the outputs are floats; "LSB or ULP" where some are.
    """

    passed: bool
    vectors: int
    mismatches: int
    max_lsb: int
    tolerance_lsb: int
    exhaustive: bool
    reference: str
    first_mismatches: tuple[Mismatch, ...]
    search: Search | None
    not_finite: int = 0
    detectable: float | None = None
    unit: str = "LSB"


@dataclass(frozen=True)
class Bound:
    """One limit of the recipe on an accuracy figure, in real units or as a share of 1; an undefined one meets none."""

    figure: str
    value: float | None
    limit: float
    met: bool


@dataclass(frozen=True)
class ErrorSplit:
    """Where the error comes from: mean signed error of each part. The parts add up to ``total``.

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
class OutputErrors:
    """The three computations of one output tensor, or of all of them as one list, held against one another.

    Attributes:
        name: of the tensor; empty for all of them.
        device_vs_float: device against the float model.
        reference_vs_float: integer reference against the float model: what quantization costs.
        device_vs_reference: device against the integer reference, in real units.
        device_vs_truth: device against the truth, where there is one.
        float_vs_truth: float model against the truth: what training left.
        split: the mean error by origin, in real units; None where an output is not a finite number.
        split_lsb: the same in LSB of the tensor; None for all of them, for floats, and as ``split``.
    """

    name: str
    device_vs_float: RegressionFigures
    reference_vs_float: RegressionFigures
    device_vs_reference: RegressionFigures
    device_vs_truth: RegressionFigures | None
    float_vs_truth: RegressionFigures | None
    split: ErrorSplit | None
    split_lsb: ErrorSplit | None


@dataclass(frozen=True)
class TopK:
    """Share of the vectors whose true class is among the ``k`` highest scores; None without a float model."""

    k: int
    float_model: float | None
    reference: float
    device: float


@dataclass(frozen=True)
class Classifier:
    """What the three computations make of the vectors whose class is known.

    Attributes:
        float_model: the float model's figures; None without one.
        reference: the integer reference's.
        device: the device's.
        top_k: for k = 1 and a few more.
        agreement: how often the three choose the same class, right or wrong.
        top1_drop: accuracy lost between float model and device: 0.01 is one point; None without a float model.
    """

    float_model: Classification | None
    reference: Classification
    device: Classification
    top_k: tuple[TopK, ...]
    agreement: Agreement
    top1_drop: float | None


@dataclass(frozen=True)
class Accuracy:
    """Is what the chip computes good enough? Device against the float model and the truth, or the known classes alone.

    Attributes:
        passed: every bound is met, and every output of device and float model that is judged is a number.
        vectors: vectors that were looked at: those that are like the data.
        truth: where the truth comes from: the recipe's ``function``, free of noise, or the targets of the ``test set``.
        overall: of all outputs, taken as one list; None without a float model.
        outputs: of each output tensor; none without a float model.
        classifier: where the test set says the class of each sample.
        bounds: the recipe's limits.
    """

    passed: bool
    vectors: int
    truth: Literal["function", "test set"] | None
    overall: OutputErrors | None
    outputs: tuple[OutputErrors, ...]
    classifier: Classifier | None
    bounds: tuple[Bound, ...]


@dataclass(frozen=True)
class Points:
    """What pictures are drawn of: vectors in their order, at most ``MOST_POINTS`` of them, evenly spread.

    All lists are as long as ``vector``. The values are those of the first element of the first output.

    Attributes:
        vector: index of each.
        x: the input in real units, where it is a single number.
        reference: the integer reference, in real units.
        device: the device.
        float_model: the float model, where there is one.
        truth: the truth, where there is one for every vector shown.
        lsb: device minus reference in LSB, of the element that differs most; of floats in units in the last place.
        like_data: whether accuracy looks at the vector.
    """

    vector: tuple[int, ...]
    x: tuple[float, ...] | None
    reference: tuple[float | None, ...]
    device: tuple[float | None, ...]
    float_model: tuple[float | None, ...] | None
    truth: tuple[float | None, ...] | None
    lsb: tuple[int, ...]
    like_data: tuple[bool, ...]


@dataclass(frozen=True)
class Training:
    """Where the float model comes from.

    Attributes:
        data: whose data, how many samples, and how they were divided.
        trained_by: what ran the training.
        epoch: whose weights were kept, from 1; 0 where nothing is known of it.
        figures: by the set they are of (``training``, ``validation``, ``test``) and Keras' name.
        diagnosis: what the curves say, in words; empty where there are none.
    """

    data: str
    trained_by: str
    epoch: int
    figures: dict[str, dict[str, float]]
    diagnosis: str


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
    """What one operator took in one inference.

    Attributes:
        name: of the operator.
        cost: in the unit of ``Speed``.
        operator: its index in the model, None where the engine has named what the model does not have.
        macs: multiply-accumulates, of layers that multiply by weights; 0 for others.
        weight_bytes: of the constants that it reads.
        live_bytes: of all tensors that are needed while it runs.
    """

    name: str
    cost: float
    operator: int | None = None
    macs: int = 0
    weight_bytes: int = 0
    live_bytes: int = 0


@dataclass(frozen=True)
class Blocked:
    """Why there is no verdict.

    Attributes:
        error: name of the error's class.
        cause: its message.
        hint: the next step; empty where there is none.
        detail: longer evidence, such as the output of a failed tool; or empty.
        id: of the error's kind, see docs/errors.md; empty in reports of earlier versions.
    """

    error: str
    cause: str
    hint: str
    detail: str
    id: str = ""


@dataclass(frozen=True)
class Verification:
    """What the stage ``verify`` found.

    Attributes:
        fidelity: the first verdict.
        accuracy: the second one; None for a model with neither a float model nor known classes.
        instructions_per_inference: measured on the device, None where it cannot count instructions.
        microseconds_per_inference: measured on the device, None where it has no clock of real time.
        points: for pictures.
        speed: of single inferences; None where nothing was measured.
        operators: what each operator took, in the order of execution; none where the engine does not time them.
    """

    fidelity: Fidelity
    accuracy: Accuracy | None
    points: Points
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

    ``forced`` has the problems in spite of which the run was forced; ``litert`` is LiteRT's own interpreter beside the
    reference; ``bisection`` is there where ``tinyhil bisect`` has looked at this firmware; ``line`` is what carried the
    bytes to an emulated chip; ``scope`` says what was left out, and is None in earlier versions and in runs that were
    blocked before; ``findings`` has what looks wrong; those that ``tinyhil.compare.health.STRICT`` names fail a run
    that is ``strict``. ``headline`` says what was judged. ``source_sha256`` is of what was asked for: the user's file,
    or all that a recipe's model depends on; ``samples_sha256`` of the samples beside a file, ``raw_sha256`` of raw
    samples, ``prepare_sha256`` of the code that prepares them; ``test_data_sha256`` of the test set that the
    float model came with. ``retries`` is None in reports of earlier versions.
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
    training: Training | None
    fidelity: Fidelity | None
    litert: Beside | None
    accuracy: Accuracy | None
    points: Points | None
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
    tool_sha256: dict[str, str]
    made_by: str
    link: dict[str, int]
    blocked: Blocked | None
    bisection: Bisection | None
    line: str | None = None
    scope: Scope | None = None
    findings: tuple[Finding, ...] = ()
    strict: bool = False
    headline: str = ""
    source_sha256: str | None = None
    samples_sha256: str | None = None
    retries: Retries | None = None
    preprocessing: Preprocessing | None = None
    raw_sha256: str | None = None
    prepare_sha256: str | None = None
    test_data_sha256: str | None = None

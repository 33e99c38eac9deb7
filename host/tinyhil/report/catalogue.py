"""Where each figure of the report is computed, and its unit: what ``report.json`` holds, field by field.

A field is named by its class and its own name (``RegressionFigures.mae``), for the same class stands at several places
of a report. docs/report.md is generated from this table; a test holds it against the schema, both ways.
"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple


class Origin(NamedTuple):
    """Where a field of the report comes from.

    Attributes:
        unit: of its value; ``text`` for words, and ``-`` for numbers without a unit.
        by: the function that computes it, or the artifact that carries it, below the package tinyhil.
    """

    unit: str
    by: str


_TEXT = "text"
_NONE = "-"
_COUNT = "count"
_BYTES = "bytes"
_LSB = "LSB or ULP"
_SHARE = "share of 1"
_REAL = "unit of the output"
_SPEED = "Speed.unit"

_REGRESSION = "compare.regression.figures"
_CLASSES = "compare.classification.classification"
_SPLIT = "verify.accuracy._split"
_FIDELITY = "compare.fidelity.compare"
_JUDGED = "compare.preprocessing.judge"
_ASKED = "config.recipe.Fidelity"
_POINTS = "verify.points.points"
_DEVICE = "session.measuring.measure"
_BLOCKED = "report.assemble.blocked"
_EXAMPLE = "compare.search.Searcher"
_BISECT = "experiments.bisect.bisect.Bisect"
_LAYERS = "experiments.bisect.layers.Layers"
_LAYER = "compare.layer.difference"
_BLAME = "compare.blame.search"
_TARGET = "targets.model.Target"
_ALLOWED = "targets.allowance.Allowance"
_HEALTH = "compare.health.findings"
_PREFLIGHT = "preflight.check.check"

ORIGINS: dict[str, Origin] = {
    "Report.schema": Origin(_NONE, "compare.verdict.SCHEMA"),
    "Report.verdict": Origin(_TEXT, "report.assemble.judged"),
    "Report.summary": Origin(_TEXT, "report.assemble.summary"),
    "Report.recipe": Origin(_TEXT, "config.recipe.Recipe"),
    "Report.target": Origin(_TEXT, _TARGET),
    "Report.honest_about": Origin(_TEXT, _TARGET),
    "Report.engine": Origin(_TEXT, "targets.registry.engine"),
    "Report.kernels": Origin(_TEXT, "render.stage.render"),
    "Report.scheme": Origin(_TEXT, "quantize.stage.quantize"),
    "Report.ops": Origin(_TEXT, "tflite.interface.read"),
    "Report.instructions_per_inference": Origin("instructions", "verify.stage.verify"),
    "Report.microseconds_per_inference": Origin("microseconds", "verify.stage.verify"),
    "Report.measured_by": Origin(_TEXT, "targets.model.Measure"),
    "Report.model_sha256": Origin(_TEXT, "quantize.stage.quantize"),
    "Report.project_sha256": Origin(_TEXT, "render.stage.render"),
    "Report.firmware_sha256": Origin(_TEXT, "build.stage.build"),
    "Report.tool_versions": Origin(_TEXT, "build.stage.build"),
    "Report.tool_sha256": Origin(_TEXT, "build.stage.build"),
    "Report.made_by": Origin(_TEXT, "report.assemble._report"),
    "Report.link": Origin(_COUNT, "session.capture.capture"),
    "Report.line": Origin(_TEXT, "device.factory.line"),
    "Report.strict": Origin(_NONE, "options.Options"),
    "Report.headline": Origin(_TEXT, "report.headline.headline"),
    "Report.source_sha256": Origin(_TEXT, "pipeline.sources.base.Asked"),
    "Report.samples_sha256": Origin(_TEXT, "pipeline.sources.base.Asked"),
    "Report.raw_sha256": Origin(_TEXT, "pipeline.run_preprocessing.files"),
    "Report.prepare_sha256": Origin(_TEXT, "pipeline.run_preprocessing.files"),
    "Report.test_data_sha256": Origin(_TEXT, "artifacts.arrays.digest_of_test_set"),
    "Retries.resends": Origin(_COUNT, "session.conversation.Conversation"),
    "Retries.restarts": Origin(_COUNT, "session.conversation.Conversation"),
    "Retries.greeted_again": Origin(_COUNT, "session.conversation.Conversation"),
    "Retries.ports_reopened": Origin(_COUNT, "session.counted.CountedLines"),
    "Retries.ports_renamed": Origin(_COUNT, "session.counted.CountedLines"),
    "Retries.flash_attempts": Origin(_COUNT, "pipeline.answers.board_ports.BoardPorts"),
    "Retries.power_cycles": Origin(_COUNT, "pipeline.answers.power_cycles.PowerCycles"),
    "Scope.vectors": Origin(_COUNT, _ALLOWED),
    "Scope.available": Origin(_COUNT, "quantize.vectors.choose"),
    "Scope.search": Origin(_COUNT, _ALLOWED),
    "Scope.search_wanted": Origin(_COUNT, _ASKED),
    "Finding.kind": Origin(_TEXT, _HEALTH),
    "Finding.cause": Origin(_TEXT, _HEALTH),
    "Finding.hint": Origin(_TEXT, _HEALTH),
    "Finding.level": Origin(_TEXT, _HEALTH),
    "Problem.kind": Origin(_TEXT, _PREFLIGHT),
    "Problem.cause": Origin(_TEXT, _PREFLIGHT),
    "Problem.hint": Origin(_TEXT, _PREFLIGHT),
    "Training.data": Origin(_TEXT, "train.stage.train"),
    "Training.trained_by": Origin(_TEXT, "train.stage.train"),
    "Training.epoch": Origin(_COUNT, "train.stage.train"),
    "Training.figures": Origin("as Keras has it", "train.stage.train"),
    "Training.diagnosis": Origin(_TEXT, "compare.diagnosis.diagnose"),
    "Fidelity.passed": Origin(_NONE, "verify.stage.verify"),
    "Fidelity.vectors": Origin(_COUNT, _FIDELITY),
    "Fidelity.mismatches": Origin(_COUNT, _FIDELITY),
    "Fidelity.max_lsb": Origin(_LSB, _FIDELITY),
    "Fidelity.tolerance_lsb": Origin(_LSB, _ASKED),
    "Fidelity.exhaustive": Origin(_NONE, "quantize.vectors.choose"),
    "Fidelity.unit": Origin(_TEXT, "affine.unit_of_difference"),
    "Fidelity.reference": Origin(_TEXT, "quantize.stage.quantize"),
    "Fidelity.not_finite": Origin(_COUNT, "verify.stage.verify"),
    "Fidelity.detectable": Origin(_SHARE, "compare.fidelity.detectable"),
    "Search.seed": Origin(_NONE, "compare.search.Wanted"),
    "Search.tried": Origin(_COUNT, "compare.climb.climb"),
    "Search.max_lsb": Origin(_LSB, "compare.climb.climb"),
    "Search.tolerance_lsb": Origin(_LSB, _ASKED),
    "Example.max_lsb": Origin(_LSB, _FIDELITY),
    "Example.tried": Origin(_COUNT, "compare.climb.reduce"),
    "Element.input": Origin("index", _EXAMPLE),
    "Element.element": Origin("index", _EXAMPLE),
    "Element.value": Origin("value of the tensor", _EXAMPLE),
    "Element.zero_point": Origin("value of the tensor", "tflite.interface.read"),
    "Mismatch.vector": Origin("index", _FIDELITY),
    "Mismatch.output": Origin("index", _FIDELITY),
    "Mismatch.element": Origin("index", _FIDELITY),
    "Mismatch.expected": Origin("value of the tensor", _FIDELITY),
    "Mismatch.actual": Origin("value of the tensor", _FIDELITY),
    "Mismatch.lsb": Origin(_LSB, "compare.fidelity.differences"),
    "Preprocessing.passed": Origin(_NONE, _JUDGED),
    "Preprocessing.samples": Origin(_COUNT, _JUDGED),
    "Preprocessing.tolerance_lsb": Origin(_LSB, "options.Options"),
    "Preprocessing.unit": Origin(_TEXT, "affine.unit_of_difference"),
    "Preprocessing.host": Origin(_TEXT, "pipeline.run_preprocessing.raw_samples"),
    "Preprocessing.cost": Origin(_SPEED, "pipeline.run_preprocessing.RunPreprocessing"),
    "Apart.mismatches": Origin(_COUNT, _FIDELITY),
    "Apart.max_lsb": Origin(_LSB, _FIDELITY),
    "Beside.name": Origin(_TEXT, "quantize.stage.quantize"),
    "Beside.mismatches": Origin(_COUNT, "quantize.stage.quantize"),
    "Beside.max_lsb": Origin(_LSB, "quantize.stage.quantize"),
    "Accuracy.passed": Origin(_NONE, "verify.accuracy.accuracy"),
    "Accuracy.vectors": Origin(_COUNT, "verify.accuracy.judged"),
    "Accuracy.truth": Origin(_TEXT, "verify.accuracy.ideal"),
    "OutputErrors.name": Origin(_TEXT, "verify.accuracy._errors"),
    "RegressionFigures.values": Origin(_COUNT, _REGRESSION),
    "RegressionFigures.not_finite": Origin(_COUNT, _REGRESSION),
    "RegressionFigures.mae": Origin(_REAL, _REGRESSION),
    "RegressionFigures.rmse": Origin(_REAL, _REGRESSION),
    "RegressionFigures.residual_norm": Origin(_REAL, _REGRESSION),
    "RegressionFigures.max_error": Origin(_REAL, _REGRESSION),
    "RegressionFigures.r2": Origin(_NONE, _REGRESSION),
    "RegressionFigures.nse": Origin(_NONE, _REGRESSION),
    "RegressionFigures.cosine": Origin(_NONE, _REGRESSION),
    "ErrorSplit.training": Origin(_REAL, _SPLIT),
    "ErrorSplit.quantization": Origin(_REAL, _SPLIT),
    "ErrorSplit.device": Origin(_REAL, _SPLIT),
    "ErrorSplit.total": Origin(_REAL, _SPLIT),
    "Classifier.top1_drop": Origin(_SHARE, "compare.classification.top1_drop"),
    "Classification.vectors": Origin(_COUNT, _CLASSES),
    "Classification.unclassified": Origin(_COUNT, _CLASSES),
    "Classification.accuracy": Origin(_SHARE, _CLASSES),
    "Classification.confusion": Origin(_COUNT, _CLASSES),
    "ClassFigures.name": Origin(_TEXT, "config.recipe.Recipe"),
    "ClassFigures.precision": Origin(_SHARE, _CLASSES),
    "ClassFigures.recall": Origin(_SHARE, _CLASSES),
    "ClassFigures.f1": Origin(_SHARE, _CLASSES),
    "ClassFigures.support": Origin(_COUNT, _CLASSES),
    "ClassFigures.predicted": Origin(_COUNT, _CLASSES),
    "Average.precision": Origin(_SHARE, _CLASSES),
    "Average.recall": Origin(_SHARE, _CLASSES),
    "Average.f1": Origin(_SHARE, _CLASSES),
    "TopK.k": Origin(_COUNT, "verify.accuracy.TOP"),
    "TopK.float_model": Origin(_SHARE, "compare.classification.top_k"),
    "TopK.reference": Origin(_SHARE, "compare.classification.top_k"),
    "TopK.device": Origin(_SHARE, "compare.classification.top_k"),
    "Agreement.float_reference": Origin(_SHARE, "compare.classification.agreement"),
    "Agreement.float_device": Origin(_SHARE, "compare.classification.agreement"),
    "Agreement.reference_device": Origin(_SHARE, "compare.classification.agreement"),
    "Bound.figure": Origin(_TEXT, "verify.accuracy._bounds"),
    "Bound.value": Origin("of the figure", "verify.accuracy._bounds"),
    "Bound.limit": Origin("of the figure", "config.recipe.Accuracy"),
    "Bound.met": Origin(_NONE, "verify.accuracy._bound"),
    "Points.vector": Origin("index", _POINTS),
    "Points.x": Origin("unit of the input", _POINTS),
    "Points.reference": Origin(_REAL, _POINTS),
    "Points.device": Origin(_REAL, _POINTS),
    "Points.float_model": Origin(_REAL, _POINTS),
    "Points.truth": Origin(_REAL, _POINTS),
    "Points.lsb": Origin(_LSB, "verify.points._worst"),
    "Points.like_data": Origin(_NONE, "verify.accuracy.judged"),
    "Size.flash_bytes": Origin(_BYTES, "toolchain.image.read"),
    "Size.ram_bytes": Origin(_BYTES, "toolchain.image.read"),
    "Size.arena_bytes": Origin(_BYTES, "session.capture.capture"),
    "Size.sections": Origin(_BYTES, "toolchain.image.read"),
    "Speed.unit": Origin(_TEXT, "targets.model.Measure"),
    "Speed.min": Origin(_SPEED, "verify.stage._speed"),
    "Speed.median": Origin(_SPEED, "verify.stage._speed"),
    "Speed.max": Origin(_SPEED, "verify.stage._speed"),
    "Speed.count": Origin(_COUNT, "verify.stage._speed"),
    "Resources.arena_capacity": Origin(_BYTES, _DEVICE),
    "Resources.arena_bytes": Origin(_BYTES, _DEVICE),
    "Resources.arena_used": Origin(_BYTES, _DEVICE),
    "Resources.arena_overrun": Origin(_BYTES, _DEVICE),
    "Resources.stack_bytes": Origin(_BYTES, _DEVICE),
    "Resources.stack_used": Origin(_BYTES, _DEVICE),
    "OperatorCost.name": Origin(_TEXT, "verify.stage.operator_costs"),
    "OperatorCost.cost": Origin(_SPEED, "verify.stage.operator_costs"),
    "OperatorCost.operator": Origin(_COUNT, "tflite.costs.operator_facts"),
    "OperatorCost.macs": Origin(_COUNT, "tflite.costs.operator_facts"),
    "OperatorCost.weight_bytes": Origin(_BYTES, "tflite.costs.operator_facts"),
    "OperatorCost.live_bytes": Origin(_BYTES, "tflite.costs.operator_facts"),
    "Bisection.recipe": Origin(_TEXT, _BISECT),
    "Bisection.model_sha256": Origin(_TEXT, "quantize.stage.quantize"),
    "Bisection.reference": Origin(_TEXT, "quantize.stage.quantize"),
    "Bisection.tolerance_lsb": Origin(_LSB, "experiments.bisect.bisect.BisectOptions"),
    "Bisection.every": Origin(_NONE, "experiments.bisect.bisect.BisectOptions"),
    "Bisection.exhaustive": Origin(_NONE, "quantize.vectors.choose"),
    "Bisection.vectors": Origin("index", "experiments.bisect.bisect.choose"),
    "Bisection.prebuilt": Origin(_NONE, "experiments.bisect.bisect.Outcome"),
    "DeviceSide.target": Origin(_TEXT, _TARGET),
    "DeviceSide.engine": Origin(_TEXT, "targets.registry.engine"),
    "DeviceSide.kernels": Origin(_TEXT, "render.stage.render"),
    "DeviceSide.project_sha256": Origin(_TEXT, "render.stage.render"),
    "Layer.number": Origin(_COUNT, _LAYERS),
    "Layer.kind": Origin(_TEXT, _LAYERS),
    "Layer.name": Origin(_TEXT, _LAYERS),
    "Layer.dtype": Origin(_TEXT, _LAYERS),
    "Layer.shape": Origin(_COUNT, _LAYERS),
    "Probe.layer": Origin(_COUNT, _LAYERS),
    "Probe.why": Origin(_TEXT, _LAYERS),
    "LayerDifference.vectors": Origin(_COUNT, _LAYER),
    "LayerDifference.mismatches": Origin(_COUNT, _LAYER),
    "LayerDifference.max_lsb": Origin(_LSB, _LAYER),
    "LayerDifference.elements": Origin(_COUNT, _LAYER),
    "LayerDifference.wrong_elements": Origin(_COUNT, _LAYER),
    "Blame.operator": Origin("index", _BLAME),
    "Blame.suspects": Origin("index", _BLAME),
    "Blame.reads": Origin("index", _BLAME),
    "Blocked.error": Origin(_TEXT, _BLOCKED),
    "Blocked.cause": Origin(_TEXT, _BLOCKED),
    "Blocked.hint": Origin(_TEXT, _BLOCKED),
    "Blocked.detail": Origin(_TEXT, _BLOCKED),
    "Blocked.id": Origin(_TEXT, _BLOCKED),
}


_HEAD = """# The figures of a report

`report.json` is the report; the terminal, `report.xml`, `report.md` and `report.html` are made from the same object.
Every figure that they show carries the path of its value in `report.json`: `accuracy.overall.device_vs_float.mae`,
`accuracy.bounds[0].value`, `size.sections[.text]`. On the page it is the attribute `data-figure`, in JUnit the name
of the property.

The last field of a path, in the class that it belongs to ([schema](report.schema.json)), is listed here with its unit
and with the function of the package `tinyhil`, or the artifact, that it comes from. What a field means is said in its
class, in `tinyhil.compare.verdict` and the modules named here. Errors are in the unit of the model's own output.

A target that knows no time has no figure in a unit of time: its `microseconds_per_inference` is null.
"""


def page() -> str:
    """docs/report.md."""
    blocks = [_HEAD]
    for owner, fields in groupby(ORIGINS.items(), lambda item: item[0].partition(".")[0]):
        rows = [f"| `{name.partition('.')[2]}` | {origin.unit} | `{origin.by}` |" for name, origin in fields]
        blocks.append("\n".join([f"## {owner}\n", "| field | unit | from |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(blocks)

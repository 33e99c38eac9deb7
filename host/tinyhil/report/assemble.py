"""Puts the report together from the artifacts of a run, or from the error that blocked it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import tinyhil
from tinyhil.artifacts.arrays import digest_of_test_set
from tinyhil.artifacts.retries import Retries
from tinyhil.artifacts.types import Capture, FirmwareImage, FloatModel, Problem, Project, QuantizedModel
from tinyhil.compare import health
from tinyhil.compare.preprocessing import Preprocessing, RawFiles
from tinyhil.compare.scope import Scope
from tinyhil.compare.search import Search
from tinyhil.compare.verdict import (
    SCHEMA,
    Accuracy,
    Blocked,
    Classifier,
    Fidelity,
    Report,
    Size,
    Training,
    Verification,
)
from tinyhil.errors import TinyhilError
from tinyhil.report.headline import headline
from tinyhil.targets.model import LineName, Target

_V = TypeVar("_V")
_NO_FILES = RawFiles()
_SETS = {"val_": "validation", "test_": "test"}
"""Keras' prefixes of figures; without one they are of the training set."""


@dataclass(frozen=True)
class Evidence:
    """The artifacts that a run has made so far; a blocked run lacks some.

    ``forced`` has the problems in spite of which it was forced. A .tflite file has no ``trained``.
    ``line`` is what carries the bytes, where the device is an emulator that is started. ``scope`` says what was left
    out. ``strict`` is whether findings fail the run, ``source_sha256`` of what was asked for, and ``samples_sha256`` of
    the samples beside it. ``retries`` is what was done again, ``preprocessing`` what was found of raw samples,
    ``raw_files`` where these are from.
    """

    model: QuantizedModel | None = None
    trained: FloatModel | None = None
    forced: tuple[Problem, ...] = ()
    project: Project | None = None
    image: FirmwareImage | None = None
    capture: Capture | None = None
    search: Search | None = None
    line: LineName | None = None
    scope: Scope | None = None
    strict: bool = False
    source_sha256: str | None = None
    samples_sha256: str | None = None
    retries: Retries | None = None
    preprocessing: Preprocessing | None = None
    raw_files: RawFiles = _NO_FILES


def judged(recipe: str, target: Target, engine: str, evidence: Evidence, verification: Verification) -> Report:
    """The report of a run that was carried out."""
    passed = verification.passed and (evidence.preprocessing is None or evidence.preprocessing.passed)
    verdict: Literal["pass", "fail"] = "pass" if passed else "fail"
    made = _report(recipe, target, engine, evidence, verdict=verdict, verification=verification)
    against = health.strict(made.findings) if evidence.strict else ()
    if made.verdict == "pass" and against:
        made = replace(made, verdict="fail", headline="Failed")
    return replace(made, summary=summary(made))


def blocked(recipe: str, target: Target, engine: str, evidence: Evidence, error: TinyhilError) -> Report:
    """The report of a run that could not be carried out."""
    return _report(
        recipe,
        target,
        engine,
        evidence,
        verdict="blocked",
        summary=f"no verdict: {error.message}",
        cause=Blocked(type(error).__name__, error.message, error.hint, error.detail, error.kind.id),
    )


def _report(
    recipe: str,
    target: Target,
    engine: str,
    evidence: Evidence,
    *,
    verdict: Literal["pass", "fail", "blocked"],
    summary: str = "",
    verification: Verification | None = None,
    cause: Blocked | None = None,
) -> Report:
    model, project, image, capture = evidence.model, evidence.project, evidence.image, evidence.capture
    made = Report(
        schema=SCHEMA,
        verdict=verdict,
        summary=summary,
        recipe=recipe,
        target=target.name,
        honest_about=target.honest_about,
        engine=engine,
        kernels=project.kernels if project else None,
        scheme=model.scheme if model else None,
        ops=model.ops if model else (),
        forced=evidence.forced,
        training=_training(evidence.trained),
        fidelity=verification.fidelity if verification else None,
        litert=model.litert if model else None,
        accuracy=verification.accuracy if verification else None,
        points=verification.points if verification else None,
        size=_size(image, capture),
        instructions_per_inference=verification.instructions_per_inference if verification else None,
        microseconds_per_inference=verification.microseconds_per_inference if verification else None,
        speed=verification.speed if verification else None,
        resources=capture.measurement.resources if capture and capture.measurement else None,
        operators=verification.operators if verification else (),
        measured_by=target.measure.method or None,
        model_sha256=model.sha256 if model else None,
        project_sha256=image.project_sha256 if image else None,
        firmware_sha256=image.sha256 if image else None,
        tool_versions=_sorted(image.tool_versions) if image else {},
        tool_sha256=_sorted(image.tool_sha256) if image else {},
        made_by=f"tinyhil {tinyhil.__version__}",
        link=capture.work if capture else {},
        blocked=cause,
        bisection=None,
        line=evidence.line,
        scope=evidence.scope,
        findings=health.findings(model) if model else (),
        strict=evidence.strict,
        source_sha256=evidence.source_sha256,
        samples_sha256=evidence.samples_sha256,
        retries=evidence.retries,
        preprocessing=evidence.preprocessing if verification else None,
        raw_sha256=evidence.raw_files.raw_sha256,
        prepare_sha256=evidence.raw_files.prepare_sha256,
        test_data_sha256=None if evidence.trained is None else digest_of_test_set(evidence.trained.dataset),
    )
    return replace(made, headline=headline(made))


def _training(model: FloatModel | None) -> Training | None:
    if model is None:
        return None
    figures: dict[str, dict[str, float]] = {}
    for name, value in sorted(model.metrics.items()):
        known = next((prefix for prefix in _SETS if name.startswith(prefix)), "")
        figures.setdefault(_SETS.get(known, "training"), {})[name.removeprefix(known)] = value
    said = model.diagnosis
    return Training(
        data=model.provenance,
        trained_by=model.trained_by,
        epoch=model.epoch,
        figures=figures,
        diagnosis=f"{said['kind']}: {said['reason']}" if said else "",
    )


def _size(image: FirmwareImage | None, capture: Capture | None) -> Size | None:
    if image is None or image.flash_bytes is None or image.ram_bytes is None:
        return None
    return Size(
        flash_bytes=image.flash_bytes,
        ram_bytes=image.ram_bytes,
        arena_bytes=capture.arena_bytes if capture else None,
        sections=_sorted(image.sections),
    )


def _sorted(named: dict[str, _V]) -> dict[str, _V]:
    """The same report byte for byte, whether the image was built just now or found."""
    return dict(sorted(named.items()))


def summary(report: Report) -> str:
    """The verdicts of a run that was carried out, in words; what ``--strict`` has found before them, if it decides."""
    fidelity, accuracy = report.fidelity, report.accuracy
    assert fidelity is not None
    preprocessing = report.preprocessing
    of_samples = "" if preprocessing is None else f"{preprocessing_line(preprocessing)}; "
    line = f"{of_samples}{fidelity_line(fidelity)}; {accuracy_line(accuracy)}"
    against = health.strict(report.findings) if report.strict else ()
    parts = (fidelity, accuracy, preprocessing)
    if against and all(part is None or part.passed for part in parts):
        return f"passed but for --strict: {'; '.join(each.cause for each in against)}; {line}"
    return line


def fidelity_line(fidelity: Fidelity) -> str:
    """The first verdict in words."""
    exact = fidelity.vectors - fidelity.mismatches
    kind = "exact" if fidelity.tolerance_lsb == 0 else f"within {fidelity.tolerance_lsb} {fidelity.unit}"
    scope = " (all inputs there are)" if fidelity.exhaustive else ""
    if fidelity.mismatches:
        wrong = f"{fidelity.mismatches} of {fidelity.vectors} outputs wrong{scope}"
        return f"{wrong}, by up to {fidelity.max_lsb} {fidelity.unit}"
    line = f"{exact}/{fidelity.vectors} outputs {kind}{scope}"
    if fidelity.not_finite:
        return f"{line}, but {fidelity.not_finite:,} of their values are NaN or infinite"
    if fidelity.search is not None and fidelity.search.example is not None:
        most = f"{fidelity.search.max_lsb} {fidelity.unit}"
        return f"{line}, but a search found an input with outputs wrong by up to {most}"
    return line


def preprocessing_line(found: Preprocessing) -> str:
    """The verdict on the firmware's own preprocessing in words, and whether the model behind it is right."""
    apart, within = found.features, "exact" if not found.tolerance_lsb else f"within {found.tolerance_lsb} {found.unit}"
    if apart.mismatches:
        line = f"preprocessing differs in {apart.mismatches} of {found.samples} raw samples"
        line = f"{line}, by up to {apart.max_lsb} {found.unit}"
    else:
        line = f"preprocessing of {found.samples} raw samples {within}"
    if found.model.mismatches:
        return f"{line}; the model differs in {found.model.mismatches} of the host's features"
    return f"{line}, and the model does not" if apart.mismatches else line


def accuracy_line(accuracy: Accuracy | None) -> str:
    """The second verdict in words."""
    if accuracy is None:
        return "accuracy not judged: there is no float model"
    missed = [bound for bound in accuracy.bounds if not bound.met]
    if missed:
        return ", ".join(f"{b.figure} is {number(b.value)}, above its limit of {b.limit:g}" for b in missed)
    compared = None if accuracy.overall is None else accuracy.overall.device_vs_float
    if compared is not None and compared.not_finite:
        return f"{compared.not_finite:,} of {compared.values:,} values of device or float model are NaN or infinite"
    met = (
        f"{len(accuracy.bounds)} of {len(accuracy.bounds)} accuracy bounds met"
        if accuracy.bounds
        else "no accuracy bound asked"
    )
    if accuracy.classifier is not None:
        return f"{classes_line(accuracy.classifier)}, {met}"
    if accuracy.overall is None:
        return met
    return f"MAE {number(accuracy.overall.device_vs_float.mae)} against the float model, {met}"


def classes_line(found: Classifier) -> str:
    """How much of what it saw a classifier got right on the device, and in the float model."""
    line = f"accuracy {100 * found.device.accuracy:.2f} %"
    return line if found.float_model is None else f"{line}, float model {100 * found.float_model.accuracy:.2f} %"


def number(value: float | None) -> str:
    """A figure in four digits."""
    return "undefined" if value is None else f"{value:.4g}"

"""Figures outside of the two verdicts that a report says twice, or that follow from others, and do not agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tinyhil.compare.verdict import Fidelity, Points, Report

_SHA256 = re.compile("[0-9a-f]{64}")
_UNITS = ("LSB", "ULP", "LSB or ULP")
_NAMES = ("recipe", "target", "engine", "made_by")


def said_twice(report: Report) -> Iterator[str]:
    """Each disagreement in a sentence."""
    for name in _NAMES:
        if not getattr(report, name).strip():
            yield f"{name} is empty"
    for tool, digest in report.tool_sha256.items():
        if not _SHA256.fullmatch(digest):
            yield f"tool_sha256.{tool} is no SHA-256"
        if tool not in report.tool_versions:
            yield f"{tool} has a hash, and no version"
    yield from _memory(report)
    yield from _time(report)
    if report.fidelity is not None:
        yield from _sent(report, report.fidelity)
        yield from _search(report.fidelity)
        if report.points is not None:
            yield from _shown(report, report.points, report.fidelity)


def _memory(report: Report) -> Iterator[str]:
    size, found = report.size, report.resources
    if size is not None and size.sections:
        whole = sum(size.sections.values())
        for name, taken in (("flash_bytes", size.flash_bytes), ("ram_bytes", size.ram_bytes)):
            if taken > whole:
                yield f"size.{name} is {taken}, and all sections have {whole} bytes"
    if size is not None and size.arena_bytes is not None and size.arena_bytes > size.ram_bytes:
        yield f"the arena has {size.arena_bytes} of {size.ram_bytes} bytes of RAM"
    if found is not None:
        if found.arena_capacity is not None and found.arena_bytes > found.arena_capacity:
            yield f"the engine was prepared in {found.arena_bytes} of {found.arena_capacity} bytes of its arena"
        if found.arena_used is not None and found.arena_used > found.arena_bytes:
            yield f"the engine needs {found.arena_used} of {found.arena_bytes} bytes of its arena"


def _time(report: Report) -> Iterator[str]:
    speed = report.speed
    counted = {
        "instructions": report.instructions_per_inference,
        "microseconds": report.microseconds_per_inference,
    }
    if None not in counted.values():
        yield "an inference is measured in instructions and in microseconds, and a target has one of them"
    if counted["instructions"] == 0:
        yield "an inference takes no instructions"
    if speed is None:
        if report.operators:
            yield "operators have costs, and no inference was timed"
        return
    if not speed.min <= speed.median <= speed.max:
        yield f"the quickest inference took {speed.min}, the median {speed.median}, the slowest {speed.max}"
    if speed.count == 0:
        yield "no inference was timed, and figures of their time are given"
    if speed.unit == "instructions" and speed.min == 0:
        yield "an inference takes no instructions"
    for unit, count in counted.items():
        if unit != speed.unit and count is not None:
            yield f"single inferences are measured in {speed.unit}, and all of them in {unit}"
    indices = [each.operator for each in report.operators if each.operator is not None]
    if len(set(indices)) != len(indices):
        yield "an operator has two costs"


def _sent(report: Report, found: Fidelity) -> Iterator[str]:
    if not report.ops:
        yield "outputs were judged, and the model has no operators"
    if found.unit not in _UNITS:
        yield f"differences are counted in {found.unit!r}, and there are {', '.join(_UNITS)}"
    sent = report.link.get("vectors", found.vectors)
    if sent != found.vectors:
        yield f"{found.vectors} vectors were judged, and {sent} answered"
    for name in ("requests", "input_bytes", "output_bytes"):
        count = report.link.get(name)
        if count is not None and count <= 0:
            yield f"{found.vectors} vectors were answered, and link.{name} is {count}"
    for name in ("input_bytes", "output_bytes"):
        if report.link.get(name, 0) % found.vectors:
            yield f"link.{name} is {report.link[name]}, for {found.vectors} vectors of one size"


def _search(found: Fidelity) -> Iterator[str]:
    search = found.search
    if search is None:
        return
    if search.tolerance_lsb != found.tolerance_lsb:
        yield f"a search allows {search.tolerance_lsb} LSB, and the vectors {found.tolerance_lsb}"
    if search.example is None and search.max_lsb > max(search.tolerance_lsb, found.max_lsb):
        yield f"a search has found {search.max_lsb} LSB, and has no example"
    if search.example is not None and search.example.max_lsb > search.max_lsb:
        yield f"a search has an example of {search.example.max_lsb} LSB, and found {search.max_lsb} at most"


def _shown(report: Report, points: Points, found: Fidelity) -> Iterator[str]:
    if any(one >= other for one, other in pairwise(points.vector)):
        yield "the points of pictures are not in the order of their vectors"
    for vector, lsb, device, reference in zip(points.vector, points.lsb, points.device, points.reference, strict=False):
        if lsb == 0 and device != reference:
            yield f"vector {vector} differs by 0 LSB, and is {device} in place of {reference}"
    wrong = {vector for vector, lsb in zip(points.vector, points.lsb, strict=False) if abs(lsb) > found.tolerance_lsb}
    if len(wrong) > found.mismatches:
        yield f"{len(wrong)} points of pictures are mismatches, and there are {found.mismatches}"
    for each in found.first_mismatches:
        if each.vector in points.vector and each.vector not in wrong:
            yield f"vector {each.vector} is a mismatch, and its point is none"
    judged = None if report.accuracy is None else report.accuracy.vectors
    if judged is not None and sum(points.like_data) > judged:
        yield f"{sum(points.like_data)} points of pictures are like the data, and accuracy looks at {judged} vectors"

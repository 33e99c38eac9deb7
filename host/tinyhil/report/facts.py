"""The figures of a report in words: one list of facts, which the terminal, Markdown and the HTML page all show.

A shown figure carries its name, the path of its value in ``report.json``: ``accuracy.overall.device_vs_float.mae``,
``accuracy.bounds[0].value``, ``size.sections[.text]``. A figure is made by reading the report at that path, so a name
cannot stand beside the value of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any, NamedTuple

from tinyhil.artifacts.retries import Retries
from tinyhil.compare.fidelity import CONFIDENCE
from tinyhil.compare.preprocessing import Preprocessing
from tinyhil.compare.scope import Scope
from tinyhil.compare.search import Search
from tinyhil.compare.verdict import OutputErrors, Report
from tinyhil.report import assemble

ELEMENTS = 8
"""Elements of a search's example that are named; ``report.json`` has all of them."""
COSTLY = 5
"""Operators that are named; the report and the page have all of them."""
UNITS = {"instructions": "instructions", "microseconds": "us"}
"""How a unit of ``Speed`` is written."""


class Source(NamedTuple):
    """What a shown figure is made of.

    Attributes:
        name: path of the value in ``report.json``.
        field: the class and field that it is (``tinyhil.report.catalogue.ORIGINS``).
        value: as it is in the report.
    """

    name: str
    field: str
    value: Any


@dataclass(frozen=True)
class Figure:
    """A text that shows values of the report: nearly always one."""

    text: str
    sources: tuple[Source, ...]

    @property
    def names(self) -> str:
        """The names, with spaces between them."""
        return " ".join(source.name for source in self.sources)

    @property
    def number(self) -> bool:
        """Whether it is a number, or would be if it were defined."""
        values = [source.value for source in self.sources]
        return all(
            value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in values
        )


@dataclass(frozen=True)
class Fact:
    """One line: what it is about, and words with figures among them."""

    label: str
    parts: tuple[Figure | str, ...]

    @property
    def text(self) -> str:
        """The line as plain text."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures among the words."""
        return tuple(part for part in self.parts if isinstance(part, Figure))


class Reader:
    """Takes figures out of one report by their names."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def __call__(self, path: str, form: str = "", *, keys: tuple[str, ...] = (), scale: float = 1.0) -> Figure:
        """One figure.

        Args:
            path: fields and indices, with slashes between them: ``accuracy/bounds/0/value``.
            form: a format specification for numbers; what is None is shown as *undefined*.
            keys: those of dictionaries, after the path.
            scale: what numbers are multiplied by, for percent.
        """
        source = self.source(path, *keys)
        return Figure(_shown(source.value, form, scale), (source,))

    def source(self, path: str, *keys: str) -> Source:
        """A value, with its name and its field."""
        value: Any = self._report
        name, field = "", ""
        for step in (*path.split("/"), *keys):
            if is_dataclass(value):
                field = f"{type(value).__name__}.{step}"
                name = f"{name}.{step}" if name else step
                value = getattr(value, step)
            else:
                name = f"{name}[{step}]"
                value = value[step] if isinstance(value, dict) else value[int(step)]
        return Source(name, field, value)

    def words(self, text: str, *paths: str) -> Figure:
        """A sentence about several values."""
        return Figure(text, tuple(self.source(path) for path in paths))


def facts(report: Report) -> tuple[Fact, ...]:
    """All facts, in the order in which a reader asks for them."""
    read = Reader(report)
    made = [
        *_setting(report, read),
        *(_preprocessing(report, report.preprocessing, read) if report.preprocessing is not None else ()),
        *_fidelity(report, read),
        *(_accuracy(report, read) if report.accuracy is not None else ()),
        *(_bisection(report, read) if report.bisection is not None else ()),
        *_cost(report, read),
        *(_resources(report, read) if report.resources is not None else ()),
        *(_retries(report.retries, read) if report.retries is not None else ()),
    ]
    made += [
        Fact(label, ("sha256 ", read(path)))
        for label, path in (
            ("asked for", "source_sha256"),
            ("samples", "samples_sha256"),
            ("test set", "test_data_sha256"),
            ("raw samples", "raw_sha256"),
            ("prepared by", "prepare_sha256"),
            ("model", "model_sha256"),
            ("firmware", "firmware_sha256"),
        )
        if read.source(path).value is not None
    ]
    return tuple(made)


def _setting(report: Report, read: Reader) -> Iterator[Fact]:
    yield Fact("recipe", (read("recipe"),))
    yield Fact("target", (read("target"), " (", read("honest_about"), ")"))
    if report.line is not None:
        yield Fact("line", (read("line"),))
    kernels = () if report.kernels is None else (" (", read("kernels"), ")")
    yield Fact("engine", (read("engine"), *kernels))
    if report.training is not None:
        yield Fact("data", (read("training/data"),))
        if report.training.diagnosis:
            yield Fact("training", (read("training/diagnosis"),))
    if report.scope is not None and not report.scope.whole:
        yield from _left_out(report.scope, read)
    for index in range(len(report.forced)):
        yield Fact("forced", ("in spite of: ", read(f"forced/{index}/cause")))
    for index, found in enumerate(report.findings):
        label = "warning" if found.level == "warning" else "note"
        yield Fact(label, (read(f"findings/{index}/cause"),))


def _left_out(found: Scope, read: Reader) -> Iterator[Fact]:
    """What did not fit into the budget."""
    if found.vectors < found.available:
        sent = (
            read("scope/vectors", ","),
            " of ",
            read("scope/available", ","),
            " drawn vectors and samples were sent",
        )
        yield Fact("left out", (*sent, ": --vectors all or a larger --budget sends more"))
    if found.search < found.search_wanted:
        searched = (read("scope/search", ","), " of ", read("scope/search_wanted", ","), " inputs were for the search")
        yield Fact("left out", (*searched, ": --search or a larger --budget tries more"))


def _fidelity(report: Report, read: Reader) -> Iterator[Fact]:
    found = report.fidelity
    if found is not None:
        line = read.words(
            assemble.fidelity_line(found),
            *("fidelity/vectors", "fidelity/mismatches", "fidelity/max_lsb", "fidelity/tolerance_lsb"),
        )
        yield Fact("fidelity", (line, ", against ", read("fidelity/reference")))
        for index in range(len(found.first_mismatches)):
            at = f"fidelity/first_mismatches/{index}"
            yield Fact("", ("vector ", read(f"{at}/vector"), ", ", *_mismatch(read, at)))
        if found.detectable is not None:
            share = read("fidelity/detectable", ".2g", scale=100.0)
            seen = f" % of such inputs would have been seen with a probability of {CONFIDENCE:.0%}; a rarer one may not"
            yield Fact("excluded", ("a fault that hits ", share, seen))
        if found.search is not None:
            yield from _search(found.search, read)
    if report.litert is not None:
        unit = "LSB" if found is None else read("fidelity/unit")
        equal = read.words("equals the reference", "litert/mismatches", "litert/max_lsb")
        differs = ("differs from the reference in ", read("litert/mismatches", ","), " vectors, by up to ")
        by = (*differs, read("litert/max_lsb", ","), " ", unit) if report.litert.mismatches else (equal,)
        yield Fact("LiteRT", (*by, " (", read("litert/name"), ")"))


def _preprocessing(report: Report, found: Preprocessing, read: Reader) -> Iterator[Fact]:
    at = "preprocessing"
    yield Fact(
        at, (read.words(_of_features(found), *(f"{at}/{name}" for name in _ABOUT)), ", against ", read(f"{at}/host"))
    )
    for index in range(len(found.first_mismatches)):
        one = f"{at}/first_mismatches/{index}"
        place = ("raw sample ", read(f"{one}/vector"), ", input ", read(f"{one}/output"), "[", read(f"{one}/element"))
        values = ("]: host ", read(f"{one}/expected", ".10g"), ", device ", read(f"{one}/actual", ".10g"))
        yield Fact("", (*place, *values, " (", read(f"{one}/lsb", "+,"), " ", read(f"{at}/unit"), ")"))
    unit = "LSB" if report.fidelity is None else read("fidelity/unit")
    for label, name, of in (("its model", "model", "the host's"), ("end to end", "end_to_end", "the device's own")):
        apart = (
            read(f"{at}/{name}/mismatches", ","),
            " of ",
            read(f"{at}/samples", ","),
            f" outputs for {of} features",
        )
        most = (" differ, by at most ", read(f"{at}/{name}/max_lsb", ","), " ", unit, " from the reference")
        yield Fact(label, (*apart, *most))
    if found.cost is not None and report.speed is not None:
        yield Fact("one raw sample", (read(f"{at}/cost", ",.0f"), f" {UNITS[report.speed.unit]} to preprocess it"))


_ABOUT = ("samples", "features/mismatches", "features/max_lsb", "tolerance_lsb", "passed")


def _of_features(found: Preprocessing) -> str:
    apart, allowed = found.features, f", allowed are {found.tolerance_lsb}" if found.tolerance_lsb else ""
    if not apart.mismatches:
        return f"{found.samples:,} raw samples, features differ by at most {apart.max_lsb} {found.unit}{allowed}"
    wrong = f"features of {apart.mismatches:,} of {found.samples:,} raw samples DIFFER"
    return f"{wrong}, by up to {apart.max_lsb:,} {found.unit}{allowed}"


def _search(found: Search, read: Reader) -> Iterator[Fact]:
    at = "fidelity/search"
    tried = (read(f"{at}/tried", ","), " more inputs tried, seed ", read(f"{at}/seed"))
    yield Fact(
        "search", (*tried, ": at most ", read(f"{at}/max_lsb", ","), " ", read("fidelity/unit"), " from the reference")
    )
    if found.example is not None:
        for index in range(min(len(found.example.elements), ELEMENTS)):
            one = f"{at}/example/elements/{index}"
            place = ("input ", read(f"{one}/input"), "[", read(f"{one}/element"), "] = ", read(f"{one}/value"))
            yield Fact("example", (*place, " (zero point ", read(f"{one}/zero_point"), ")"))
        hidden = len(found.example.elements) - ELEMENTS
        others = "every other element" if found.example.elements else "every element"
        if hidden > 0:
            others = f"{hidden:,} more elements are not shown; {others}"
        yield Fact("" if found.example.elements else "example", (f"{others} is at its zero point",))
        for index in range(len(found.example.mismatches)):
            yield Fact("", _mismatch(read, f"{at}/example/mismatches/{index}"))


def _mismatch(read: Reader, at: str) -> tuple[Figure | str, ...]:
    place = ("output ", read(f"{at}/output"), "[", read(f"{at}/element"))
    values = ("]: expected ", read(f"{at}/expected", ".10g"), ", device ", read(f"{at}/actual", ".10g"))
    return (*place, *values, " (", read(f"{at}/lsb", "+,"), " ", read("fidelity/unit"), ")")


def _bisection(report: Report, read: Reader) -> Iterator[Fact]:
    found = report.bisection
    assert found is not None
    if found.blame is not None:
        at = f"bisection/layers/{found.blame.operator}"
        where = ("layer ", read(f"{at}/number"), ", ", read(f"{at}/kind"))
        yield Fact("bisect", ("the difference begins in ", *where))
    elif found.whole.differs:
        yield Fact("bisect", ("the whole model differs, but no layer does when the model is cut after it",))
    else:
        yield Fact("bisect", ("nothing differs",))


def _accuracy(report: Report, read: Reader) -> Iterator[Fact]:
    accuracy = report.accuracy
    assert accuracy is not None
    if accuracy.overall is not None:
        yield from _overall(accuracy.overall, read)
    if accuracy.classifier is not None:
        yield from _classes(report, read)
    for index, bound in enumerate(accuracy.bounds):
        at = f"accuracy/bounds/{index}"
        met = read.words("met" if bound.met else "NOT MET", f"{at}/met")
        limit = (" <= ", read(f"{at}/limit", "g"), ": ", met)
        yield Fact("bound", (read(f"{at}/figure"), " ", read(f"{at}/value", ".4f"), *limit))


def _overall(found: OutputErrors, read: Reader) -> Iterator[Fact]:
    for name in ("device_vs_float", "device_vs_truth"):
        if getattr(found, name) is not None:
            yield Fact(name.replace("_", " "), _errors(read, f"accuracy/overall/{name}"))
    parts: list[Figure | str] = ["MAE "]
    if found.float_vs_truth is not None:
        parts += ["training ", read("accuracy/overall/float_vs_truth/mae", ".4f"), ", "]
    parts += ["quantization ", read("accuracy/overall/reference_vs_float/mae", ".4f"), ", "]
    parts += ["device ", read("accuracy/overall/device_vs_reference/mae", ".4f")]
    yield Fact("error by origin", tuple(parts))


def _errors(read: Reader, at: str) -> tuple[Figure | str, ...]:
    figures = read.source(at).value
    if figures.not_finite:
        counts = (read(f"{at}/not_finite", ","), " of ", read(f"{at}/values", ","))
        return (*counts, " values are not finite numbers")
    shown = (("MAE ", "mae"), (", RMSE ", "rmse"), (", max ", "max_error"))
    return tuple(part for words, name in shown for part in (words, read(f"{at}/{name}", ".4f")))


def _classes(report: Report, read: Reader) -> Iterator[Fact]:
    assert report.accuracy is not None
    found = report.accuracy.classifier
    assert found is not None
    at = "accuracy/classifier"
    parts: list[Figure | str] = ["accuracy ", percent(read, f"{at}/device/accuracy")]
    if found.float_model is not None:
        parts += [", float model ", percent(read, f"{at}/float_model/accuracy")]
    yield Fact("classes", (*parts, ", of ", read("accuracy/vectors", ","), " of the test set"))
    agreed: list[Figure | str] = ["with the reference ", percent(read, f"{at}/agreement/reference_device")]
    if found.agreement.float_device is not None:
        agreed += [", with the float model ", percent(read, f"{at}/agreement/float_device")]
    yield Fact("same class", tuple(agreed))


def percent(read: Reader, path: str) -> Figure:
    """A share of 1 in percent."""
    figure = read(path, ".2f", scale=100.0)
    return figure if figure.sources[0].value is None else Figure(f"{figure.text} %", figure.sources)


def _cost(report: Report, read: Reader) -> Iterator[Fact]:
    if report.size is not None:
        yield Fact("flash", (read("size/flash_bytes", ","), " B"))
        arena = () if report.size.arena_bytes is None else (" B, of which arena ", read("size/arena_bytes", ","))
        yield Fact("RAM", (read("size/ram_bytes", ","), *arena, " B, without the stack"))
    by = " per inference (", read("measured_by"), ")"
    if report.instructions_per_inference is not None:
        yield Fact("instructions", (read("instructions_per_inference", ",.0f"), *by))
    if report.microseconds_per_inference is not None:
        yield Fact("time", (read("microseconds_per_inference", ",.1f"), " us", *by))
    if report.speed is not None:
        unit = f" {UNITS[report.speed.unit]}"
        upper = (" to ", read("speed/max", ",.0f")) if report.speed.min < report.speed.max else ()
        rest = (", median ", read("speed/median", ",.0f"), ", measured ", read("speed/count"), " times")
        yield Fact("one inference", (read("speed/min", ",.0f"), *upper, unit, *rest))
        costly = sorted(range(len(report.operators)), key=lambda index: -report.operators[index].cost)[:COSTLY]
        for index in costly:
            cost = read(f"operators/{index}/cost", ",.0f")
            yield Fact("operator", (read(f"operators/{index}/name"), " ", cost, unit))


def _resources(report: Report, read: Reader) -> Iterator[Fact]:
    found = report.resources
    assert found is not None
    if found.arena_capacity is not None:
        says = () if found.arena_used is None else (" B, the engine reports ", read("resources/arena_used", ","))
        yield Fact("arena", (read("resources/arena_bytes", ","), *says, " B", *(" in use",) * bool(says)))
    if found.arena_overrun:
        beyond = " B past the end of the arena have changed: the engine writes out of bounds"
        yield Fact("ARENA OVERRUN", (read("resources/arena_overrun", ","), beyond))
    if found.stack_used is not None:
        limit = () if found.stack_bytes is None else (" B of ", read("resources/stack_bytes", ","))
        yield Fact("stack", ("up to ", read("resources/stack_used", ","), *limit, " B"))


def _retries(found: Retries, read: Reader) -> Iterator[Fact]:
    parts: list[Figure | str] = []
    for name, words in found.shown:
        parts += ["; " if parts else "", f"{words}: ", read(f"retries/{name}", ",")]
    if parts:
        yield Fact("retries", tuple(parts))


def shown(made: Sequence[Fact]) -> dict[str, Source]:
    """What the facts show, by name, in their order."""
    return {source.name: source for fact in made for figure in fact.figures for source in figure.sources}


def _shown(value: Any, form: str, scale: float) -> str:
    if value is None:
        return "undefined"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return format(value * scale if scale != 1.0 else value, form)
    return str(value)

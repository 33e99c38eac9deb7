"""The tables of the page: what each is about, its heads, and its cells, which are figures with their names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyhil.compare.bisection import Bisection
from tinyhil.compare.verdict import Report
from tinyhil.report import charts
from tinyhil.report.facts import ELEMENTS, UNITS, Figure, Reader, percent

MOST_CLASSES = 40
"""A confusion matrix of more cannot be read; ``report.json`` has it whole."""


@dataclass(frozen=True)
class Bar:
    """A cell with a bar: its length in percent of the longest of its column."""

    share: float


Cell = Figure | Bar | str


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names the row.

    Attributes:
        name: for its HTML id.
        title: what it is about.
        head: of the columns.
        rows: as wide as the head.
        note: below it.
    """

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    @property
    def numbers(self) -> tuple[bool, ...]:
        """Which columns hold numbers, but for the first, which holds names."""
        return tuple(index > 0 and any(_is_number(row[index]) for row in self.rows) for index in range(len(self.head)))


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: true classes in rows, predicted classes in columns.

    Attributes:
        name: for its HTML id.
        title: whose predictions they are.
        classes: their names.
        rows: for each true class its cells: the count, and its share of the row in percent.
    """

    name: str
    title: str
    classes: tuple[Figure, ...]
    rows: tuple[tuple[tuple[Figure, int], ...], ...]


def mismatches(report: Report, read: Reader) -> Table | None:
    """The first output elements that are wrong."""
    found = report.fidelity
    if found is None or not found.first_mismatches:
        return None
    rows = []
    for index in range(len(found.first_mismatches)):
        at = f"fidelity/first_mismatches/{index}"
        place = (read(f"{at}/vector"), read(f"{at}/output"), read(f"{at}/element"))
        values = (read(f"{at}/expected", ".10g"), read(f"{at}/actual", ".10g"), read(f"{at}/lsb", "+,"))
        rows.append((*place, *values))
    note = f"The first {len(rows):,} wrong elements, of {found.mismatches:,} wrong vectors."
    head = ("Vector", "Output", "Element", "Expected", "Device", f"Difference, {found.unit}")
    return Table("mismatches", "Where the device is wrong", head, tuple(rows), note)


def features(report: Report, read: Reader) -> Table | None:
    """The first features that the firmware's own preprocessing makes otherwise than the host."""
    found = report.preprocessing
    if found is None or not found.first_mismatches:
        return None
    names = (("vector", ""), ("output", ""), ("element", ""), ("expected", ".10g"), ("actual", ".10g"), ("lsb", "+,"))
    rows = tuple(
        tuple(read(f"preprocessing/first_mismatches/{index}/{name}", form) for name, form in names)
        for index in range(len(found.first_mismatches))
    )
    note = f"The first {len(rows):,} features that differ, of {found.features.mismatches:,} raw samples."
    head = ("Raw sample", "Input", "Element", "Host", "Device", f"Difference, {found.unit}")
    return Table("features", "Where the preprocessing differs", head, rows, note)


def layers(report: Report, read: Reader) -> Table | None:
    """What a bisection has found of each layer."""
    found = report.bisection
    if found is None:
        return None
    tested = {probe.layer: index for index, probe in enumerate(found.tested)}
    rows = []
    for index, layer in enumerate(found.layers):
        at = f"bisection/layers/{index}"
        place = tested.get(layer.number)
        probe = None if place is None else found.tested[place]
        result: Cell = "not tested"
        figures: tuple[Cell, ...] = ("–", "–", "–")  # noqa: RUF001
        if probe is not None and probe.difference is None:
            result = read(f"bisection/tested/{place}/why")
        elif probe is not None and probe.difference is not None:
            one = f"bisection/tested/{place}/difference"
            result = _layer_in_words(index, found, differs=probe.difference.differs)
            figures = tuple(read(f"{one}/{name}", ",") for name in ("mismatches", "vectors", "max_lsb"))
        rows.append((read(f"{at}/number"), read(f"{at}/kind"), result, *figures, read(f"{at}/name")))
    head = ("Layer", "Operator", "Result", "Differ", "Vectors", "Largest, LSB", "Output")
    note = f"Output of the model cut after each layer, against {found.reference}; floats in units in the last place."
    return Table("layers", "Layers that bisect tested", head, tuple(rows), note)


def _layer_in_words(operator: int, found: Bisection, *, differs: bool) -> str:
    if not differs:
        return "exact"
    return "the difference begins here" if found.blame and found.blame.operator == operator else "differs"


def example(report: Report, read: Reader) -> Table | None:
    """The smallest input that a search has found the device to get wrong."""
    search = report.fidelity.search if report.fidelity is not None else None
    if search is None or search.example is None or not search.example.elements:
        return None
    at = "fidelity/search/example/elements"
    rows = tuple(
        tuple(read(f"{at}/{index}/{name}") for name in ("input", "element", "value", "zero_point"))
        for index in range(min(len(search.example.elements), ELEMENTS))
    )
    count = len(search.example.elements)
    some = f"The first {ELEMENTS} of {count:,} elements that are" if count > ELEMENTS else "The elements that are"
    note = f"{some} not at their zero point."
    return Table(
        "example", "A small input that the device gets wrong", ("Input", "Element", "Value", "Zero point"), rows, note
    )


def bounds(report: Report, read: Reader) -> Table | None:
    """The recipe's limits."""
    if report.accuracy is None or not report.accuracy.bounds:
        return None
    rows = []
    for index, bound in enumerate(report.accuracy.bounds):
        at = f"accuracy/bounds/{index}"
        met = read.words("met" if bound.met else "NOT MET", f"{at}/met")
        rows.append((read(f"{at}/figure"), read(f"{at}/value", ".4f"), read(f"{at}/limit", "g"), met))
    return Table("bounds", "Bounds of the recipe", ("Figure", "Value", "At most", "Result"), tuple(rows))


def errors(report: Report, read: Reader) -> Iterator[Table]:
    """The computations against one another: over all outputs, and of each where there are several."""
    if report.accuracy is None or report.accuracy.overall is None:
        return
    yield _errors(read, "accuracy/overall", "errors", "Errors over all outputs")
    if len(report.accuracy.outputs) > 1:
        for index, output in enumerate(report.accuracy.outputs):
            yield _errors(read, f"accuracy/outputs/{index}", f"errors-{index}", f"Errors of output {output.name}")


_PAIRS = ("device_vs_float", "reference_vs_float", "device_vs_reference", "device_vs_truth", "float_vs_truth")
_ERRORS = (("MAE", "mae"), ("RMSE", "rmse"), ("Maximum", "max_error"), ("R²", "r2"), ("NSE", "nse"))


def _errors(read: Reader, at: str, name: str, title: str) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for pair in _PAIRS:
        if read.source(f"{at}/{pair}").value is not None:
            cells = [read(f"{at}/{pair}/{key}", ".4g") for _, key in _ERRORS]
            label = pair.replace("_vs_", " against ")
            rows.append((label, *cells, read(f"{at}/{pair}/cosine", ".4g"), read(f"{at}/{pair}/not_finite", ",")))
    head = ("", *(label for label, _ in _ERRORS), "Cosine", "Not finite")
    note = "MAE, RMSE and maximum in the unit of the output; R², NSE and cosine have none."
    return Table(name, title, head, tuple(rows), note)


def split(report: Report, read: Reader) -> Table | None:
    """The error by origin: the numbers behind the bars."""
    overall = report.accuracy.overall if report.accuracy is not None else None
    if report.accuracy is None or overall is None:
        return None
    lsb = len(report.accuracy.outputs) == 1 and report.accuracy.outputs[0].split_lsb is not None
    rows: list[tuple[Cell, ...]] = []
    for bar in (*charts.origins(report.accuracy), None):
        part = "total" if bar is None else bar.label.lower()
        total = "accuracy/overall/device_vs_float/mae"
        if overall.device_vs_truth is not None:
            total = "accuracy/overall/device_vs_truth/mae"
        row: list[Cell] = ["Total, on the device" if bar is None else bar.label]
        row.append(read(total if bar is None else bar.figure, ".4g"))
        row.append("–" if overall.split is None else read(f"accuracy/overall/split/{part}", "+.4g"))  # noqa: RUF001
        if lsb:
            row.append(read(f"accuracy/outputs/0/split_lsb/{part}", "+.4g"))
        rows.append(tuple(row))
    head = ("Origin", "Mean absolute error", "Mean error", *(("Mean error, LSB",) if lsb else ()))
    against = "truth" if overall.device_vs_truth is not None else "float model"
    note = f"Mean errors have a sign and add up to that of the device against the {against}; absolute ones do not."
    return Table("split", "Error by origin", head, tuple(rows), note)


def classifier(report: Report, read: Reader) -> Iterator[Table]:
    """How well it classifies: over all, and by class."""
    found = report.accuracy.classifier if report.accuracy is not None else None
    if found is None:
        return
    at = "accuracy/classifier"
    sides = ["float_model", "reference", "device"] if found.float_model is not None else ["reference", "device"]
    titles = tuple(side.replace("_", " ").capitalize() for side in sides)

    def row(label: str, path: str) -> tuple[Cell, ...]:
        return (label, *(percent(read, f"{at}/{path.format(side)}") for side in sides))

    rows = [row("Accuracy", "{}/accuracy")]
    rows += [row(f"Top {top.k} accuracy", f"top_k/{index}/{{}}") for index, top in enumerate(found.top_k) if top.k > 1]
    for mean in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            rows.append(row(f"{name.capitalize()}, {mean} mean", f"{{}}/{mean}/{name}"))
    rows.append(("Not classified", *(read(f"{at}/{side}/unclassified", ",") for side in sides)))
    yield Table("classification", "Classification", ("", *titles), tuple(rows), "On the samples of the test set.")
    agreed = [("Reference and device", "reference_device")]
    if found.agreement.float_device is not None:
        agreed = [("Float model and reference", "float_reference"), ("Float model and device", "float_device"), *agreed]
    rows = [(label, percent(read, f"{at}/agreement/{name}")) for label, name in agreed]
    if found.top1_drop is not None:
        rows.append(("Accuracy lost from float model to device", percent(read, f"{at}/top1_drop")))
    yield Table("agreement", "How often they choose the same class", ("", "Share"), tuple(rows))
    by_class = []
    for index in range(len(found.device.classes)):
        path = f"{at}/device/classes/{index}"
        shares = (percent(read, f"{path}/{name}") for name in ("precision", "recall", "f1"))
        by_class.append((read(f"{path}/name"), *shares, read(f"{path}/support", ","), read(f"{path}/predicted", ",")))
    head = ("Class", "Precision", "Recall", "F1", "True", "Predicted")
    yield Table("classes", "Each class, on the device", head, tuple(by_class))


def confusion(report: Report, read: Reader) -> Iterator[Matrix]:
    """The confusion matrices of the device and of the float model."""
    found = report.accuracy.classifier if report.accuracy is not None else None
    if found is None or len(found.device.classes) > MOST_CLASSES:
        return
    for side, title in (("device", "Device"), ("float_model", "Float model")):
        one = getattr(found, side)
        if one is None:
            continue
        at = f"accuracy/classifier/{side}"
        names = tuple(read(f"{at}/classes/{index}/name") for index in range(len(one.classes)))
        rows = tuple(
            tuple(
                (read(f"{at}/confusion/{true}/{called}", ","), round(100 * count / max(1, sum(counts))))
                for called, count in enumerate(counts)
            )
            for true, counts in enumerate(one.confusion)
        )
        yield Matrix(f"confusion-{side.replace('_', '-')}", title, names, rows)


def sections(report: Report, read: Reader) -> Table | None:
    """What the image consists of."""
    if report.size is None or not report.size.sections:
        return None
    names = sorted(report.size.sections, key=lambda name: -report.size.sections[name] if report.size else 0)
    longest = max(report.size.sections.values())
    rows = tuple(
        (name, read("size/sections", ",", keys=(name,)), Bar(charts.share(report.size.sections[name], longest)))
        for name in names
    )
    return Table("sections", "Sections of the image", ("Section", "Bytes", ""), rows)


def operators(report: Report, read: Reader) -> Table | None:
    """What each operator took, in the order of execution."""
    if report.speed is None or not report.operators:
        return None
    longest = max(operator.cost for operator in report.operators)
    widest = max(operator.live_bytes for operator in report.operators)
    rows = tuple(
        (
            read(f"operators/{index}/name"),
            read(f"operators/{index}/cost", ",.0f"),
            Bar(charts.share(operator.cost, longest)),
            read(f"operators/{index}/macs", ","),
            read(f"operators/{index}/weight_bytes", ","),
            read(f"operators/{index}/live_bytes", ","),
            Bar(charts.share(operator.live_bytes, widest)),
        )
        for index, operator in enumerate(report.operators)
    )
    unit = UNITS[report.speed.unit].capitalize()
    head = ("Operator", unit, "", "MACs", "Weights in B", "Tensors in B", "")
    return Table("operators", "Cost of each operator", head, rows)


def training(report: Report, read: Reader) -> Table | None:
    """Keras' figures of the kept epoch, by set."""
    if report.training is None or not report.training.figures:
        return None
    found = report.training.figures
    sets = [name for name in ("training", "validation", "test") if name in found]
    names = list(dict.fromkeys(name for one in sets for name in found[one]))
    rows = tuple(
        (name, *(read("training/figures", ".4g", keys=(one, name)) if name in found[one] else "" for one in sets))
        for name in names
    )
    return Table("training", "Training figures", ("", *(one.capitalize() for one in sets)), rows)


def named(report: Report, read: Reader) -> Iterator[Table]:
    """The build tools, and what went over the link."""
    if report.tool_versions:
        rows: list[tuple[Cell, ...]] = []
        for name in report.tool_versions:
            digest = read("tool_sha256", keys=(name,)) if name in report.tool_sha256 else ""
            rows.append((name, read("tool_versions", keys=(name,)), digest))
        yield Table("tool-versions", "Build tools", ("Tool", "Version", "SHA-256"), tuple(rows))
    if report.link:
        counts = tuple((name.replace("_", " "), read("link", keys=(name,))) for name in report.link)
        yield Table("link", "What the device was sent and what it answered", ("", "Count"), counts)


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, Figure) and cell.number

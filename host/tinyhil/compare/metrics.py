"""The figures of a report that are followed over time, compared and held against rules."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tinyhil import kinds
from tinyhil.errors import ConfigError

if TYPE_CHECKING:
    from tinyhil.compare.verdict import Report

Basis = Literal["image", "chip", "data", "truth", "answers"]


@dataclass(frozen=True)
class Metric:
    """One figure.

    Attributes:
        name: for ``--metric`` and rules.
        title: what it is.
        path: of its value in the report: fields with slashes between them.
        unit: of the value as it is shown; empty for none.
        better: whether ``less`` or ``more`` of it is better.
        basis: what two values of it have in common if they can be compared: the ``image`` (target, engine and
            compiler), the ``chip`` that ran it as well, the test ``data``, these and the ``truth``, or all ``answers``
            (a count of wrong ones).
        form: a format specification of the shown value.
        scale: what the value is multiplied by to be shown, 100 for percent.
        exact: whether the same run gives the same value again; not so of times.
    """

    name: str
    title: str
    path: str
    unit: str
    better: Literal["less", "more"]
    basis: Basis
    form: str = ",.0f"
    scale: float = 1.0
    exact: bool = True

    def of(self, report: Report) -> float | None:
        """Its value; None where the report has none, or none that is a finite number."""
        value: Any = report
        for step in self.path.split("/"):
            value = getattr(value, step, None)
        try:
            number = math.nan if value is None else float(value)
        except OverflowError:  # of an integer that no double holds
            return None
        return number if math.isfinite(number) else None

    def shown(self, value: float | None) -> str:
        """A value in words, with its unit."""
        return "-" if value is None else self._with_unit(value, self.form, self.unit)

    def shown_difference(self, value: float | None) -> str:
        """A difference of two values in words, with its sign; of percentages in points."""
        unit = "points" if self.unit == "%" else self.unit
        return "" if value is None else self._with_unit(value, f"+{self.form}", unit)

    def _with_unit(self, value: float, form: str, unit: str) -> str:
        number = format(value * self.scale, form)
        return f"{number} {unit}" if unit else number


METRICS = (
    Metric("flash", "flash", "size/flash_bytes", "B", "less", "image"),
    Metric("ram", "RAM", "size/ram_bytes", "B", "less", "image"),
    Metric("arena", "working memory", "size/arena_bytes", "B", "less", "image"),
    Metric("stack", "stack", "resources/stack_used", "B", "less", "chip"),
    Metric("instructions", "instructions per inference", "instructions_per_inference", "", "less", "chip"),
    Metric(
        "microseconds", "time per inference", "microseconds_per_inference", "us", "less", "chip", ",.1f", exact=False
    ),
    Metric("mae", "MAE, device against float", "accuracy/overall/device_vs_float/mae", "", "less", "data", ".5g"),
    Metric("rmse", "RMSE, device against float", "accuracy/overall/device_vs_float/rmse", "", "less", "data", ".5g"),
    Metric(
        "mae_truth", "MAE, device against truth", "accuracy/overall/device_vs_truth/mae", "", "less", "truth", ".5g"
    ),
    Metric("top1", "accuracy", "accuracy/classifier/device/accuracy", "%", "more", "data", ".2f", 100.0),
    Metric("mismatches", "wrong outputs", "fidelity/mismatches", "", "less", "answers"),
    Metric("max_lsb", "largest difference", "fidelity/max_lsb", "LSB", "less", "answers"),
)
BY_NAME = {metric.name: metric for metric in METRICS}
USUAL = ("flash", "ram", "instructions", "microseconds", "mae", "top1", "mismatches")
"""Those that are shown where none are named."""


def chosen(names: Iterable[str]) -> tuple[Metric, ...]:
    """The metrics of some names, in their order; the usual ones where there are none.

    Args:
        names: words, or several with commas between them.

    Raises:
        ConfigError: a name is unknown.
    """
    words = [word.strip() for name in names for word in name.split(",") if word.strip()] or USUAL
    for word in words:
        if word not in BY_NAME:
            raise ConfigError(
                f"there is no metric {word!r}", hint=f"the metrics are {', '.join(BY_NAME)}", kind=kinds.UNKNOWN_NAME
            )
    return tuple(BY_NAME[word] for word in dict.fromkeys(words))


def figures(report: Report) -> dict[str, float]:
    """Every metric that a report has a value of, by its name."""
    found = {metric.name: metric.of(report) for metric in METRICS}
    return {name: value for name, value in found.items() if value is not None}

"""Figures as OpenMetrics text 1.0, which GitLab compares between branches: https://openmetrics.io."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tinyhil.compare.metrics import METRICS, Metric

_UNITS = {"B": "bytes", "us": "microseconds", "%": "ratio"}
"""In the words of OpenMetrics; a percentage is the ratio that it is computed from."""
_ESCAPED = {"\\": "\\\\", "\n": "\\n", '"': '\\"'}

Labels = Mapping[str, str]


def to_openmetrics(found: Iterable[tuple[Labels, Mapping[str, float]]]) -> str:
    """A gauge for each metric, with a sample for each run.

    Args:
        found: what each run is of, and its figures by the names of the metrics.
    """
    samples = list(found)
    lines: list[str] = []
    for metric in METRICS:
        of_it = [(labels, figures[metric.name]) for labels, figures in samples if metric.name in figures]
        if not of_it:
            continue
        name, unit = _name(metric), _UNITS.get(metric.unit)
        lines.append(f"# TYPE {name} gauge")
        if unit is not None:
            lines.append(f"# UNIT {name} {unit}")
        lines.append(f"# HELP {name} {metric.title}")
        lines += [f"{name}{_labels(labels)} {value!r}" for labels, value in of_it]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _name(metric: Metric) -> str:
    unit = _UNITS.get(metric.unit)
    return f"tinyhil_{metric.name}" + (f"_{unit}" if unit is not None and metric.name != unit else "")


def _labels(labels: Labels) -> str:
    said = (f'{name}="{"".join(_ESCAPED.get(letter, letter) for letter in value)}"' for name, value in labels.items())
    return f"{{{','.join(said)}}}"

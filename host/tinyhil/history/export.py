"""The history in the formats of others.

``bencher`` is Bencher's Metric Format, https://bencher.dev/docs/reference/bencher-metric-format/, for its adapter
``json``. ``github-action-benchmark`` is what that action takes as ``customSmallerIsBetter`` and
``customBiggerIsBetter``: it compares all figures of a file in one direction. Both are about one run of each series,
and keep a history of their own: so they get the last one that was judged.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from tinyhil import kinds
from tinyhil.compare.metrics import Metric
from tinyhil.errors import ConfigError
from tinyhil.history.series import KeptRun, Series

FORMATS = ("json", "csv", "bencher", "github-action-benchmark")
SCHEMA = 1
"""Of the format ``json``."""


def export(found: Sequence[Series], metrics: Sequence[Metric], form: str) -> str:
    """The runs of some series as a text.

    Args:
        metrics: the figures that are exported.
        form: one of ``FORMATS``.

    Raises:
        ConfigError: there is no such format; or it takes figures of one direction, and these have both.
    """
    if form not in FORMATS:
        raise ConfigError(
            f"--format {form}: there is no such format",
            hint=f"the formats are {', '.join(FORMATS)}",
            kind=kinds.UNKNOWN_NAME,
        )
    if form == "csv":
        return _csv(found, metrics)
    made = {"json": as_values, "bencher": _bencher, "github-action-benchmark": _github_action}[form](found, metrics)
    return json.dumps(made, indent=2) + "\n"


def as_values(found: Sequence[Series], metrics: Sequence[Metric]) -> Any:
    """All of it: units and directions of the figures, and each run with its own."""
    return {
        "schema": SCHEMA,
        "metrics": {
            metric.name: {"title": metric.title, "unit": metric.unit, "scale": metric.scale, "better": metric.better}
            for metric in metrics
        },
        "series": [
            {
                "recipe": one.recipe,
                "target": one.target,
                "engine": one.engine,
                "scheme": one.scheme,
                "counts": one.counts,
                "runs": [{**msgspec.to_builtins(run), "began": f"{run.began.isoformat()}Z"} for run in one.runs],
            }
            for one in found
        ],
    }


_COLUMNS = ("began", "seconds", "host", "commit", "branch", "dirty", "verdict", "blocked_id", "made_by", "digest")


def _csv(found: Sequence[Series], metrics: Sequence[Metric]) -> str:
    """One line a run; an empty cell for what nobody knows."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["recipe", "target", "engine", "scheme", *_COLUMNS, *(metric.name for metric in metrics)])
    for one in found:
        for run in one.runs:
            said = [f"{run.began.isoformat()}Z", *(getattr(run, name) for name in _COLUMNS[1:])]
            figures = [run.figures.get(metric.name) for metric in metrics]
            rows.writerow(map(_cell, [one.recipe, one.target, one.engine, one.scheme, *said, *figures]))
    return text.getvalue()


def _cell(value: object) -> object:
    """As spreadsheets and pandas read it: a whole number without a point; nothing that is taken for a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _judged(one: Series) -> KeptRun | None:
    """The last run that has figures."""
    return next((run for run in reversed(one.runs) if run.verdict != "blocked" and run.figures), None)


def _names(found: Sequence[Series]) -> dict[str, KeptRun]:
    """The last judged run of each series, by a name without spaces."""
    named = (
        ("/".join(filter(None, (one.recipe, one.target, one.engine, one.scheme.replace(" ", "-")))), _judged(one))
        for one in found
    )
    return {name: run for name, run in named if run is not None}


def _bencher(found: Sequence[Series], metrics: Sequence[Metric]) -> Any:
    """Benchmark, measure, value."""
    return {
        name: {
            metric.name.replace("_", "-"): {"value": run.figures[metric.name] * metric.scale}
            for metric in metrics
            if metric.name in run.figures
        }
        for name, run in _names(found).items()
    }


def _github_action(found: Sequence[Series], metrics: Sequence[Metric]) -> Any:
    """A list of figures, all of which are better in the same direction."""
    if len({metric.better for metric in metrics}) > 1:
        less = [metric.name for metric in metrics if metric.better == "less"]
        more = [metric.name for metric in metrics if metric.better == "more"]
        raise ConfigError(
            f"a file for github-action-benchmark has one direction: of {', '.join(less)} less is better, "
            f"of {', '.join(more)} more",
            hint=f"export two files: --metric {','.join(less)} and --metric {','.join(more)}",
            kind=kinds.CONTRADICTION,
        )
    return [
        {
            "name": f"{name}: {metric.title}",
            "unit": metric.unit or metric.name,
            "value": run.figures[metric.name] * metric.scale,
            "extra": f"{run.of_commit} {run.began.isoformat()}Z",
        }
        for name, run in _names(found).items()
        for metric in metrics
        if metric.name in run.figures
    ]

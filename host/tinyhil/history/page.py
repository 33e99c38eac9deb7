"""The history as one HTML page: everything in one file, without scripts, and without a request to anywhere."""

from __future__ import annotations

from collections.abc import Sequence

from tinyhil.compare.metrics import Metric
from tinyhil.history.series import Series
from tinyhil.report import charts
from tinyhil.report.page import template
from tinyhil.report.tables import Table


def to_html(found: Sequence[Series], metrics: Sequence[Metric], asked: str) -> str:
    """The page.

    Args:
        found: what it shows.
        metrics: of which it has curves and columns.
        asked: which runs were meant, in words; empty for all.

    Raises:
        StorageError: the installation lacks its templates.
    """
    shown = [(f"series-{number}", one, *_shown(number, one, metrics)) for number, one in enumerate(found, 1)]
    return template("history.html.j2").render(shown=shown, asked=asked, canvas=(charts.WIDTH, charts.HEIGHT))


def _shown(number: int, one: Series, metrics: Sequence[Metric]) -> tuple[tuple[charts.Chart, ...], Table]:
    there = [metric for metric in metrics if one.has(metric)]
    made = (_chart(number, one, metric) for metric in there)
    head = ("Began, UTC", "Commit", "Branch", "Verdict", *(_head(metric) for metric in there), "Computer")
    rows = tuple(
        (
            f"{run.began:%Y-%m-%d %H:%M:%S}",
            run.of_commit if run.commit else "",
            run.branch,
            f"{run.verdict} {run.blocked_id}".rstrip(),
            *("" if (value := run.figures.get(metric.name)) is None else _number(metric, value) for metric in there),
            run.host,
        )
        for run in reversed(one.runs)
    )
    table = Table(f"runs-{number}", "The last runs, the newest first", head, rows)
    return tuple(chart for chart in made if chart is not None), table


def _chart(number: int, one: Series, metric: Metric) -> charts.Chart | None:
    places = [
        charts.Place(run.of_commit, None if value is None else value * metric.scale, run.verdict == "pass")
        for run, value in zip(one.runs, one.values(metric), strict=True)
    ]
    return charts.over_runs(f"{metric.name}-{number}", metric.title, metric.unit, places)


def _head(metric: Metric) -> str:
    return f"{metric.title[0].upper()}{metric.title[1:]}" + (f", {metric.unit}" if metric.unit else "")


def _number(metric: Metric, value: float) -> str:
    return format(value * metric.scale, metric.form)

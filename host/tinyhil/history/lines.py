"""The history as lines for a terminal: for each model on its target a line a figure, with a sparkline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from tinyhil.compare.metrics import Metric
from tinyhil.history.series import Series

_LEVELS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None]) -> str:
    """A bar for each value, from the least to the largest; a blank for none. Equal values are bars of middle height."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    if high == low:
        return "".join(" " if value is None else _LEVELS[3] for value in values)
    largest = max(abs(low), abs(high))  # in its measure no difference overflows, and none has an infinite inverse
    spread = high / largest - low / largest
    shares = (None if value is None else (value / largest - low / largest) / spread for value in values)
    return "".join(" " if share is None else _LEVELS[round(share * (len(_LEVELS) - 1))] for share in shares)


def last_change(one: Series, metric: Metric) -> str:
    """By how much a figure has changed last, and with which commit; or that it has not."""
    known = [(run, run.figures[metric.name]) for run in one.runs if metric.name in run.figures]
    for (_, before), (run, value) in reversed(list(pairwise(known))):
        if value != before:
            change = metric.shown_difference(value - before)
            share = f" ({(value - before) / before:+.2%})" if before and metric.unit != "%" else ""
            return f"{change}{share} with {run.of_commit}"
    return f"the same in {len(known)} runs" if len(known) > 1 else ""


def table(one: Series, metrics: Sequence[Metric]) -> Iterator[str]:
    """Heading and lines of one series; metrics that no run has are left out."""
    last = one.runs[-1]
    of = f", {last.of_commit}" if last.commit else ""
    branch = f" on {last.branch}" if last.branch else ""
    said = f"{last.verdict}" + (f" ({last.blocked_id})" if last.blocked_id else "")
    yield f"{one.name}: {one.counted}; the last {last.began:%Y-%m-%d %H:%M}{of}{branch}: {said}"
    rows = []
    for metric in metrics:
        values = one.values(metric)
        known = [value for value in values if value is not None]
        if known:
            rows.append((metric.name, metric.shown(known[-1]), sparkline(values), last_change(one, metric)))
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for name, value, drawn, change in rows:
        yield f"  {name:<{widths[0]}}  {value:>{widths[1]}}  {drawn:<{widths[2]}}  {change}".rstrip()

"""The command ``selftest``: planted faults, and whether tinyhil notices them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyhil.cli.job import open_job
from tinyhil.cli.options import takes_options
from tinyhil.cli.session import Output
from tinyhil.errors import ExitCode
from tinyhil.options import Level, Options

if TYPE_CHECKING:
    from tinyhil.experiments.selftest import Score, SelfTestResult

_STYLES = {
    "caught": "green",
    "equivalent": "cyan",
    "not proved": "yellow",
    "wrong reason": "bold red",
    "missed": "bold red",
}


@takes_options(Level.BUILD, search=0)
def selftest(
    output: Output,
    options: Options,
    model: Annotated[
        str, typer.Argument(metavar="[RECIPE|FILE.keras|FILE.tflite]", help="The model whose firmware is tested.")
    ] = "sine",
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Plant faults of this kind only; may be given several times.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, max=64, help="Faults to try at the same time.  [default: cores]"),
    ] = None,
) -> None:
    """Plant faults in copies of the model and the firmware, and see that each is caught by the right check.

    A fault is **caught** by its check, caught for the **wrong reason** (by another one), **equivalent** (it changes no
    output over all possible inputs), **not proved** (no vector shows it, and there are 65,536 inputs or more) or
    **missed**. The exit code is 0 if no fault is missed or caught for the wrong reason.

    **Example**

    tinyhil selftest sine --target qemu-m4
    """
    from tinyhil.experiments.selftest import jobs_by_default, self_test

    true = open_job(output, model, options)
    done = self_test(true, only or (), jobs or jobs_by_default(), _Table(output).add)
    where = f"{true.name} on {true.target.name} ({true.engine})"
    output.write_json({"recipe": true.name, "target": true.target.name, "engine": true.engine, **_as_json(done)})
    _conclude(output, done, where)


class _Table:
    """Shows each outcome as it comes."""

    def __init__(self, output: Output) -> None:
        self._console = output.console
        self._count = 0

    def add(self, scored: Score, total: int) -> None:
        """One line; a second one where something has gone wrong."""
        self._count += 1
        fault, outcome = scored.fault, scored.outcome.value
        place = f"{self._count:>{len(str(total))}}/{total}"
        by = f"{scored.by.value}: " if scored.by is not None else ""
        self._console.print(
            f"{place}  [{_STYLES[outcome]}]{outcome:<12}[/]  {fault.kind:<16}  {fault.name}",
            soft_wrap=True,
            highlight=False,
        )
        said = f"{by}{scored.evidence}" if scored.good else f"{by}{scored.evidence}; expected: {fault.check.value}"
        style = "dim" if scored.good else "red"
        indent = " " * len(place)
        self._console.print(f"{indent}  {said}", style=style, markup=False, soft_wrap=True, highlight=False)


def _conclude(output: Output, done: SelfTestResult, where: str) -> None:
    """The sum in words, and the exit code."""
    for left in done.left_out:
        output.console.print(f"not planted: {left.kind}: {left.why}", markup=False, soft_wrap=True, highlight=False)
    kinds = len({each.fault.kind for each in done.scored})
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in done.counts.items())
    proof = "all inputs there are" if done.exhaustive else f"{done.vectors:,} of the inputs: {_seen(done.vectors)}"
    output.console.print()
    word, style = ("PASS", "bold green") if done.passed else ("FAIL", "bold red")
    output.console.print(
        f"{word}  self-test of {where}: {len(done.scored)} faults of {kinds} kinds, {counts}; over {proof}",
        style=style,
        markup=False,
        soft_wrap=True,
        highlight=False,
    )
    raise typer.Exit(ExitCode.PASS if done.passed else ExitCode.FAIL)


def _seen(vectors: int) -> str:
    """What a sample of vectors can exclude."""
    from tinyhil.compare.fidelity import CONFIDENCE, detectable

    share = f"{100 * detectable(vectors):.2g} % of such inputs"
    return f"a fault that hits {share} is seen with a probability of {CONFIDENCE:.0%}, a rarer one may not be"


def _as_json(done: SelfTestResult) -> dict[str, Any]:
    return {
        "verdict": "pass" if done.passed else "fail",
        "exhaustive": done.exhaustive,
        "vectors": done.vectors,
        "counts": {outcome.value: count for outcome, count in done.counts.items()},
        "faults": [
            {
                "kind": each.fault.kind,
                "name": each.fault.name,
                "expected": each.fault.check.value,
                "outcome": each.outcome.value,
                "caught_by": each.by.value if each.by is not None else None,
                "evidence": each.evidence,
            }
            for each in done.scored
        ],
        "not_planted": [{"kind": each.kind, "why": each.why} for each in done.left_out],
    }

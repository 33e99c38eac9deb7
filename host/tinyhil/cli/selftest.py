"""The command ``selftest``: would tinyhil notice?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyhil.cli.job import open_job
from tinyhil.cli.session import (
    BUILD_DIR,
    DEFAULT_TARGET,
    BuildDirOption,
    DataOption,
    EngineOption,
    ForceOption,
    JsonOption,
    Output,
    SamplesOption,
    SchemeOption,
    TargetOption,
    VerboseOption,
    command,
)
from tinyhil.errors import ExitCode
from tinyhil.pipeline.request import Request

if TYPE_CHECKING:
    from tinyhil.pipeline.selftest import SelfTested
    from tinyhil.selftest import Scored

_STYLES = {"caught": "green", "equivalent": "cyan", "wrong reason": "bold red", "missed": "bold red"}


def selftest(
    recipe: Annotated[str, typer.Argument(metavar="[RECIPE|FILE.keras|FILE.tflite]", help="Whose firmware.")] = "sine",
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    samples: SamplesOption = None,
    data: DataOption = None,
    force: ForceOption = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Plant faults of this kind only; may be given several times.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, max=64, help="Faults that are tried at once.  [default: cores]")
    ] = None,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Plant faults in copies of the model and the firmware, and see that each is noticed by the check it is there for.

    A fault is **caught**; or caught for the **wrong reason**; or **equivalent**, if every output over all inputs there
    are is the same; or **missed**. Exit code 0 only if each is caught or equivalent.

    Example: **tinyhil selftest sine --target qemu-m4**
    """
    with command(json, verbose=verbose) as output:
        from tinyhil.cli.console import ConsoleObserver
        from tinyhil.pipeline.selftest import jobs_by_default, self_test

        request = Request(recipe, target, engine, scheme, build_dir=build_dir, data=data, samples=samples, force=force)
        true = open_job(output, request)
        table = _Table(output)
        observer = ConsoleObserver(output.console, verbose=output.verbose)
        done = self_test(true, observer, only or (), jobs or jobs_by_default(), table.add)
        where = f"{true.recipe.name} on {true.target.name} ({true.engine})"
        output.write_json(
            {"recipe": true.recipe.name, "target": true.target.name, "engine": true.engine, **_as_json(done)}
        )
        _conclude(output, done, where)


class _Table:
    """Shows each outcome as it comes."""

    def __init__(self, output: Output) -> None:
        self._console = output.console
        self._count = 0

    def add(self, scored: Scored, total: int) -> None:
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


def _conclude(output: Output, done: SelfTested, where: str) -> None:
    """The sum in words, and the exit code."""
    for left in done.left_out:
        output.console.print(f"not planted: {left.kind}: {left.why}", markup=False, soft_wrap=True, highlight=False)
    kinds = len({each.fault.kind for each in done.scored})
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in done.counts.items())
    proof = "all inputs there are" if done.exhaustive else "some of the inputs: no fault can be proved equivalent"
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


def _as_json(done: SelfTested) -> dict[str, Any]:
    return {
        "verdict": "pass" if done.passed else "fail",
        "exhaustive": done.exhaustive,
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

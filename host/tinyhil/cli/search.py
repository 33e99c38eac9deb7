"""The command ``search``: an input that the device gets wrong, and the smallest such input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinyhil.cli.job import open_job
from tinyhil.cli.options import MODEL, takes_options
from tinyhil.cli.session import Output
from tinyhil.errors import ExitCode
from tinyhil.options import Level, Options

if TYPE_CHECKING:
    from tinyhil.experiments.search import SearchResult

COUNT = 2048
"""Inputs to try where nothing is said."""
SHOWN = 8
"""Elements of an example, and wrong outputs of it, that are shown."""


@takes_options(Level.DEVICE, "search", flash=True)
def search(
    output: Output,
    options: Options,
    model: MODEL,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed tries the same inputs.")] = 1,
) -> None:
    """Search for an input that the device gets wrong: climb towards the largest difference, then reduce the input.

    For models whose inputs are too many to be sent all. **tinyhil run** makes a short search by itself; this one is as
    long as you like: **--search**, by default 2048. Exit code 1 if something was found. The example is kept in
    BUILD_DIR/RECIPE/TARGET/search.json and search.npz.

    **Example**

    tinyhil search digits --target qemu-m4 --search 10000
    """
    import msgspec

    from tinyhil.experiments import search as experiment

    count = COUNT if options.search is None else options.search
    if count < 1:
        raise typer.BadParameter("a search tries at least 1 input", param_hint="--search")
    found, place = experiment.search(open_job(output, model, options), count, seed)
    output.console.print()
    for line in _lines(found):
        output.console.print(line, markup=False, soft_wrap=True, highlight=False)
    output.console.print(
        f"of the model with sha256 {found.model_sha256}", markup=False, soft_wrap=True, highlight=False
    )
    output.console.print(f"kept in {place}", markup=False, soft_wrap=True, highlight=False)
    output.write_json(msgspec.to_builtins(found))
    if found.search is not None and found.search.example is not None:
        raise typer.Exit(ExitCode.FAIL)


def _lines(found: SearchResult) -> list[str]:
    where = f"{found.recipe} on {found.target} ({found.engine})"
    search = found.search
    if search is None:
        return [f"{where}: nothing to search: a run already sends every possible input"]
    scope = f"{search.tried:,} inputs tried with seed {search.seed}, in addition to those of a run"
    example = search.example
    if example is None:
        return [f"{where}: no input is more than {search.tolerance_lsb} LSB from the reference; {scope}"]
    lines = [
        f"{where}: up to {search.max_lsb:,} LSB from the reference; {scope}",
        f"a small input that shows it, wrong by {example.max_lsb:,} LSB; every other element is at its zero point:",
    ]
    for each in example.elements[:SHOWN]:
        lines.append(f"    input {each.input}[{each.element}] = {each.value} (zero point {each.zero_point})")
    if len(example.elements) > SHOWN:
        lines.append(f"    ... and {len(example.elements) - SHOWN:,} more")
    for wrong in example.mismatches[:SHOWN]:
        values = f"expected {wrong.expected:.10g}, device {wrong.actual:.10g}"
        lines.append(f"    output {wrong.output}[{wrong.element}]: {values} ({wrong.lsb:+,} LSB)")
    return lines

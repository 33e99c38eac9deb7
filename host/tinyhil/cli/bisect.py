"""The command ``bisect``: the layer in which a difference begins, and a bundle that reproduces it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyhil import kinds
from tinyhil.cli import completion
from tinyhil.cli.options import takes_options
from tinyhil.cli.session import Output
from tinyhil.errors import ConfigError, ExitCode
from tinyhil.options import Level, Options

if TYPE_CHECKING:
    from tinyhil.experiments.bisect import Outcome


@takes_options(Level.DEVICE, "firmware", without=("vectors",), flash=True, search=0)
def bisect(
    output: Output,
    options: Options,
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE|FILE.keras|FILE.tflite",
            help="A recipe, or a model of your own.",
            show_default=False,
            autocompletion=completion.models,
        ),
    ] = None,
    engine_a: Annotated[
        str | None,
        typer.Option("--engine-a", metavar="NAME", help="Compare this engine, instead of the reference, ..."),
    ] = None,
    engine_b: Annotated[str | None, typer.Option("--engine-b", metavar="NAME", help="... with this one.")] = None,
    target_a: Annotated[
        str | None, typer.Option("--target-a", metavar="NAME", help="Where the first one runs.")
    ] = None,
    target_b: Annotated[
        str | None, typer.Option("--target-b", metavar="NAME", help="Where the second one runs.")
    ] = None,
    every: Annotated[bool, typer.Option("--every", help="Test every layer, even if the whole model is exact.")] = False,
    vectors: Annotated[
        int,
        typer.Option(
            "--vectors",
            min=1,
            metavar="COUNT",
            help="Vectors per layer; those in which the whole model differs come first.",
        ),
    ] = 32,
    max_lsb: Annotated[
        int, typer.Option("--max-lsb", min=0, metavar="LSB", help="Ignore differences up to this many LSB.")
    ] = 0,
    rerun: Annotated[
        Path | None,
        typer.Option(
            "--rerun",
            metavar="DIR",
            help="Run the repro bundle in this folder again, and do nothing else.",
            readable=False,
        ),
    ] = None,
    built_from: Annotated[Path | None, typer.Option("--built-from", hidden=True, readable=False)] = None,
) -> None:
    """Name the first layer whose output differs from the reference, or between two engines.

    The whole model is run first. If its outputs differ, the model is cut after a layer, built and run again, until the
    layer is found: its own output differs, and its inputs are exact. **--every** tests all layers.

    A bundle that reproduces the difference is written to BUILD_DIR/RECIPE/TARGET/bisect/repro. A bundle contains
    firmware, which is run as it is: rerun only bundles of people you trust.

    With **--firmware** the image FILE is looked at, and nothing is built. One whose outputs are all tensors of the
    model tells the layer; of one that gives the model's own outputs it is told whether they differ, and which project
    to build for the rest.

    Exits with 0 if nothing differs, with 1 if something does.

    **Examples**

    tinyhil bisect sine --target qemu-m4

    tinyhil bisect model.tflite --target-a native --target-b qemu-m4

    tinyhil bisect sine --target qemu-m4 --firmware theirs.elf
    """
    if rerun is not None:
        if model is not None:
            raise ConfigError("--rerun takes a bundle, and no model", kind=kinds.CONTRADICTION)
        _rerun(output, rerun, options.port)
    if model is None:
        raise ConfigError(
            "neither a model nor a bundle (--rerun) is named", hint="name a recipe or a file: tinyhil bisect sine"
        )
    from tinyhil.cli.console import ConsoleObserver
    from tinyhil.experiments.bisect import Bisect, BisectOptions

    sides = [options]
    if any((engine_a, engine_b, target_a, target_b)):
        sides = [
            replace(options, target=target or options.target, engine=engine or options.engine)
            for target, engine in ((target_a, engine_a), (target_b, engine_b))
        ]
    sides[-1] = replace(sides[-1], built_from=built_from)
    observer = ConsoleObserver(output.console, verbose=output.verbose)
    _conclude(output, Bisect(model, sides, BisectOptions(every, vectors, max_lsb), observer).run())


def _conclude(output: Output, outcome: Outcome) -> None:
    import msgspec

    from tinyhil.cli.console import show_rows
    from tinyhil.report import bisection as words

    found = outcome.bisection
    output.console.print()
    if found.tested:
        _table(output, [words.HEAD, *words.table(found)])
        output.console.print()
    compared = f"{found.sides[0]} with {found.sides[1] if len(found.sides) > 1 else found.reference}"
    rows = [("model", f"sha256 {found.model_sha256}"), ("compared", compared), ("result", str(outcome.file))]
    if outcome.bundle is not None:
        rows += [
            ("bundle", f"{outcome.bundle}: {outcome.rerun.told if outcome.rerun else 'not tried'}"),
            ("rerun it", f"tinyhil bisect --rerun {outcome.bundle}"),
        ]
    show_rows(output.console, rows)
    output.console.print()
    _say(output, words.finding(found), "bold green" if found.verdict == "clean" else "bold red")
    if found.verdict == "not located":
        _say(output, f"next:  {_next_step(outcome)}", None)
    output.write_json(
        {
            "verdict": found.verdict,
            "layer": None if found.blame is None else found.blame.operator + 1,
            **msgspec.to_builtins(found),
            "file": str(outcome.file),
            "bundle": None if outcome.bundle is None else str(outcome.bundle),
            "reproduced": None if outcome.rerun is None else outcome.rerun.difference.differs,
        }
    )
    raise typer.Exit(ExitCode.PASS if found.verdict == "clean" else ExitCode.FAIL)


def _next_step(outcome: Outcome) -> str:
    """How to find the layer where an image of somebody else's does not tell it."""
    if outcome.project is None:
        return "bisect an image of your own: the same command without --firmware"
    return (
        f"have {outcome.project} built as that image was: its image gives the output of every layer; "
        "then the same command with it as --firmware"
    )


def _rerun(output: Output, folder: Path, port: str | None) -> None:
    from tinyhil.cli.console import ConsoleObserver
    from tinyhil.experiments import bisect as experiment

    found = experiment.rerun(folder, port, ConsoleObserver(output.console, verbose=output.verbose))
    output.console.print()
    _say(output, found.repro.finding, None)
    differs = found.difference.differs
    _say(output, found.told, "bold red" if differs else "bold green")
    output.write_json(
        {
            "verdict": "differs" if differs else "exact",
            "as_recorded": found.as_recorded,
            "wrong_elements": found.difference.wrong_elements,
            "expected": found.expected.hex(),
            "actual": found.actual.hex(),
        }
    )
    raise typer.Exit(ExitCode.FAIL if differs else ExitCode.PASS)


def _table(output: Output, lines: list[tuple[str, ...]]) -> None:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        _say(output, text, "bold" if number == 0 else None)


def _say(output: Output, text: str, style: str | None) -> None:
    output.console.print(text, style=style, markup=False, soft_wrap=True, highlight=False)

"""The command ``preflight``: all that is wrong with a model for an engine, without building anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyhil.cli.session import (
    BUILD_DIR,
    DEFAULT_TARGET,
    BuildDirOption,
    EngineOption,
    JsonOption,
    Output,
    SchemeOption,
    TargetOption,
    VerboseOption,
    command,
)
from tinyhil.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from tinyhil.artifacts.types import Problem

SUFFIX = ".tflite"
"""By which an argument is a model file rather than the name of a recipe."""


def preflight(
    model: Annotated[
        str, typer.Argument(metavar="RECIPE|FILE.tflite", help="A recipe, or a model file.", show_default=False)
    ],
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """List all that keeps an engine from computing a model right; exits with 2 if there is something.

    A recipe's model is trained and quantized first; a .tflite file is only read.

    Example: **tinyhil preflight my_model.tflite --target qemu-m4**
    """
    with command(json, verbose=verbose) as output:
        examine = _file if model.endswith(SUFFIX) else _recipe
        name, used, problems = examine(output, model, target, engine, scheme, build_dir)
        for problem in problems:
            output.console.print(f"[bold]{problem.kind}[/]", highlight=False)
            output.console.print(f"    {problem.cause}", markup=False, soft_wrap=True, highlight=False)
            output.console.print(f"    next: {problem.hint}", markup=False, soft_wrap=True, highlight=False)
        count = {0: "no problem", 1: "1 problem"}.get(len(problems), f"{len(problems)} problems")
        style = "bold red" if problems else "bold green"
        line = f"{count}: {name} for the engine {used!r} of {target}"
        output.console.print(line, style=style, markup=False, soft_wrap=True, highlight=False)
        output.write_json(
            {
                "model": name,
                "target": target,
                "engine": used,
                "problems": [{"kind": each.kind, "cause": each.cause, "hint": each.hint} for each in problems],
            }
        )
        if problems:
            raise typer.Exit(ExitCode.USAGE)


def _recipe(
    output: Output, name: str, target: str, engine: str | None, scheme: str | None, build_dir: Path
) -> tuple[str, str, tuple[Problem, ...]]:
    """Name of the model file, engine, and problems."""
    from tinyhil.cli.console import ConsoleObserver
    from tinyhil.pipeline.request import Request
    from tinyhil.pipeline.run import Run

    request = Request(name, target, engine, scheme, build_dir)
    run = Run(request, ConsoleObserver(output.console, verbose=output.verbose))
    problems = run.problems()
    return str(run.quantize().path), run.engine, problems


def _file(
    output: Output, name: str, target: str, engine: str | None, scheme: str | None, build_dir: Path
) -> tuple[str, str, tuple[Problem, ...]]:
    """The same of a file that is there."""
    from tinyhil import tflite
    from tinyhil.preflight import check
    from tinyhil.targets import registry

    if scheme is not None:
        raise ConfigError(f"{name} is quantized already, --scheme is for recipes")
    facts = registry.get(target)
    used, _ = registry.engine(facts, engine)
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {name}: {error.strerror}") from error
    return name, used, check(tflite.parse(data, name), facts, used)

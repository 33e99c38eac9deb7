"""The command ``preflight``: everything that is wrong with a model for an engine, before anything is built."""

from __future__ import annotations

from typing import Any

import typer

from tinyhil.cli.job import open_job
from tinyhil.cli.options import MODELS, takes_options
from tinyhil.cli.session import Output
from tinyhil.errors import ExitCode
from tinyhil.options import Level, Options


@takes_options(Level.PLACEMENT)
def preflight(output: Output, options: Options, models: MODELS) -> None:
    """List everything that keeps an engine from computing a model right. Exits with 2 if there is any problem.

    A recipe's model is trained and quantized first, a .keras file quantized; a .tflite file is only read.

    **Example**

    tinyhil preflight my_model.tflite --target qemu-m4
    """
    found = [_held(output, options, model) for model in models]
    output.write_json(found[0] if len(found) == 1 else {"models": found})
    if any(one["problems"] for one in found):
        raise typer.Exit(ExitCode.USAGE)


def _held(output: Output, options: Options, model: str) -> dict[str, Any]:
    """Shows what is wrong with one model, and returns it as JSON has it."""
    job = open_job(output, model, options)
    problems = job.problems()
    _, name = job.source.content()
    for problem in problems:
        output.console.print(f"[bold]{problem.kind}[/]", highlight=False)
        output.console.print(f"    {problem.cause}", markup=False, soft_wrap=True, highlight=False)
        output.console.print(f"    next: {problem.hint}", markup=False, soft_wrap=True, highlight=False)
    count = {0: "no problem", 1: "1 problem"}.get(len(problems), f"{len(problems)} problems")
    style = "bold red" if problems else "bold green"
    line = f"{count}: {name} for the engine {job.engine!r} of {job.target.name}"
    output.console.print(line, style=style, markup=False, soft_wrap=True, highlight=False)
    return {
        "model": name,
        "target": job.target.name,
        "engine": job.engine,
        "problems": [{"kind": each.kind, "cause": each.cause, "hint": each.hint} for each in problems],
    }

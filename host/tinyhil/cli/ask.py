"""The command ``ask``: x typed, y of the device seen beside what the model says."""

from __future__ import annotations

import json as jsons
import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyhil import kinds
from tinyhil.cli.job import open_job
from tinyhil.cli.options import MODEL, takes_options
from tinyhil.cli.session import Output
from tinyhil.errors import ConfigError, InputError
from tinyhil.options import Level, Options

if TYPE_CHECKING:
    import numpy as np

    from tinyhil.api.asking import Answer

_STDIN = "-"


@takes_options(Level.DEVICE, without=("firmware", "form", "resume", "record", "search"), flash=True)
def ask(
    output: Output,
    options: Options,
    model: MODEL,
    questions: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="A number, a vector ('0.1 0.2'), 'sweep 0..6.28 100', 'sample 17', 'random 10', a file of samples; "
            "'-' reads them from standard input, one a line.",
            show_default=False,
        ),
    ],
    lines: Annotated[
        bool, typer.Option("--json-lines", help="A line of JSON for each answer, on standard output.")
    ] = False,
) -> None:
    """Ask a device what it computes, and see what the reference and the float model say.

    The model's firmware is built and started on the target, or a board is flashed where it runs anything else. Each
    answer is a row: input, device, reference, float model, their distance in LSB, and what the inference took.

    **Examples**

    tinyhil ask sine 1.57 --target native

    tinyhil ask digits 'sample 17' --target qemu-m4

    seq 0 0.1 6.2 | tinyhil ask sine - --target native --json-lines

    tinyhil ask sine -- -1.5
    """
    from tinyhil import api
    from tinyhil.api.asking import Asker, line_of

    to_stdout = output.json_path is not None and str(output.json_path) == "-"
    if lines and to_stdout:
        raise ConfigError("--json-lines and --json - both write to standard output", kind=kinds.CONTRADICTION)
    rows: list[dict[str, Any]] = []
    wrong: InputError | None = None
    run = open_job(replace(output, console=output.errors), model, options)
    with api.session_with(run) as session, Asker(run) as asker:
        for question in _questions(questions):
            try:
                answers = asker.ask(question, session)
            except InputError as error:
                if len(questions) == 1 and questions[0] != _STDIN:
                    raise
                output.errors.print(f"{question}: {error.message}", markup=False, soft_wrap=True, highlight=False)
                wrong = error
                continue
            for answer in answers:
                row = _row(answer)
                if output.json_path is not None:
                    rows.append(row)
                if lines:
                    sys.stdout.write(jsons.dumps(row) + "\n")
                elif not to_stdout:
                    sys.stdout.write(line_of(answer) + "\n")
            sys.stdout.flush()
    output.write_json(rows)
    if wrong is not None:
        raise wrong


def _questions(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if word != _STDIN:
            yield word
            continue
        for line in sys.stdin:
            if line.strip():
                yield line.strip()


def _row(answer: Answer) -> dict[str, Any]:
    return {
        "input": _plain(answer.inputs),
        "device": _plain(answer.device),
        "reference": _plain(answer.reference),
        "float": None if answer.floats is None else _plain(answer.floats),
        "distance": answer.distance,
        "cost": answer.cost,
        "unit": answer.unit or None,
    }


def _plain(values: np.ndarray[Any, Any]) -> list[float | None]:
    """Numbers as JSON has them, which knows neither NaN nor infinity."""
    return [value if math.isfinite(value) else None for value in values.tolist()]

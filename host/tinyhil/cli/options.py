"""From the one set of options to a command's flags, help and completion."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from tinyhil.cli import completion
from tinyhil.cli.session import JsonOption, VerboseOption, command
from tinyhil.options import Field, Level, Options, fields

MODEL = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE|FILE.keras|FILE.tflite",
        help="A recipe ('tinyhil recipes' lists them), or a model of your own.",
        show_default=False,
        autocompletion=completion.models,
    ),
]
"""The argument that names what is run."""

MODELS = Annotated[
    list[str],
    typer.Argument(
        metavar="RECIPE|FILE.keras|FILE.tflite",
        help="A recipe ('tinyhil recipes' lists them), or a model of your own; or several.",
        show_default=False,
        autocompletion=completion.models,
    ),
]
"""The argument that names what is run, where that may be several models."""

TARGET = Annotated[
    str,
    typer.Option(
        "--target",
        "-t",
        metavar="NAME",
        help="Which target; 'tinyhil targets' lists them.",
        autocompletion=completion.targets,
    ),
]
"""For commands that are about a target and run nothing."""

_COMPLETIONS = {"target": completion.targets, "engine": completion.engines, "scheme": completion.schemes}


def takes_options(
    level: Level, *more: str, without: Iterable[str] = (), **fixed: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a command of a function: its first two parameters are filled with ``Output`` and ``Options``.

    The command has the function's other parameters, then the options up to ``level``, ``--json`` and ``--verbose``.
    What the function raises becomes a message and an exit code (``tinyhil.cli.session.command``).

    Args:
        level: how far the command goes.
        more: names of further options that it takes.
        without: names of options that it does not take: it has a parameter of its own in their place.
        fixed: options that are not the user's to choose here.
    """
    left_out = {*without, *fixed}
    taken = [field for field in fields() if (field.about.level <= level or field.name in more)]
    taken = [field for field in taken if field.name not in left_out]

    def decorate(body: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(body, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in list(inspect.signature(body).parameters.values())[2:]
        ]
        shared = [_parameter(field) for field in taken]
        ends = [_keyword("json", JsonOption, None), _keyword("verbose", VerboseOption, False)]

        @functools.wraps(body)
        def run(**values: Any) -> None:
            with command(values.pop("json"), verbose=values.pop("verbose")) as output:
                chosen = {field.name: values.pop(field.name) for field in taken}
                body(output, Options(**chosen, **fixed), **values)

        parameters = [*own, *shared, *ends]
        del run.__wrapped__  # its signature is not the command's
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _parameter(field: Field) -> inspect.Parameter:
    about = field.about
    flags = [field.flag, *filter(None, [about.short])]
    hint = f"{about.help}  [default: {about.usual}]" if about.usual else about.help
    shown: dict[str, Any] = {"help": hint}
    if not field.is_switch:
        shown["metavar"] = about.metavar
    if about.least is not None:
        shown["min"] = about.least
    if field.type is Path:
        shown["readable"] = False  # who reads it says why not, with an id and the next step
    if field.name in _COMPLETIONS:
        shown["autocompletion"] = _COMPLETIONS[field.name]
    kind: Any = field.type | None if field.optional else field.type
    return _keyword(field.name, Annotated[kind, typer.Option(*flags, **shown)], field.default)


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

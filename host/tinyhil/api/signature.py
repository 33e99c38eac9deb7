"""A function's signature and docstring with every option in it, made from the one set of options."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tinyhil.options import Field, Options, fields

DEFAULTS = Options(flash=True)
"""What a call does without options: as ``tinyhil run``, which flashes a board that runs anything else."""

_F = TypeVar("_F", bound=Callable[..., Any])
_WIDTH = 116


def lists_every_option(function: _F) -> _F:
    """Has ``inspect.signature`` and ``help`` show the options in place of the function's ``**overrides``."""
    known = inspect.signature(function)
    own = [each for each in known.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    function.__signature__ = known.replace(  # type: ignore[attr-defined]
        parameters=[*own, *(_parameter(field) for field in fields())]
    )
    described = "\n".join(_described(field) for field in fields())
    function.__doc__ = f"{inspect.getdoc(function)}\n\nOptions:\n{described}\n"
    return function


def _parameter(field: Field) -> inspect.Parameter:
    default = getattr(DEFAULTS, field.name)
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_type(field))


def _type(field: Field) -> str:
    """The type of a keyword, as ``Overrides`` has it."""
    words = ["str", "Path"] if field.type is Path else [field.type.__name__]
    return " | ".join(
        [*words, *(["ArrayLike"] if field.about.in_memory else []), *(["None"] if field.optional else [])]
    )


def _described(field: Field) -> str:
    about = field.about
    usual = f" By default {about.usual}." if about.usual else ""
    arrays = " Or an array, a pair x, y, or a dict of arrays." if about.in_memory else ""
    text = f"{field.name}: {about.help}{arrays}{usual}"
    return textwrap.indent(textwrap.fill(text, _WIDTH, subsequent_indent="    ", break_on_hyphens=False), "    ")

"""The options are in signature and help of what is called, and agree with the keywords that type checkers know."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy.typing as npt
import pytest

import tinyhil
from tinyhil.options import Options, Overrides, fields


def members(hint: Any) -> set[Any]:
    """The types that a hint allows."""
    return set(get_args(hint)) if get_origin(hint) in (Union, UnionType) else {hint}


def test_options_and_overrides_agree() -> None:
    """A keyword takes what the option takes; a text in place of a path, a number of a text, arrays of a file."""
    arrays = str | Path | npt.ArrayLike | dict[str, npt.ArrayLike]
    keywords = get_type_hints(Overrides, localns={"FileOrArrays": arrays})
    wanted = get_type_hints(Options)
    assert list(keywords) == list(wanted)
    for field in fields():
        taken, more = members(keywords[field.name]), members(keywords[field.name]) - members(wanted[field.name])
        assert members(wanted[field.name]) <= taken, field.name
        assert (NoneType in taken) == field.optional
        if not field.about.in_memory:
            assert more == ({str} if field.type is Path else {int} if field.about.number else set()), field.name
        else:
            assert members(npt.ArrayLike) <= taken


@pytest.mark.parametrize("function", [tinyhil.run, tinyhil.open_session])
def test_signature_and_help_list_every_option(function: Any) -> None:
    parameters = inspect.signature(function).parameters
    assert list(parameters)[:3] == ["model", "options", "observer"]
    assert list(parameters)[3:] == [field.name for field in fields()]
    assert parameters["target"].default == "qemu-m4"
    assert parameters["flash"].default is True
    assert parameters["record"].annotation == "str | Path | None"
    for field in fields():
        assert f"\n    {field.name}: {field.about.help[:30]}" in (function.__doc__ or "")


def test_a_name_that_is_no_option() -> None:
    with pytest.raises(TypeError, match="there is no option 'traget'; there are target, engine"):
        tinyhil.run("sine", traget="sim")  # type: ignore[call-arg]

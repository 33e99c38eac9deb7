"""The differential tests are sharp: each fault that is put into a kernel turns one of them red."""

from __future__ import annotations

import inspect
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

from tinyhil import chain, resources
from tinyhil.chain import compile as chain_compile

from . import one_operator
from .comparing import Differs
from .mutations import KERNELS, Mutation
from .mutations_of_operators import OPERATORS

MUTATIONS = [*KERNELS, *OPERATORS]
WITHOUT = {
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), "computes nothing"),
    **dict.fromkeys(("two_products", "even_bytes", "odd_bytes"), "for Arm only: test_kernels_on_a_chip"),
}
"""Functions and operators that no mutation names, with the reason."""

_DECLARED = re.compile(r"^(?:TINYHIL_INLINE |inline )?(?:void|u?int\d+_t) (\w+)\(", re.MULTILINE)


def declared() -> set[str]:
    """The functions of the kernels' headers."""
    return {
        name
        for header in (resources.folder("firmware") / "lib" / "kernels").glob("*.h")
        for name in _DECLARED.findall(header.read_text())
    }


def test_every_kernel_and_every_operator_has_two_mutations_or_a_reason() -> None:
    named = Counter(name for mutation in MUTATIONS for name in mutation.names)
    wanted = declared() | chain.OPERATORS
    assert len(declared()) > 40
    assert set(named) | set(WITHOUT) == wanted
    assert not set(named) & set(WITHOUT)
    assert [name for name, count in named.items() if count < 2] == []


def mutated(mutation: Mutation, source: Path) -> str:
    """The content of a file with its fault."""
    text = source.read_text()
    assert text.count(mutation.old) == 1, f"{mutation.old!r} is in {mutation.file} {text.count(mutation.old)} times"
    return text.replace(mutation.old, mutation.new)


@contextmanager
def in_python(mutation: Mutation) -> Iterator[None]:
    """The module with its fault: its functions get other code and stay themselves, so whoever imported them sees it."""
    name = f"tinyhil.chain.{mutation.file.removesuffix('.py').replace('/', '.')}"
    module = import_module(name)
    scratch = dict(vars(module))
    exec(compile(mutated(mutation, Path(str(module.__file__))), mutation.file, "exec"), scratch)
    own = [each for each in vars(module).values() if isinstance(each, FunctionType) and each.__module__ == name]
    codes = [function.__code__ for function in own]
    chain_compile._emitted.cache_clear()
    try:
        for function in own:
            function.__code__ = scratch[function.__name__].__code__
        yield
    finally:
        for function, code in zip(own, codes, strict=True):
            function.__code__ = code
        chain_compile._emitted.cache_clear()


@contextmanager
def in_cpp(mutation: Mutation, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A copy of the kernels with the fault."""
    shutil.copytree(one_operator.kernels_folder(), folder)
    (folder / mutation.file).write_text(mutated(mutation, folder / mutation.file))
    with monkeypatch.context() as patch:
        patch.setattr(one_operator, "kernels_folder", lambda: folder)
        yield


def run(mutation: Mutation, folder: Path) -> None:
    """The test, with few models, and everything compiled anew."""
    fixtures = {"chain_folder": folder, "amount": lambda few, many: min(3 * few, many)}
    arguments = iter(mutation.arguments)
    mutation.test(
        **{
            name: fixtures[name] if name in fixtures else next(arguments)
            for name in inspect.signature(mutation.test).parameters
        }
    )


@pytest.mark.long
@pytest.mark.usefixtures("without_bakenn")
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: "-".join((each.file, *sorted(each.names))))
def test_a_fault_is_noticed(mutation: Mutation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = (
        in_python(mutation) if mutation.file.endswith(".py") else in_cpp(mutation, tmp_path / "kernels", monkeypatch)
    )
    with place, pytest.raises(Differs):
        run(mutation, tmp_path / "made")

"""What the compiler has said of a model is remembered, as long as nothing has changed that it depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tinyhil import chain
from tinyhil.chain import asked

from .one_operator import T, model_of


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tinyhil" / "preflight"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The profiles for which the compiler was asked."""
    seen: list[str] = []
    true = chain.refusals

    def watched(data: bytes, **how: Any) -> Any:
        seen.append(how["profile"])
        return true(data, **how)

    monkeypatch.setattr(asked, "refusals", watched)
    return seen


def ask(data: bytes, profile: str = "portable32") -> asked.Asked:
    return asked.ask(data, cmsis=False, profile=profile)


def test_it_is_asked_once(tiny_model: bytes, cache: Path, compiled: list[str]) -> None:
    first = ask(tiny_model)
    assert first == asked.Asked((), 32)
    assert ask(tiny_model) == first
    assert len(compiled) == 1
    assert len(list(cache.iterdir())) == 1


def test_a_refusal_is_remembered_with_all_that_is_said(cache: Path, compiled: list[str]) -> None:
    ints = T("int32", (1, 4))
    first = ask(model_of("ABS", [ints], [ints]))
    assert first.memory_bytes is None
    assert (first.refused[0].operator, first.refused[0].name) == ("operator 0 ABS", "ABS")
    assert ask(model_of("ABS", [ints], [ints])) == first
    assert len(compiled) == 1


def test_another_cpu_another_model_or_another_compiler_is_asked_anew(
    tiny_model: bytes, cache: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = T("int8", (1, 4), 0.5)
    ask(tiny_model)
    ask(tiny_model, "cortex-m4")
    ask(model_of("RELU", [numbers], [numbers]))
    monkeypatch.setattr(asked, "sources_sha256", lambda: "another")
    ask(tiny_model)
    assert compiled == ["portable32", "cortex-m4", "portable32", "portable32"]


def test_a_damaged_answer_is_no_answer(tiny_model: bytes, cache: Path, compiled: list[str]) -> None:
    first = ask(tiny_model)
    (file,) = cache.iterdir()
    file.write_bytes(b'{"refused": [')
    assert ask(tiny_model) == first
    assert len(compiled) == 2


def test_a_cache_that_cannot_be_written_is_done_without(
    tiny_model: bytes, tmp_path: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert ask(tiny_model) == ask(tiny_model) == asked.Asked((), 32)
    assert len(compiled) == 2

"""How much a run may ask follows from facts, stays within the budget, and leaves the recipes as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tinyhil.errors import ConfigError
from tinyhil.targets import registry
from tinyhil.targets.allowance import LEAST_VECTORS, SEARCH_SHARE, Allowance, Inference, allowance
from tinyhil.targets.model import Pace

BUDGET = "60s"
MEASURED = st.integers(0, 40)
PACES = st.builds(Pace, bytes_per_second=st.integers(1, 10**8), macs_per_second=st.integers(1, 10**10))
ONES = st.builds(Inference, nbytes=st.integers(1, 10**6), macs=st.integers(0, 10**9))
SHIPPED = sorted(path.stem for path in registry.SHIPPED.glob("*.toml"))
SINE = (256, Inference(1 + 1, 16 + 16 * 16 + 16 * 16 + 16))
DIGITS = (818, Inference(28 * 28 + 10, 784 * 20 + 20 * 10))
CONV_DIGITS = (818, Inference(28 * 28 + 10, 26 * 26 * 8 * 9 + 11 * 11 * 16 * 9 * 8 + 400 * 10))
VWW = Inference(96 * 96 * 3 + 2, 7_489_664)
"""The person detector of MLPerf Tiny."""


def of(target: str, budget: str = BUDGET, vectors: str | None = None) -> Allowance:
    """As a run on the target has it, which may measure 36 inferences."""
    return allowance(registry.get(target, user=Path("none")).pace, budget, vectors, 36)


@pytest.mark.parametrize("recipe", [SINE, DIGITS, CONV_DIGITS], ids=["sine", "digits", "conv-digits"])
@pytest.mark.parametrize("target", SHIPPED)
def test_a_shipped_recipe_is_sent_whole(target: str, recipe: tuple[int, Inference]) -> None:
    count, one = recipe
    assert of(target).vectors(one, count) == count


@pytest.mark.parametrize("target", SHIPPED)
def test_a_shipped_target_says_its_own_pace(target: str) -> None:
    assert "\n[pace]\n" in (registry.SHIPPED / f"{target}.toml").read_text()


def test_a_large_model_is_sent_in_part_where_it_is_slow() -> None:
    emulated = of("qemu-m4")
    sent = emulated.vectors(VWW, 2000)
    assert LEAST_VECTORS < sent < 300
    searched = emulated.searched(VWW, sent)
    assert emulated.seconds(VWW, sent + 36 + searched) <= emulated.budget
    assert of("qemu-m4", "5min").vectors(VWW, 2000) > 4 * sent


@given(PACES, ONES, st.floats(1, 1000), st.integers(1, 10**5), MEASURED)
def test_vectors_and_search_are_within_the_budget(
    pace: Pace, one: Inference, budget: float, available: int, measured: int
) -> None:
    found = Allowance(pace, budget, measured=measured)
    sent = found.vectors(one, available)
    searched = found.searched(one, sent)
    assert min(available, LEAST_VECTORS) <= sent <= available
    assert searched >= int(SEARCH_SHARE * budget / found.seconds(one, 1)) - 1
    if LEAST_VECTORS < sent < available:
        assert found.seconds(one, sent + measured + searched) <= budget * 1.000001
        assert found.seconds(one, available + measured) > budget
        assert found.seconds(one, sent + measured + 1) > (1 - SEARCH_SHARE) * budget * 0.999999


@given(PACES, ONES, st.floats(1, 1000), st.integers(1, 10**5))
def test_a_larger_budget_never_sends_less(pace: Pace, one: Inference, budget: float, available: int) -> None:
    assert Allowance(pace, 2 * budget).vectors(one, available) >= Allowance(pace, budget).vectors(one, available)


@given(PACES, ONES, st.integers(1, 1000), st.integers(1, 10**5))
def test_a_number_overrules_the_budget(pace: Pace, one: Inference, wanted: int, available: int) -> None:
    assert allowance(pace, "1s", str(wanted)).vectors(one, available) == min(wanted, available)
    assert allowance(pace, "1s", "all").vectors(one, available) == available


def test_the_longer_of_line_and_computing_counts() -> None:
    found = Allowance(Pace(bytes_per_second=1000, macs_per_second=1_000_000), 60)
    assert found.seconds(Inference(500, 100), 4) == pytest.approx(2.0)
    assert found.seconds(Inference(1, 3_000_000), 4) == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("90", 90), ("1.5min", 90), ("2 m", 120), ("0.5s", 0.5), ("1h", 3600)]
)
def test_durations(text: str, seconds: float) -> None:
    assert allowance(Pace(), text, None).budget == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "0", "0.0s", "1 day", "1e3", "nan", "1s1s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no duration") as caught:
        allowance(Pace(), text, None)
    assert "90s" in caught.value.hint


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "1.5", "\u0663", "9" * 10])
def test_what_is_no_number_of_vectors_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no number of vectors"):
        allowance(Pace(), BUDGET, text)


@given(PACES, ONES)
def test_neither_line_nor_clock_is_asked(pace: Pace, one: Inference) -> None:
    """The same facts give the same count, whoever asks and whenever."""
    assume(one.macs)
    counts = {Allowance(pace, 60).vectors(one, 10_000) for _ in range(3)}
    assert len(counts) == 1

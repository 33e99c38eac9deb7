"""The gate's rules: what they allow to the last unit, what is accepted, and what is no rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil import kinds
from tinyhil.compare import medians
from tinyhil.compare.changes import Change, changes
from tinyhil.compare.gate import USUAL, Accepted, Rule, accepted, judge, rule, rules
from tinyhil.compare.metrics import BY_NAME
from tinyhil.compare.verdict import Speed
from tinyhil.errors import ConfigError

from ..history import made

BEFORE = made.report()
LARGER = made.report(flash=made.FLASH + 312, instructions=made.INSTRUCTIONS * 1.04)


def made_rule(name: str, text: str) -> Rule:
    found = rule(name, text, "here")
    assert found is not None
    return found


def outcomes(*rules_: Rule, after: Any = LARGER, known: str = "") -> dict[str, str]:
    lines = accepted(known, "accepted")
    return {one.rule.metric.name: one.outcome for one in judge(changes(BEFORE, after), rules_, lines)}


@pytest.mark.parametrize(
    ("name", "text", "outcome"),
    [
        ("flash", "+311 B", "broken"),
        ("flash", "+312 B", "kept"),
        ("flash", "+312", "kept"),
        ("flash", "+3.05 %", "broken"),
        ("flash", "+3.06 %", "kept"),
        ("instructions", "+3.99 %", "broken"),
        ("instructions", "+4 %", "kept"),
        ("ram", "+0 B", "kept"),
    ],
)
def test_a_rule_allows_just_what_it_says(name: str, text: str, outcome: str) -> None:
    assert outcomes(made_rule(name, text)) == {name: outcome}


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_points_are_hundredths_of_a_share(before: int, lost: int) -> None:
    """0.5 points of 92.0 % are 91.5 %, whatever doubles make of it."""
    values = before / 1000, (before - lost) / 1000
    change = Change(BY_NAME["top1"], *values, "worse" if lost else "equal")
    assert made_rule("top1", f"-{lost / 10} points").keeps(change)
    if lost:
        assert not made_rule("accuracy.top1", f"-{(lost - 1) / 10} points").keeps(change)


def test_what_got_better_keeps_every_rule() -> None:
    assert set(outcomes(*rules({}, "here"), after=made.report(flash=1, instructions=1.0)).values()) == {"kept"}


def test_the_usual_rules_find_the_312_bytes_and_the_4_percent() -> None:
    found = outcomes(*rules({}, "here"))
    assert {name for name, outcome in found.items() if outcome == "broken"} == {"flash", "instructions"}
    assert set(found) == {"flash", "ram", "arena", "instructions", "mismatches"}  # what the reports have
    assert all(made_rule(name, text) for name, text in USUAL.items())


def test_a_project_has_its_own_in_their_place() -> None:
    own = rules({"flash": "off", "accuracy.top1": "-2 points", "max_lsb": "+1 LSB"}, "here")
    assert {one.metric.name: one.text for one in own} == {
        **{name: text for name, text in USUAL.items() if name != "flash"},
        "top1": "-2 points",
        "max_lsb": "+1 LSB",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("size", "+0 B"),
        ("flash", ""),
        ("flash", "0 B"),
        ("flash", "-1 B"),
        ("flash", "+1 points"),
        ("flash", "+x B"),
        ("flash", "+1 kB"),
        ("flash", "+nan B"),
        ("top1", "+1 points"),
        ("top1", "-1"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=r"tinyhil\.toml") as caught:
        rule(name, text, "tinyhil.toml")
    assert caught.value.kind is kinds.WRONG_FILE


LINE = "1f77ce2 tiny qemu-m4 flash +312 B # the table of the softmax"


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (LINE, "accepted"),
        (f"# a note\n\n{LINE}", "accepted"),
        (LINE.replace("tiny qemu-m4", "* *"), "accepted"),
        (LINE.replace("+312", "+311"), "broken"),
        (LINE.replace("tiny", "other"), "broken"),
        (LINE.replace("qemu-m4", "sim"), "broken"),
        (LINE.replace("flash +312 B", "ram +312 B"), "broken"),
    ],
)
def test_an_accepted_regression_is_of_one_figure_up_to_an_amount(line: str, outcome: str) -> None:
    assert outcomes(made_rule("flash", "+0 B"), known=line) == {"flash": outcome}


def test_one_that_does_not_hold_any_more_accepts_nothing() -> None:
    (line,) = accepted(LINE, "accepted")

    def never(_: Accepted) -> bool:
        return False

    (found,) = judge(changes(BEFORE, LARGER), [made_rule("flash", "+0 B")], [line], never)
    assert (found.outcome, found.by) == ("broken", None)
    (found,) = judge(changes(BEFORE, LARGER), [made_rule("flash", "+0 B")], [line])
    assert (found.outcome, found.by) == ("accepted", line)
    assert (line.reason, line.place) == ("the table of the softmax", "accepted, line 1")


@pytest.mark.parametrize(
    "line",
    [
        "1f77ce2 tiny qemu-m4 flash +312 B",
        "1f77ce2 tiny qemu-m4 flash +312 B #  ",
        "main tiny qemu-m4 flash +312 B # reason",
        "1f77ce2 tiny flash # reason",
        "1f77ce2 tiny qemu-m4 flash off # reason",
        "1f77ce2 tiny qemu-m4 flash 312 B # reason",
    ],
)
def test_a_line_without_commit_amount_or_reason_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="line 2"):
        accepted(f"\n{line}", "accepted")


def test_what_cannot_be_compared_is_not_kept() -> None:
    assert outcomes(made_rule("flash", "+9999 B"), after=replace(LARGER, target="sim")) == {"flash": "incomparable"}


def timed(middle: float) -> Any:
    speed = Speed("microseconds", middle, middle, middle, 9)
    return made.report(target="nano33ble", microseconds_per_inference=middle, speed=speed)


@pytest.mark.parametrize(
    ("text", "slower", "runs", "outcome"),
    [
        ("+1 %", 1.03, medians.RUNS, "broken"),
        ("+1 %", 1.005, medians.RUNS, "kept"),
        ("+1 %", 1.0, medians.RUNS, "kept"),
        ("+1 %", 0.5, medians.RUNS, "kept"),
        ("+5 %", 1.03, medians.RUNS, "kept"),
        ("+20 us", 1.03, medians.RUNS, "broken"),
        ("+40 us", 1.03, medians.RUNS, "kept"),
        ("+1 %", 1.03, medians.RUNS - 1, "incomparable"),
    ],
)
def test_times_are_held_by_repeated_runs(text: str, slower: float, runs: int, outcome: str) -> None:
    before = [1000.0 + number % 5 for number in range(medians.RUNS)]
    after = [time * slower for time in before[:runs]]
    found = changes(timed(before[-1]), timed(after[-1]))
    (judged,) = judge(found, [made_rule("microseconds", text)], times=(before, after))
    assert judged.outcome == outcome
    assert str(runs) in judged.change.why


def test_times_on_another_target_cannot_be_compared_however_often() -> None:
    times = [1000.0] * medians.RUNS
    found = changes(timed(1000.0), replace(timed(1000.0), target="esp32"))
    (judged,) = judge(found, [made_rule("microseconds", "+1 %")], times=(times, times))
    assert (judged.outcome, "esp32" in judged.change.why) == ("incomparable", True)

"""The C++ frame codec against the table of cases that it shares with the Python one."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).parents[3] / "firmware" / "lib" / "link" / "cases" / "frames.json"
TABLE = json.loads(CASES.read_text(encoding="utf-8"))
PAYLOAD: int = TABLE["max_payload"]
PAGE = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
GOOD = "".join(re.findall(r"^    wire +([0-9a-f ]+)$", PAGE, re.M)).replace(" ", "")
"""The worked example of the protocol's page."""
GOOD_EVENT = "frame 1 16909060 0101"
Case = dict[str, Any]


def on_device(case: Case) -> list[str]:
    """The events of a case as the device has to see them, in the driver's words."""
    lines = []
    for event in case["events"]:
        if "frame" in event:
            frame = event["frame"]
            lines.append(f"frame {frame['type']} {frame['sequence']} {frame['payload']}")
        elif "rejected" in event:
            lines.append(f"rejected {event['rejected']}")
        elif "device" in event:
            lines.append(f"rejected {event['device']}")
    return lines


def run(driver: Path, commands: list[str]) -> list[list[str]]:
    """Runs the commands in one process and returns the lines that each of them printed."""
    done = subprocess.run([str(driver)], input="\n".join(commands) + "\n", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answers: list[list[str]] = [[]]
    for line in done.stdout.splitlines():
        if line == "ok":
            answers.append([])
        else:
            answers[-1].append(line.rstrip())
    assert len(answers) == len(commands) + 1
    return answers[:-1]


def assert_all(cases: list[Case], got: list[list[str]], wanted: list[list[str]]) -> None:
    wrong = [
        f"{case['name']}: wanted {want}, got {seen}"
        for case, want, seen in zip(cases, wanted, got, strict=True)
        if [line.rstrip() for line in want] != seen
    ]
    assert wrong == []


def test_each_case_alone(link_driver: Path) -> None:
    commands = [line for case in TABLE["cases"] for line in (f"new {PAYLOAD}", f"feed {case['stream']}")]
    got = run(link_driver, commands)[1::2]
    assert_all(TABLE["cases"], got, [on_device(case) for case in TABLE["cases"]])


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        ("03", "cobs"),
        ("010101", "short"),
        ("0a" + "01" * 9, "crc"),
        ("0b" * (PAYLOAD * 2), "oversize"),
    ],
)
def test_each_case_between_garbage_and_good_frames(link_driver: Path, garbage: str, reason: str) -> None:
    around = f"{garbage}00{GOOD}"
    commands = [
        line
        for case in TABLE["cases"]
        for line in (f"new {PAYLOAD}", f"feed {around}", f"feed {case['stream']}00", f"feed {around}")
    ]
    answers = run(link_driver, commands)
    expected = [f"rejected {reason}", GOOD_EVENT]
    assert all(answer == expected for answer in answers[1::4])
    assert all(answer == expected for answer in answers[3::4])
    closed = run(link_driver, [f"new {PAYLOAD}", *(f"feed {case['stream']}00" for case in TABLE["cases"])])
    assert answers[2::4] == closed[1:]


def test_all_cases_through_one_decoder_that_counts_them(link_driver: Path) -> None:
    names = ["frame", "rejected oversize", "rejected cobs", "rejected short", "rejected crc", "rejected type"]
    commands = [f"new {PAYLOAD}", *(f"feed {case['stream']}00" for case in TABLE["cases"]), "counts"]
    answers = run(link_driver, commands)
    events = [line for answer in answers[1:-1] for line in answer]
    counts = [sum(line.startswith(name) for line in events) for name in names]
    assert answers[-1] == [f"counts {' '.join(map(str, counts))}"]
    assert all(counts)


def test_a_case_does_not_depend_on_where_its_bytes_are_cut(link_driver: Path) -> None:
    cases = [case for case in TABLE["cases"] if len(case["stream"]) <= 400]
    commands = []
    for case in cases:
        stream = case["stream"]
        commands.append(f"new {PAYLOAD}")
        commands += [f"feed {stream[at : at + 2]}" for at in range(0, len(stream), 2)]
    answers = iter(run(link_driver, commands))
    got = []
    for case in cases:
        next(answers)
        got.append([line for _ in range(len(case["stream"]) // 2) for line in next(answers)])
    assert_all(cases, got, [on_device(case) for case in cases])


def test_encoder_writes_the_stream_of_each_case_that_encodes(link_driver: Path) -> None:
    cases = [case for case in TABLE["cases"] if case["encodes"]]
    frames = [case["events"][0]["frame"] for case in cases]
    got = run(link_driver, [f"encode {frame['type']} {frame['sequence']} {frame['payload']}" for frame in frames])
    assert_all(cases, got, [[f"wire {case['stream']}"] for case in cases])


def test_requests_that_are_not_as_long_as_their_message_are_refused(link_driver: Path) -> None:
    """Their CRC holds, so only who takes them apart can tell."""
    judged = [case for case in TABLE["cases"] if "sound" in case and case["events"][0]["frame"]["type"] < 0x80]
    assert {case["sound"] for case in judged} == {True, False}
    frames = [case["events"][0]["frame"] for case in judged]
    got = run(link_driver, [f"parse {frame['type']} {frame['payload']}" for frame in frames])
    assert_all(judged, got, [["sound" if case["sound"] else "unsound"] for case in judged])


def test_crc_check_value(link_driver: Path) -> None:
    assert run(link_driver, [f"crc {b'123456789'.hex()}", "crc "]) == [[f"crc {0xCBF43926}"], ["crc 0"]]


@pytest.mark.parametrize("payload", [0, 1, 64, 245, 246, 4096])
def test_limit_of_other_decoders(link_driver: Path, payload: int) -> None:
    fits = run(link_driver, [f"encode 3 9 {'ab' * payload}"])[0][0].removeprefix("wire ")
    over = run(link_driver, [f"encode 3 9 {'ab' * (payload + 1)}"])[0][0].removeprefix("wire ")
    got = run(link_driver, [f"new {payload}", f"feed {fits}", f"feed {over}"])
    assert got[1:] == [[f"frame 3 9 {'ab' * payload}".rstrip()], ["rejected oversize"]]


def test_table_is_well_formed() -> None:
    names = [case["name"] for case in TABLE["cases"]]
    assert len(set(names)) == len(names)
    for case in TABLE["cases"]:
        assert set(case) - {"sound"} == {"name", "about", "stream", "events", "encodes"}, case["name"]
        assert bytes.fromhex(case["stream"]).hex() == case["stream"]
        if case["encodes"]:
            assert len(case["events"]) == 1, case["name"]
        for event in case["events"]:
            assert set(event) in ({"frame"}, {"rejected"}, {"text"}, {"text", "device"}), case["name"]
    reasons = {event.get("rejected") for case in TABLE["cases"] for event in case["events"]}
    assert {"oversize", "cobs", "short", "crc", "type"} <= reasons

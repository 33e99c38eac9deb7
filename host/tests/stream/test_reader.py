"""Numbers are found in what people's sketches print, and in nothing else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.stream.reader import Reader
from tinyhil.stream.reading import LONGEST_NAME, Format, Reading

KINDS: dict[str, tuple[Format, list[str], list[dict[str, float]]]] = {
    "the demo of a tinyhil sketch": (
        Format.PAIRS,
        ["x:1.2345 y:-0.9876", "x:1.5000 y:0.2500"],
        [{"x": 1.2345, "y": -0.9876}, {"x": 1.5, "y": 0.25}],
    ),
    "Arduino plotter, commas": (
        Format.PAIRS,
        ["min:0,sensor:512,max:1023"] * 2,
        [{"min": 0, "sensor": 512, "max": 1023}] * 2,
    ),
    "Arduino plotter, tabs and names with spaces": (
        Format.PAIRS,
        ["Label 1:3\tLabel 2:4", "Label 1:5\tLabel 2:6"],
        [{"Label 1": 3, "Label 2": 4}, {"Label 1": 5, "Label 2": 6}],
    ),
    "Arduino, label once and then values": (Format.COLUMNS, ["Light:", "512", "513"], [{"Light": 512}, {"Light": 513}]),
    "Arduino, labels once and then values": (
        Format.COLUMNS,
        ["a:\tb:", "1\t2", "3\t4"],
        [{"a": 1, "b": 2}, {"a": 3, "b": 4}],
    ),
    "one analogRead a line": (Format.COLUMNS, ["512", "513", "514"], [{"value": 512}, {"value": 513}, {"value": 514}]),
    "Adafruit's DHT example": (
        Format.PAIRS,
        ["Humidity: 44.00%  Temperature: 22.10°C 71.78°F  Heat index: 21.50°C 70.70°F"] * 2,
        [
            {
                "Humidity": 44.0,
                "Temperature": 22.1,
                "Temperature (°F)": 71.78,
                "Heat index": 21.5,
                "Heat index (°F)": 70.7,
            }
        ]
        * 2,
    ),
    "the older one, with *C": (
        Format.PAIRS,
        ["Humidity: 40.00 %\tTemperature: 23.50 *C"] * 2,
        [{"Humidity": 40.0, "Temperature": 23.5}] * 2,
    ),
    "spaces between pairs and in names": (
        Format.PAIRS,
        ["Label 1:3 Label 2:4", "Label 1:5 Label 2:6"],
        [{"Label 1": 3, "Label 2": 4}, {"Label 1": 5, "Label 2": 6}],
    ),
    "equals signs": (Format.PAIRS, ["rpm = 1200, duty = 35 %"] * 2, [{"rpm": 1200, "duty": 35}] * 2),
    "words among the values": (Format.PAIRS, ["state:RUN,temp:21.5"] * 2, [{"temp": 21.5}] * 2),
    "CSV without header": (
        Format.COLUMNS,
        ["1,2.5,-3", "2,2.25,-4"],
        [{"column 1": 1, "column 2": 2.5, "column 3": -3}, {"column 1": 2, "column 2": 2.25, "column 3": -4}],
    ),
    "CSV with header": (
        Format.COLUMNS,
        ["millis,temp (C),hum [%]", "10,21.5,40", "20,21.6,41"],
        [{"millis": 10, "temp": 21.5, "hum": 40}, {"millis": 20, "temp": 21.6, "hum": 41}],
    ),
    "CSV as Excel has it in Germany": (
        Format.COLUMNS,
        ["zeit;spannung", "1,5;3,25", "2,5;3,5"],
        [{"zeit": 1.5, "spannung": 3.25}, {"zeit": 2.5, "spannung": 3.5}],
    ),
    "CSV with a comma at the end": (
        Format.COLUMNS,
        ["1,2,", "3,4,"],
        [{"column 1": 1, "column 2": 2}, {"column 1": 3, "column 2": 4}],
    ),
    "tabs": (Format.COLUMNS, ["ax\tay\taz", "0.01\t-0.02\t9.81"], [{"ax": 0.01, "ay": -0.02, "az": 9.81}]),
    "Serial Studio": (
        Format.COLUMNS,
        ["/*1,2*/", "/*3,4*/"],
        [{"column 1": 1, "column 2": 2}, {"column 1": 3, "column 2": 4}],
    ),
    "Teleplot": (Format.TELEPLOT, [">temp:21.5"], [{"temp": 21.5}]),
    "Teleplot with unit and flags": (Format.TELEPLOT, [">dist:12.5§km²|np,g"], [{"dist": 12.5}]),
    "Teleplot with time": (Format.TELEPLOT, [">v:1627551892437:1234"], [{"v": 1234}]),
    "Teleplot's curve": (Format.TELEPLOT, [">path:1.5:-2|xy"], [{"path.x": 1.5, "path.y": -2}]),
    "JSON": (
        Format.JSON,
        ['{"imu":{"x":1.5,"y":-2},"ok":true,"name":"a","adc":[1,2]}'],
        [{"imu.x": 1.5, "imu.y": -2, "ok": 1, "adc[0]": 1, "adc[1]": 2}],
    ),
    "ESP-IDF's log": (
        Format.PAIRS,
        ["I (1234) app: temp=21.5 hum=40", "W (2234) app: temp=22.5 hum=41"],
        [{"temp": 21.5, "hum": 40}, {"temp": 22.5, "hum": 41}],
    ),
    "the Arduino IDE's time of day": (
        Format.PAIRS,
        ["12:34:56.789 -> x:1.5", "12:34:57.789 -> x:2.5"],
        [{"x": 1.5}, {"x": 2.5}],
    ),
    "words between the values": (
        Format.COLUMNS,
        ["Sensor is ready.", "512", "loop", "513", "done: next round!", "514"],
        [{"value": 512}, {"value": 513}, {"value": 514}],
    ),
}


def values(readings: list[Reading]) -> list[dict[str, float]]:
    return [dict(zip(each.names, each.values, strict=True)) for each in readings]


def read(lines: list[str], reader: Reader | None = None) -> list[Reading]:
    reader = reader or Reader()
    return [reading for line in lines for reading, _, _ in reader.read(line)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_people_s_sketches_print(kind: str) -> None:
    form, lines, expected = KINDS[kind]
    readings = read(lines)
    assert values(readings) == expected
    assert {reading.format for reading in readings} == {form}


@pytest.mark.parametrize("kind", KINDS)
def test_lines_that_go_on_are_read_alike(kind: str) -> None:
    """The pattern that most lines are read by has the result of the first look at a line."""
    _, lines, expected = KINDS[kind]
    assert values(read([*lines, lines[-1] + "\r"]))[-1] == expected[-1]
    assert values(read([*lines, lines[-1]] * 3))[-1] == expected[-1]


@pytest.mark.parametrize(
    "line",
    [
        "Connected to 192.168.1.5:80",
        "Time: 12:30:45",
        "12:30",
        "2024-01-02",
        "load:0x3fff0030,len:1184",
        "entry 0x400805f0",
        "ets Jul 29 2019 12:21:46",
        "rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)",
        "x:1.2x:1.3 y:0.5",
        "temp: nano",
        "temp: ",
        "x:1 x:2",
        "{not json}",
        "{TIMEPLOT|data|My series|T|23}",
        '{"a": ',
        ">:text",
        ">name",
        ">name:text|t",
        "1,,2",
        "1,two,3",
        "\x1b[2J",
        "",
        " ",
        "\0",
        "version 1.2.3",
        "range: 1-5",
    ],
)
def test_what_has_no_numbers_to_draw(line: str) -> None:
    assert read([line] * 4) == []


def test_what_comes_once_is_no_series() -> None:
    assert read(["load:1", "clock div:1", "7", "x:1 y:2", "x:3 y:4"])[0].names == ("x", "y")


def test_what_is_kept_has_its_own_time_and_line() -> None:
    for lines in (["x:1", "hello", "x:2"], ["1", "hello", "2"]):
        reader = Reader()
        found = [each for number, line in enumerate(lines) for each in reader.read(line, number / 2, number)]
        assert [(reading.values, at, line) for reading, at, line in found] == [((1,), 0.0, 0), ((2,), 1.0, 2)]


def test_the_first_of_a_kind_is_kept() -> None:
    assert values(read(["x:1", "hello", "x:2"])) == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nan", math.nan),
        ("-inf", -math.inf),
        ("ovf", math.inf),
        ("-ovf", -math.inf),
        ("1e3", 1000),
        ("+.5", 0.5),
        ("3.", 3),
    ],
)
def test_numbers_as_they_are_printed(text: str, value: float) -> None:
    for lines in ([f"x:{text}"] * 2, [text] * 2, [f">x:{text}"]):
        (found,) = read(lines)[-1].values
        assert found == value or (math.isnan(found) and math.isnan(value))


def test_units_are_kept() -> None:
    assert read(["T: 23.5 C, p: 1.5 bar"] * 2)[0].units == ("C", "bar")
    assert read(["a (mV),b", "1,2"])[0].units == ("mV", "")
    assert read([">d:1§m/s²"])[0].units == ("m/s²",)


def test_times_of_the_device() -> None:
    (reading,) = read([">v:1000:1.5;1010:1.7"])
    assert (reading.names, reading.values, reading.times) == (("v", "v"), (1.5, 1.7), (1.0, 1.01))
    (reading,) = read([">p:1:2:3000|xy"])
    assert reading.times == (3.0, 3.0)
    assert reading.curve


def test_a_line_that_lacks_its_beginning_is_not_read() -> None:
    reader = Reader(torn=True)
    assert values(read(["2345 y:0.5", "x:1 y:2", "x:3 y:4"], reader)) == [{"x": 1, "y": 2}, {"x": 3, "y": 4}]
    reader.torn()
    assert values(read(["5 y:2", "x:5 y:6"], reader)) == [{"x": 5, "y": 6}]


def test_a_row_that_lacks_its_beginning_would_be_a_wrong_number() -> None:
    reader = Reader(torn=True)
    assert [each.values for each in read(["34,5", "1234,6", "1235,7"], reader)] == [(1234, 6), (1235, 7)]
    reader.torn()
    assert [each.values for each in read(["36,8", "1237,9"], reader)] == [(1237, 9)]


def test_a_row_that_lost_a_column_is_left_out() -> None:
    reader = Reader()
    assert len(read(["1,2,3", "1,2,3", "1,2", "1,2,3", "1,2", "1,2", "1,2,3"], reader)) == 4
    assert reader.unread == 3


def test_a_sketch_that_prints_other_columns_from_now_on() -> None:
    assert [len(each.values) for each in read(["1,2,3"] * 2 + ["1,2"] * 4)] == [3, 3, 2, 2, 2]


def test_a_header_that_comes_again_renames_the_columns() -> None:
    found = read(["a,b", "1,2", "3,4", "c,d", "5,6", "7,8"])
    assert [each.names for each in found] == [("a", "b")] * 2 + [("c", "d")] * 2


def test_a_sentence_is_no_header_of_columns_that_are_known() -> None:
    assert {each.names for each in read(["1 2", "1 2", "hello world", "1 2"])} == {("column 1", "column 2")}


@given(st.data())
def test_bytes_that_got_lost_make_no_other_series(data: st.DataObject) -> None:
    whole = "temp:12.5 hum:40.25\ntemp:13.5 hum:41.25"
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, len(whole)))
    reader = Reader()
    read(["temp:1 hum:2", "temp:3 hum:4"], reader)
    for line in (whole[:begin] + whole[end:]).split("\n"):
        for reading in read([line], reader):
            assert reading.names == ("temp", "hum")


def test_two_kinds_of_lines_in_turn() -> None:
    found = read(["x:1 y:2", "5,6"] * 3)
    assert sorted(each.format.value for each in found) == ["columns"] * 3 + ["name:value"] * 3


def test_kinds_that_come_in_turn_do_not_crowd_each_other_out() -> None:
    reader = Reader()
    lines = ["x:1 y:2", "loop", "5,6"]
    assert len(read(lines * 30, reader)) == 60
    assert len(reader._layouts) == 2


def test_names_are_safe_to_show() -> None:
    for line in ('{"a\\u001b[2J%s": 1}' % ("b" * 200), ">\x1b[31m" + "b" * 200 + ":1"):
        (name,) = read([line])[0].names
        assert "\x1b" not in name
        assert len(name) <= LONGEST_NAME


@given(st.lists(st.text(st.sampled_from('xy12.:,; \t-+e[]{}">|§°n\x1b\r')), max_size=12))
def test_noise_is_read_without_complaint(lines: list[str]) -> None:
    reader = Reader()
    for line in lines:
        for reading, _, _ in reader.read(line):
            assert len(reading.names) == len(reading.values)
            assert len(reading.units) in (0, len(reading.names))
            assert len(reading.times) in (0, len(reading.names))


FLOATS = st.floats(width=32)


@given(
    st.lists(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True), min_size=1, max_size=5, unique=True),
    st.data(),
    st.sampled_from([" ", ",", ", ", "\t", ";"]),
    st.sampled_from([":", ": ", "=", " = "]),
)
def test_pairs_are_read_as_they_were_printed(names: list[str], data: st.DataObject, between: str, colon: str) -> None:
    rows = data.draw(st.lists(st.lists(FLOATS, min_size=len(names), max_size=len(names)), min_size=2, max_size=5))
    lines = [between.join(f"{name}{colon}{value!r}" for name, value in zip(names, row, strict=True)) for row in rows]
    assert repr([list(each.values) for each in read(lines)]) == repr(rows)


@given(st.data(), st.integers(1, 6), st.sampled_from([" ", ",", ", ", "\t", ";"]))
def test_columns_are_read_as_they_were_printed(data: st.DataObject, count: int, between: str) -> None:
    rows = data.draw(st.lists(st.lists(FLOATS, min_size=count, max_size=count), min_size=2, max_size=5))
    lines = [between.join(map(repr, row)) for row in rows]
    assert repr([list(each.values) for each in read(lines)]) == repr(rows)

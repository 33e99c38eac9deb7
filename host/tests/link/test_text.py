"""When text is passed on: as early as possible, but never out of the middle of a frame."""

from __future__ import annotations

from tinyhil.link.frames import ANSWER_TYPES, FrameDecoder, Reason, Rejected, Text
from tinyhil.link.text import LONGEST_LINE

NOISE = b"\x05\x06"


def lines(*data: bytes) -> list[Text]:
    return [Text(line) for line in data]


def test_a_line_does_not_wait_for_the_delimiter() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"boo") == []
    assert decoder.feed(b"ted\nrea") == lines(b"booted\n")
    assert decoder.feed(b"dy\n") == lines(b"ready\n")


def test_text_ends_at_the_first_byte_that_is_none() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"one\ntwo" + NOISE + b"three\n") == lines(b"one\n")
    assert decoder.feed(b"four\n\0") == [Rejected(Reason.COBS)]
    assert decoder.feed(b"five\n") == lines(b"five\n")


def test_blank_lines_and_other_encodings_do_not_wait_either() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"\r\n\n") == lines(b"\r\n", b"\n")
    latin_1 = "größe\n".encode("latin-1")
    assert decoder.feed(latin_1) == lines(latin_1)
    assert Text(latin_1).text == "gr\ufffd\ufffde\n"


def test_a_chunk_is_not_judged_by_its_first_byte() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"\n") == []
    assert decoder.feed(b"a") == lines(b"\n")


def test_text_that_may_be_an_answer_comes_when_the_chunk_ends() -> None:
    decoder = FrameDecoder()
    kana = "かな\n".encode()
    assert kana[1] in ANSWER_TYPES
    assert decoder.feed(kana + b"ready\nand") == []
    assert decoder.feed(b"\0") == lines(kana, b"ready\n", b"and")


def test_text_that_may_be_an_answer_comes_once_the_chunk_is_longer_than_a_frame() -> None:
    decoder = FrameDecoder(max_payload=64)
    kana = "かな\n".encode()
    passed = []
    for _ in range(30):
        passed += decoder.feed(kana)
    assert passed == lines(kana) * 30


def test_an_endless_line_comes_in_pieces() -> None:
    decoder = FrameDecoder(max_payload=64)
    assert decoder.feed(b"a" * (LONGEST_LINE + 1)) == lines(b"a" * LONGEST_LINE)
    assert decoder.feed(b"b\0") == lines(b"ab")


def test_text_longer_than_any_frame_is_text() -> None:
    decoder = FrameDecoder(max_payload=64)
    assert decoder.feed(b"a" * 300 + b"\0") == lines(b"a" * 300)

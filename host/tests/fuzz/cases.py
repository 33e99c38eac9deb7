"""Streams for the differential fuzzer: what a wire may carry, with a preference for what is hard to judge.

Random bytes alone are boring: nearly all of them are no COBS, and one in four thousand million has its CRC. So most
cases are sound frames, or sound frames with one thing wrong: a bit, a byte more or less, a lost delimiter, a type that
does not exist, a body that is too short or too long by little, a second encoding of the same body, blocks that are full
or nearly full. Between them stand text, and garbage made of few different bytes.

Everything follows from the seed of the generator, so a seed is enough to see a stream again.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

from tinyhil.link import cobs
from tinyhil.link.frames import ANSWER_TYPES, FRAME_TYPES

PAYLOAD_LIMITS = [0, 1, 16, 64, 64, 100, 100, 128, 244, 245, 246, 247, 498, 499, 500, 520, 520, 1024, 4096]
"""Largest payloads of decoders: small ones mostly, because an oversize chunk is then short; some make a body of the
largest size as long as one COBS block or two, one less or one more."""

_TYPES = sorted(FRAME_TYPES)
_OTHER_TYPES = sorted(set(range(256)) - FRAME_TYPES)
_NO_ZERO = bytes(max(byte, 1) for byte in range(256))
_RUNS = [0, 0, 0, 1, 2, 3, 5, 8, 13, 240, 252, 253, 254, 255, 256, 507, 508, 509]
# Tables that make few different bytes out of random ones.
_ALPHABETS = [
    bytes(letters[byte % len(letters)] for byte in range(256))
    for letters in (
        b"\0\1",
        b"\1\2",
        b"\1\2\3\4\0",
        b"\0\xff",
        b"\1\xfe\xff",
        b"\x0a\x0d\x81\x83 ",
        bytes(range(0x7E, 0x92)),
    )
]
_TEXT = bytes(byte if byte in b"\t\n\r\x1b" or (byte >= 0x20 and byte != 0x7F) else 0x41 for byte in range(256))
_WORDS = [
    "boot",
    "ok",
    "\n",
    "\n",
    "\r\n",
    "\t",
    " ",
    "größe",
    "かな",
    "\x1b[1m",
    "0123456789" * 3,
    "\n\n",
    " \n",
    "a\n",
]
_SEQUENCES = [0, 1, 0xFF, 0x100, 0xFFFF0000, 0x00FF00FF, 0xFFFFFFFF]


class Cases:
    """Makes streams.

    Args:
        seed: of all that follows.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.max_payload = self._random.choice(PAYLOAD_LIMITS)
        kinds: list[tuple[int, Callable[[], bytes]]] = [
            (30, self._frame),
            (30, self._damaged),
            (5, self._block_frame),
            (5, self._text_frame),
            (4, self._second_encoding),
            (4, self._other_type),
            (4, self._short),
            (5, self._near_limit),
            (1, self._oversize),
            (8, self._text),
            (8, self._garbage),
            (2, self._blocks),
        ]
        self._kinds = [kind for _, kind in kinds]
        self._weights = [weight for weight, _ in kinds]

    def pieces(self, count: int) -> list[bytes]:
        """That many pieces of a stream, most of them with their delimiters; a zero ends the last one."""
        chosen = self._random.choices(self._kinds, self._weights, k=count)
        return [*(kind() for kind in chosen), b"\0"]

    def cuts(self, length: int) -> list[int]:
        """Where to cut a stream of ``length`` bytes for the host's decoder, ends included."""
        count = self._random.choice([0, 1, 8, length // 64])
        return [0, *sorted(self._random.choices(range(length + 1), k=count)), length]

    def _sequence(self) -> int:
        return self._random.getrandbits(32) if self._random.random() < 0.8 else self._random.choice(_SEQUENCES)

    def _bytes(self, size: int) -> bytes:
        made = self._random.randbytes(size)
        what = self._random.random()
        if what < 0.4:
            return made
        if what < 0.6:
            return made.translate(_NO_ZERO)
        return made.translate(self._random.choice(_ALPHABETS)) if what < 0.9 else bytes(size)

    def _small(self) -> bytes:
        return self._bytes(min(self._random.randrange(28), self.max_payload))

    def _wire(self, kind: int, sequence: int, payload: bytes) -> bytes:
        body = struct.pack("<BI", kind, sequence) + payload
        return b"\0" + cobs.encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0"

    def _frame(self) -> bytes:
        return self._wire(self._random.choice(_TYPES), self._sequence(), self._small())

    def _other_type(self) -> bytes:
        return self._wire(self._random.choice(_OTHER_TYPES), self._sequence(), self._small())

    def _short(self) -> bytes:
        """A body of up to 8 bytes, with the CRC of what it has."""
        checked = self._bytes(self._random.randrange(5))
        body = checked + struct.pack("<I", zlib.crc32(checked))
        return b"\0" + cobs.encode(body if self._random.random() < 0.7 else body[: self._random.randrange(4)]) + b"\0"

    def _near_limit(self) -> bytes:
        """A frame as long as this decoder takes, or nearly; or with its last code wrong."""
        size = max(self.max_payload + self._random.randrange(-3, 4), 0)
        payload = bytes(size) if self._random.random() < 0.4 else self._random.randbytes(size).translate(_NO_ZERO)
        wire = self._wire(self._random.choice(_TYPES), self._sequence(), payload)
        if self._random.random() < 0.3:
            code = 1 + (len(wire) - 3) // 255 * 255
            return wire[:code] + bytes([wire[code] % 255 + 1]) + wire[code + 1 :]
        return wire

    def _oversize(self) -> bytes:
        size = self.max_payload + self._random.randrange(1, 600)
        if self._random.random() < 0.5:
            return self._wire(self._random.choice(_TYPES), self._sequence(), self._bytes(size))
        return self._bytes(size).translate(_NO_ZERO) + b"\0"

    def _run(self) -> bytes:
        size = self._random.choice(_RUNS)
        return self._random.randbytes(min(size, self.max_payload + 9)).translate(_NO_ZERO)

    def _block_frame(self) -> bytes:
        """A frame whose blocks are empty, full, or one byte away from it."""
        payload = b"\0".join(self._run() for _ in range(self._random.randrange(1, 4)))
        if self._random.random() < 0.3:
            # Header, payload and CRC together make full blocks, if no zero comes by chance.
            payload = self._random.randbytes(self._random.choice([244, 245, 246, 499])).translate(_NO_ZERO)
        sequence = self._sequence() | 0x01010101
        return self._wire(self._random.choice(_TYPES), sequence, payload[: self.max_payload])

    def _second_encoding(self) -> bytes:
        """A sound frame that ends with a full block, and an empty block behind it."""
        size = 245 + 254 * self._random.randrange(2)
        payload = self._random.randbytes(size).translate(_NO_ZERO)
        wire = self._wire(self._random.choice(_TYPES), self._sequence() | 0x01010101, payload)
        return wire[:-1] + b"\1\0" if self._random.random() < 0.8 else wire

    def _text_frame(self) -> bytes:
        """A frame whose encoding is likely to consist of text bytes only."""
        type_ = self._random.choice([*ANSWER_TYPES, 0x09, 0x0A, 0x0D])
        sequence = int.from_bytes(self._random.randbytes(4).translate(_TEXT), "little")
        # The code byte of the only block is the length and 10.
        size = min(self._random.choice([0, 3, *range(0x16, 0x60)]), self.max_payload)
        payload = self._random.randbytes(size).translate(_TEXT)
        return self._wire(type_, sequence, payload)

    def _text(self) -> bytes:
        words = "".join(self._random.choices(_WORDS, k=self._random.randrange(1, 12))).encode()
        what = self._random.random()
        if what < 0.2:
            words = self._random.randbytes(len(words)).translate(_TEXT)
        elif what < 0.3:
            words = words[:1] + bytes([self._random.choice(_TYPES)]) + words[1:]
        elif what < 0.4:
            words = bytes([min(len(words), 254) + 1]) + words
        elif what < 0.43:
            words *= self._random.randrange(1, 2 + (self.max_payload + 64) // len(words) * 2)
        return words + b"\0" if self._random.random() < 0.8 else words

    def _garbage(self) -> bytes:
        return self._bytes(self._random.randrange(1, 40)) + b"\0"

    def _blocks(self) -> bytes:
        """Sound COBS of no frame, or nearly sound."""
        blocks = [self._run() for _ in range(self._random.randrange(1, 4))]
        wrong = self._random.choice([0, 0, 1, -1])
        row = b"".join(bytes([(min(len(block), 254) + 1 + wrong) % 256 or 1]) + block[:254] for block in blocks)
        return row + b"\0"

    def _damaged(self) -> bytes:
        """A sound frame to which something has happened on the way."""
        random_ = self._random
        wire = self._frame() if random_.random() < 0.95 else self._block_frame()
        at = random_.randrange(len(wire))
        what = random_.randrange(8)
        if what < 2:
            return wire[:at] + bytes([wire[at] ^ (1 << random_.randrange(8))]) + wire[at + 1 :]
        if what == 2:
            return wire[:at] + wire[at + 1 :]
        if what == 3:
            return wire[: at + 1] + wire[at:]
        if what == 4:
            return wire[:at] + random_.randbytes(random_.randrange(1, 4)) + wire[at:]
        if what == 5:
            return wire[:at]
        if what == 6:
            return wire[at:]
        return wire[1:-1] if random_.random() < 0.5 else wire[:-1]

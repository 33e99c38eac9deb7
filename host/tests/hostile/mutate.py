"""Makes hostile files of good ones: by their bytes, and by what they consist of. The same for the same seed."""

from __future__ import annotations

import io
import json
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

Mutator = Callable[[random.Random, bytes], bytes]

NUMBERS = (
    0,
    1,
    -1,
    2,
    7,
    127,
    128,
    255,
    256,
    32767,
    65535,
    65536,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    -(2**31),
)
TEXTS = (
    "",
    "x",
    "../../x",
    "/etc/passwd",
    "a\x00b",
    "\x1b[31m",
    "\u202e",
    "x" * 5000,
    "NaN",
    "\ud800",
    "1" * 5000,
    "..\\x",
)
_DEEP = 3000
_RECORD, _CRC = struct.Struct("<IB"), struct.Struct("<I")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def by_bytes(rng: random.Random, data: bytes) -> bytes:
    """One to four changes of bytes, wherever they are."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(made) + 1)
        end = min(len(made), at + rng.choice((1, 1, 2, 4, 8, 64)))
        kind = rng.randrange(8)
        if kind == 0 and at < len(made):
            made[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(made):
            made[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif kind == 2:
            made[at:end] = (rng.choice(NUMBERS) % 2**64).to_bytes(8, "little")[: end - at]
        elif kind == 3:
            del made[at:end]
        elif kind == 4:
            made[at:at] = made[at:end]
        elif kind == 5:
            made[at:at] = rng.randbytes(rng.randrange(16))
        elif kind == 6:
            del made[at:]
        else:
            made[at:end] = bytes(end - at)
    return bytes(made)


def zipped(member: Mutator) -> Mutator:
    """Of a zip archive: its bytes, a member with a CRC that is right again, names, methods and sizes."""

    def mutate(rng: random.Random, data: bytes) -> bytes:
        if rng.random() < 0.3:
            return by_bytes(rng, data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
        place = rng.randrange(len(parts))
        name, content = parts[place]
        kind = rng.randrange(6)
        if kind <= 1:
            parts[place] = (name, member(rng, content))
        elif kind == 2:
            parts[place] = (rng.choice((name.removesuffix(".npy"), f"../{name}", f"/{name}", *TEXTS)), content)
        elif kind == 3:
            parts.append((rng.choice((name, name.removesuffix(".npy"), f"{name}.npy", "x")), member(rng, content)))
        elif kind == 4:
            del parts[place]
        else:
            parts += [(f"more{number}", b"") for number in range(rng.choice((10, 2000)))]
        # LZMA takes 5 ms to begin with each.
        made = _zip(parts, zipfile.ZIP_STORED if len(parts) > 100 else rng.choice(_METHODS))
        return _lie(rng, made) if rng.random() < 0.2 else by_bytes(rng, made) if rng.random() < 0.2 else made

    return mutate


def _zip(parts: list[tuple[str, bytes]], method: int) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a name is there twice
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, content in parts:
                archive.writestr(name.encode("utf-8", "replace").decode() or "x", content)
    return stream.getvalue()


def _lie(rng: random.Random, data: bytes) -> bytes:
    """Another size, method or flag in the directory of an archive."""
    made, at = bytearray(data), data.find(b"PK\x01\x02")
    field, size = rng.choice(((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (38, 4), (42, 4)))
    made[at + field : at + field + size] = (rng.choice(NUMBERS) % 2**32).to_bytes(8, "little")[:size]
    return bytes(made)


def array(rng: random.Random, data: bytes) -> bytes:
    """Of an .npy file: another header of the right length, or its bytes."""
    if rng.random() < 0.3 or not data.startswith(b"\x93NUMPY"):
        return by_bytes(rng, data)
    shape = rng.choice(
        (
            "()",
            "(True,)",
            "(2, True)",
            f"({2**40},)",
            f"({10**18}, 0)",
            "(-1,)",
            "3",
            "('a',)",
            "(1.0,)",
            f"({'9' * 5000},)",
            f"({'(' * _DEEP}",
            "(5,)",
            "None",
            "[3]",
        )
    )
    descr = rng.choice(
        ("'<f4'", "'|O'", "'<f8'", "'|b1'", "'<U9'", "'>i4'", "'<M8[s]'", "[('a', '<f4')]", "('<f4', (3,))", "7")
    )
    order = rng.choice(("False", "True", "2", "None"))
    head = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    version = rng.choice(((1, 0), (1, 0), (2, 0), (3, 0), (9, 9)))
    size = (
        len(head).to_bytes(2 if version == (1, 0) else 4, "little", signed=False) if len(head) < 65536 else b"\xff\xff"
    )
    return b"\x93NUMPY" + bytes(version) + size + head + data[-rng.randrange(1, 64) :]


def text(rng: random.Random, data: bytes) -> bytes:
    """Of TOML and CSV: values, lines and characters."""
    if rng.random() < 0.3:
        return by_bytes(rng, data)
    lines = data.decode("utf-8", "replace").splitlines()
    at = rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, rng.choice(lines))
    else:
        value = rng.choice(_VALUES)
        lines[at] = re.sub(r"=.*|[^,]*$", lambda _: f"= {value}" if "=" in lines[at] else value, lines[at], count=1)
    return "\n".join(lines).encode("utf-8", "replace")


_VALUES = (
    "[" * _DEEP, "{a=" * _DEEP, "9" * 5000, "-1", "0", "true", "nan", "inf", "1e999", "2020-13-45", "''", "[1, 'a']",
    '"../x.py"', '"/etc/passwd.py"', "[]", "{}", '"' + "x" * 5000 + '"', str(2**70), "0x" + "f" * 5000,
    '"\\u001b[2J"', '"a\\u0000b"',
)  # fmt: skip


def tree(rng: random.Random, data: bytes) -> bytes:
    """Of JSON: values and keys; a third of it by its bytes."""
    if rng.random() < 0.3:
        return by_bytes(rng, data)
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        return by_bytes(rng, data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(whole))
        if not places:
            break
        holder, key = rng.choice(places)
        if isinstance(holder, dict) and rng.random() < 0.15:
            del holder[key]
        elif rng.random() < 0.1:
            holder[key] = "@deep@"
        else:
            holder[key] = rng.choice((*NUMBERS, *TEXTS, 1e308, 0.5, None, True, [], {}, [[]], 2**70))
    made = json.dumps(whole).replace('"@deep@"', rng.choice(("[" * _DEEP + "]" * _DEEP, "9" * 5000, "[" * 100_000)))
    return made.encode("utf-8", "replace")


def _places(value: Any) -> Any:
    keys: Any = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def records(head: Mutator) -> Mutator:
    """Of recordings and journals: records, each with a CRC that is right again; ``head`` changes the first one."""

    def mutate(rng: random.Random, data: bytes) -> bytes:
        if rng.random() < 0.2:
            return by_bytes(rng, data)
        found, at = [], 0
        while at + _RECORD.size <= len(data):
            length, kind = _RECORD.unpack_from(data, at)
            found.append((kind, data[at + _RECORD.size : at + _RECORD.size + length]))
            at += _RECORD.size + length + _CRC.size
        for _ in range(rng.choice((1, 1, 3))):
            place = rng.choice((0, 1, 2, rng.randrange(len(found)))) % len(found)
            kind, body = found[place]
            what = rng.randrange(6)
            if what <= 1:
                found[place] = (kind, head(rng, body) if place == 0 else by_bytes(rng, body))
            elif what == 2:
                found[place] = (rng.choice((kind, 1, 2, 3, *range(16, 24), 255)), body)
            elif what == 3:
                found[place] = (kind, body[: rng.randrange(24)])
            elif what == 4 and len(found) > 1:
                del found[place]
            else:
                special = struct.pack("<d", rng.choice((float("nan"), float("inf"), -1e300, 0.0)))
                found[place] = (kind, special + body[8:])
        return b"".join(map(_packed, *zip(*found, strict=True)))

    return mutate


def _packed(kind: int, body: bytes) -> bytes:
    data = _RECORD.pack(len(body), kind) + body
    return data + _CRC.pack(zlib.crc32(data))

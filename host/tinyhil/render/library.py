"""The same files as a library for a project of the user's own, which PlatformIO and the Arduino IDE take.

::

    tinyhil/library.json, library.properties   what PlatformIO, and the Arduino IDE, read of it
    tinyhil/tinyhil.ini                        the target, for the user's platformio.ini to extend
    tinyhil/src/tinyhil.h                      the header that a sketch includes
    tinyhil/src/tinyhil/                       everything else that is compiled, in one folder
    tinyhil/tinyhil_port/, tinyhil/platforms/  linker scripts and platform, for targets that have them
    emulator/                                  as in a project

The Arduino IDE gives a library one include folder, ``src``, and no compiler flags. So the sources lie in one folder,
where they find each other and no sketch finds them by chance; and what a target says by macros is in a header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from tinyhil import templates
from tinyhil.targets.model import Engine

NAME = "tinyhil"
"""Of the library's folder, and of the one of its sources."""
LINES = (
    ("at the top", f"#include <{NAME}.h>"),
    ("in setup()", "tinyhil_setup();"),
    ("in loop()", "if (tinyhil_poll()) return;"),
)
"""What a sketch needs, and where."""
SKETCH = "sketch"
"""Folder of what a sketch calls, in firmware/lib."""
HEADER = f"{NAME}.h"
_CONFIG = "tinyhil_config.h"
_PORT = "lib/tinyhil_port/"
_CONFIGURED = (_PORT, "lib/tinyhil_server/")
"""Where sources are told by macros what a project is told by flags, and what only a library has."""
_SOURCES = (".c", ".cpp", ".h")
_TOLD = ".txt"
"""Licenses."""
_INCLUDE = re.compile(rb'^([ \t]*#[ \t]*include[ \t]*)"([^"\n]+)"', re.MULTILINE)
_MACRO = re.compile(r"-D(TINYHIL_\w+)(?:=(.*))?")


def macros(flags: Iterable[str]) -> dict[str, str]:
    """The macros of tinyhil's own among compiler flags: name and value."""
    found = (_MACRO.fullmatch(flag) for flag in flags)
    return {match[1]: match[2] or "1" for match in found if match}


def other_flags(flags: Iterable[str]) -> list[str]:
    """The compiler flags that are no such macros."""
    return [flag for flag in flags if not _MACRO.fullmatch(flag)]


def lay_out(files: dict[str, bytes], context: dict[str, Any]) -> dict[str, bytes]:
    """The files of a project as those of the library.

    Args:
        files: by path in the project.
        context: what the project's templates were given.
    """
    places = {path: _place(path) for path in files}
    homes = {PurePosixPath(place).name: place for path, place in places.items() if place and _is_source(path)}
    if len(homes) != sum(map(_is_source, files)):
        raise ValueError("two sources of a project have the same name")
    placed = {
        place: _source(path, place, files[path], homes) if _is_source(path) else files[path]
        for path, place in places.items()
        if place
    }
    return placed | _described(context)


def _is_source(path: str) -> bool:
    return path.endswith(_SOURCES) and path.startswith(("src/", "include/", "lib/"))


def _place(path: str) -> str:
    """Where a file of the project lies in the library; empty where the library has no use for it."""
    name = PurePosixPath(path).name
    if path.startswith("emulator/"):
        return path
    if path == "platformio.ini":
        return f"{NAME}/{NAME}.ini"
    if path.startswith("platforms/"):
        return f"{NAME}/{path}"
    if _is_source(path):
        return f"{NAME}/src/{name}" if name == HEADER else f"{NAME}/src/{NAME}/{name}"
    if path.startswith(_PORT) and path.endswith(".ld"):
        return f"{NAME}/{path.removeprefix('lib/')}"
    if path.endswith(_TOLD):
        return f"{NAME}/{path.removeprefix('lib/model/')}"
    return ""


def _source(path: str, place: str, content: bytes, homes: dict[str, str]) -> bytes:
    """A source that includes the others where they are now."""
    here = PurePosixPath(place).parent

    def include(match: re.Match[bytes]) -> bytes:
        home = homes.get(PurePosixPath(match[2].decode()).name)
        return match[0] if home is None else match[1] + f'"{_relative(home, here)}"'.encode()

    rewritten = _INCLUDE.sub(include, content)
    if path.startswith(_CONFIGURED) and path.endswith(".cpp"):
        return f'#include "{_CONFIG}"\n'.encode() + rewritten
    return rewritten


def _relative(home: str, here: PurePosixPath) -> str:
    place = PurePosixPath(home)
    if place.is_relative_to(here):
        return str(place.relative_to(here))
    return f"../{place.name}"  # the sketch's header, one folder above everything else


def _described(context: dict[str, Any]) -> dict[str, bytes]:
    """What PlatformIO and the Arduino IDE read of the library."""
    environment = templates.environment("library", keep_trailing_newline=True, autoescape=False)
    engine: Engine = context["engine_facts"]
    needs = {"flags": _flags(context["model_flags"]), "depends": _depends(engine)}
    return {
        f"{NAME}/{name.removesuffix('.j2')}": environment.get_template(name).render({**context, **needs}).encode()
        for name in sorted(environment.list_templates())
    }


def _flags(model_flags: Iterable[str]) -> list[str]:
    """Of the whole library: how floats are computed; warnings are no affair of the user's project."""
    return ["-w", *(flag for flag in model_flags if flag.startswith("-f"))]


def _depends(engine: Engine) -> str:
    """The engine's library as library.properties names it; empty for none."""
    name, _, version = engine.library.rpartition("/")[2].partition("@")
    return f"{name} (={version})" if version else name

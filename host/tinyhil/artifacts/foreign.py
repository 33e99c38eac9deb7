"""Reading what may come from anywhere: whatever a parser makes of it, it ends as an error of the file, not as a crash.

Parsers raise what they like on damaged files: NumPy a tokenizer's error, ``zipfile`` one of three compressors', TOML
and JSON an error of recursion. A list of them would never be complete.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tinyhil.errors import InputError, TinyhilError

UNREADABLE = (OSError, ValueError, RecursionError, MemoryError, msgspec.MsgspecError)
"""What reading a JSON file of ours raises that is missing or damaged, where it is simply made again."""
WEB_PAGE = (
    "a page of the web, not the file that it shows",
    "download the file itself: of a repository on GitHub with the button 'Download raw file'",
)
NOT_FETCHED = (
    (
        b"version https://git-lfs.github.com/spec/",
        "a Git LFS pointer: the file itself was not fetched",
        "fetch it: git lfs pull --include {name}",
    ),
    (b"<!DOCTYPE html", *WEB_PAGE),
    (b"<!doctype html", *WEB_PAGE),
    (b"<html", *WEB_PAGE),
)
"""How files begin that were not fetched as they are: what such a file is, and the next step with its path."""
_LONGEST = 200
"""Characters of a parser's own words: some quote the whole file."""


@contextlib.contextmanager
def reading(name: Path | str, what: str, refuse: Callable[[str], InputError]) -> Iterator[None]:
    """Runs a parser; what it raises becomes an error of the file.

    Only the parsing of foreign bytes belongs in here: a mistake of our own would be said to be the file's.

    Args:
        name: the file, and the place in it where that is known.
        what: it should be, with its article: "a TOML file".
        refuse: makes the error of a message, with the next step and the kind that belong to it.

    Raises:
        InputError: the parser raised anything but an error of ours, or of a package that is missing.
    """
    try:
        yield
    except (TinyhilError, ImportError):
        raise
    except OSError as error:
        if error.strerror is None:  # of a library, not of the operating system
            raise refuse(f"{name} is not {what}, or damaged: {first_line(error)}") from error
        raise refuse(f"cannot read {name}: {error.strerror}") from error
    except MemoryError as error:
        raise refuse(f"{name} is not {what}, or damaged: it asks for more memory than there is") from error
    except RecursionError as error:
        raise refuse(f"{name} is not {what}, or damaged: it is nested too deep") from error
    except Exception as error:
        raise refuse(f"{name} is not {what}, or damaged: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """What an exception says, in one short line; its class where it says nothing."""
    lines = str(error).strip().splitlines()
    said = lines[0].strip() if lines else ""
    return f"{said[:_LONGEST]}..." if len(said) > _LONGEST else said or type(error).__name__


def is_file(path: Path) -> bool:
    """Whether a path leads to a file; False as well where nobody may look, or no file can have such a name."""
    with contextlib.suppress(OSError, ValueError):
        return path.is_file()
    return False


def is_folder(path: Path) -> bool:
    """The same of a folder."""
    with contextlib.suppress(OSError, ValueError):
        return path.is_dir()
    return False


def why_not_reached(path: Path) -> str:
    """What keeps us from seeing whether there is something at a path, in the system's words; empty for nothing."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return error.strerror or str(error)
    except ValueError as error:
        return str(error)
    return ""


def why_not_regular(path: Path) -> str:
    """Why a path leads to no file with an end, such as a pipe; empty where it is one, or where there is nothing."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    if stat.S_ISREG(mode):
        return ""
    return "a folder" if stat.S_ISDIR(mode) else "a pipe or a device, whose end nobody knows"

"""The library that an engine comes from: whether PlatformIO has it for a project, and how it gets there.

PlatformIO keeps a project's libraries in ``.pio/libdeps/<environment>/``, each with a file ``.piopm`` that says what it
is, and fetches what is missing from its registry. Where the registry cannot be reached, it tries for a minute and then
says nothing that a user could act on. So the library is looked for here before a build, and where it is missing, the
registry is tried first, for a few seconds.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tinyhil import resources
from tinyhil.artifacts import hashing
from tinyhil.errors import MissingToolError, StorageError

MANIFEST = ".piopm"
REACHED_WITHIN = 5.0
"""Seconds for the registry's first answer."""


@dataclass(frozen=True)
class Library:
    """A library that a project has.

    Attributes:
        name: as its manifest says.
        version: likewise.
        folder: where it lies.
    """

    name: str
    version: str
    folder: Path

    def sha256(self) -> str:
        """Of all its files: what is compiled into an image besides the project's own.

        Raises:
            StorageError: it cannot be read.
        """
        try:
            return hashing.of_tree(resources.read_tree(self.folder))
        except OSError as error:
            raise StorageError(f"cannot read the library in {self.folder}: {error.strerror}") from error


def find(project: Path, environment: str, wanted: str) -> Library | None:
    """The library that ``wanted`` asks for, an entry of ``lib_deps``; None where the project does not have it."""
    from semantic_version import SimpleSpec, Version

    owner, name, versions = _parse(wanted)
    for manifest in sorted((project / ".pio" / "libdeps" / environment).glob(f"*/{MANIFEST}")):
        try:
            facts = json.loads(manifest.read_bytes())
            same = facts["name"] == name and owner in (None, facts["spec"]["owner"])
            fits = versions is None or Version.coerce(facts["version"]) in SimpleSpec(versions)
        except (OSError, ValueError, LookupError, TypeError):
            continue  # PlatformIO does not take it for a library either
        if same and fits:
            return Library(name, str(facts["version"]), manifest.parent)
    return None


def missing(project: Path, environment: str, wanted: str, why: str) -> MissingToolError:
    """The error for a library that is not there, with how to get it."""
    _, name, _ = _parse(wanted)
    folder = project / ".pio" / "libdeps" / environment / name
    return MissingToolError(
        f"the library {wanted} is not installed, and {why}",
        hint=f"connect this computer to the network, or put the library with its {MANIFEST} into {folder}",
    )


def registry_answers() -> bool:
    """Whether a server of PlatformIO's registry says anything at all, through the user's proxy if there is one."""
    from platformio import __registry_mirror_hosts__

    for host in __registry_mirror_hosts__:
        try:
            request = urllib.request.Request(f"https://api.{host}", method="HEAD")
            with urllib.request.urlopen(request, timeout=REACHED_WITHIN):
                return True
        except urllib.error.HTTPError:
            return True
        except (OSError, ValueError):
            continue
    return False


def _parse(wanted: str) -> tuple[str | None, str, str | None]:
    """Owner, name and versions of ``owner/name@versions``."""
    parts = re.fullmatch(r"(?:([^/@\s]+)/)?([^/@\s]+)(?:\s*@\s*(\S+))?", wanted)
    if parts is None:
        raise ValueError(f"{wanted!r} does not name a library as owner/name@versions")
    return parts[1], parts[2], parts[3]

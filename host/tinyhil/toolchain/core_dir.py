"""Where PlatformIO keeps its packages, prepared so that a build needs no registry.

PlatformIO builds with SCons, which it fetches from its registry as the package ``tool-scons``. The same SCons is on
PyPI and comes with tinyhil, so this module writes a ``tool-scons`` that consists of a manifest and a script of two
lines, which hands over to the SCons of the Python that runs PlatformIO.

For targets of the project's own platform it lives in a folder of tinyhil's, ``$XDG_CACHE_HOME/tinyhil/platformio/``
(by default ``~/.cache``), one for each pair of versions: PlatformIO updates its packages from the registry when it
finds another version's state, and a folder that never sees two versions never starts that. A board's platform comes
from the registry anyway, so there the user's own folder is right, and it is left as it is.
"""

from __future__ import annotations

import errno
import importlib.metadata
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tinyhil.errors import MissingToolError, StorageError, ToolError
from tinyhil.targets.model import Build

_SCRIPT = "from SCons.Script import main\n\nmain()\n"


@dataclass(frozen=True)
class Versions:
    """What is installed, and what it wants of each other.

    Attributes:
        platformio: its version.
        scons: version of the installed SCons, None if there is none.
        wanted_scons: the SCons that this PlatformIO asks for.
        package: version of the ``tool-scons`` package that carries the wanted SCons.
    """

    platformio: str
    scons: str | None
    wanted_scons: str
    package: str


def versions() -> Versions:
    """Asks the installed packages.

    Raises:
        MissingToolError: PlatformIO is not installed.
        ToolError: it asks for SCons in a way that this version of tinyhil does not know.
    """
    try:
        from platformio.dependencies import get_core_dependencies

        platformio = importlib.metadata.version("platformio")
    except (importlib.metadata.PackageNotFoundError, ImportError) as error:
        raise MissingToolError(
            "PlatformIO is not installed, it is needed to build the firmware", hint="python -m pip install platformio"
        ) from error
    wanted = get_core_dependencies()["tool-scons"]
    # "~4.41101.0" is SCons 4.11.1: the second number packs major, minor and patch, two digits each.
    numbers = re.fullmatch(r"~\d+\.(\d+)\.\d+", wanted)
    if numbers is None:
        raise ToolError(f"PlatformIO {platformio} asks for tool-scons {wanted!r}, which tinyhil cannot read")
    packed = int(numbers[1])
    try:
        scons = importlib.metadata.version("scons")
    except importlib.metadata.PackageNotFoundError:
        scons = None
    return Versions(
        platformio=platformio,
        scons=scons,
        wanted_scons=f"{packed // 10000}.{packed // 100 % 100}.{packed % 100}",
        package=wanted.removeprefix("~"),
    )


def prepare(build: Build) -> Path | None:
    """The folder for ``PLATFORMIO_CORE_DIR``, complete; None where the user's own is right.

    May be called by any number of processes at once; the second call finds everything in place.

    Raises:
        MissingToolError: PlatformIO, or the SCons that it wants, is not installed.
        StorageError: the folder cannot be written.
    """
    if not build.local:
        return None
    found = versions()
    if found.scons != found.wanted_scons:
        installed = f"SCons {found.scons}" if found.scons else "none"
        raise MissingToolError(
            f"PlatformIO {found.platformio} needs SCons {found.wanted_scons}, installed is {installed}",
            hint=f"python -m pip install scons=={found.wanted_scons}",
        )
    core = _cache() / "tinyhil" / "platformio" / f"{found.platformio}-scons-{found.scons}"
    try:
        _install(core / "packages" / "tool-scons", _files(found.package))
    except OSError as error:
        raise StorageError(
            f"cannot prepare {core}: {error.strerror}",
            hint="free some space, or point XDG_CACHE_HOME to another folder",
        ) from error
    return core


def packages() -> Path:
    """Where PlatformIO keeps the packages of the user's own folder, by its own settings.

    Raises:
        MissingToolError: PlatformIO is not installed.
    """
    try:
        from platformio.project.config import ProjectConfig
    except ImportError as error:
        raise MissingToolError("PlatformIO is not installed", hint="python -m pip install platformio") from error
    return Path(str(ProjectConfig.get_instance().get("platformio", "packages_dir")))


def _cache() -> Path:
    """The user's cache folder by the XDG Base Directory Specification, which has relative paths ignored."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    return Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"


def _files(version: str) -> dict[str, str]:
    spec = {"owner": "platformio", "id": None, "name": "tool-scons", "requirements": None, "uri": None}
    return {
        "scons.py": _SCRIPT,
        "package.json": json.dumps({"name": "tool-scons", "version": version}),
        ".piopm": json.dumps({"type": "tool", "name": "tool-scons", "version": version, "spec": spec}),
    }


def _install(package: Path, files: dict[str, str]) -> None:
    """Puts ``files`` in place by renaming a finished folder, so that nobody ever sees a part of them."""
    if _holds(package, files):
        return
    package.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=package.parent.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        for name, text in files.items():
            (fresh / name).write_text(text, encoding="utf-8")
        try:
            fresh.rename(package)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            # Another process was quicker, or what is there is damaged.
            if not _holds(package, files):
                package.rename(Path(scratch) / "damaged")
                fresh.rename(package)


def _holds(package: Path, files: dict[str, str]) -> bool:
    try:
        return all((package / name).read_text(encoding="utf-8") == text for name, text in files.items())
    except (OSError, UnicodeDecodeError):
        return False

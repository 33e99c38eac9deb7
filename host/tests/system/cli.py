"""The command line as a process, and what it may leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
MARK = "TINYHIL_TEST_MARK"


def run_without_us(*argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command to its success, with nothing of this checkout or its venv in the environment."""
    done = subprocess.run(
        list(map(str, argv)),
        cwd=cwd,
        env=environment_without_us(),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def environment_without_us() -> dict[str, str]:
    """Our environment without what leads to this checkout."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cli:
    """Runs ``python -m tinyhil`` in a folder of its own.

    Attributes:
        cwd: the folder.
        mark: a value in the environment of everything that it starts, by which what is left over can be found.
        path: the PATH that it gets, None for ours.
        python_path: folders in which its Python looks first.
    """

    cwd: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    path: str | None = None
    python_path: tuple[Path, ...] = ()

    def environment(self) -> dict[str, str]:
        """The environment of the command."""
        folders = [*map(str, self.python_path), str(REPOSITORY / "host")]
        changed = {"PYTHONPATH": os.pathsep.join(folders), MARK: self.mark, "COLUMNS": "200"}
        if self.path is not None:
            changed["PATH"] = self.path
        return {**os.environ, **changed}

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Starts a command and leaves it running."""
        return subprocess.Popen(
            [sys.executable, "-m", "tinyhil", *map(str, arguments)],
            cwd=self.cwd,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str | Path) -> Done:
        """Runs a command to its end."""
        child = self.start(*arguments)
        out, err = child.communicate(timeout=300)
        return Done(child.returncode, out, err)

    def leftovers(self) -> list[str]:
        """Command lines of processes that carry our mark and still run."""
        found = []
        wanted = f"{MARK}={self.mark}".encode()
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue  # it ended while we looked
        return found

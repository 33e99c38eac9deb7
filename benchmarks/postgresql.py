"""A PostgreSQL server of one's own, for tests and benchmarks: on a socket in a temporary folder, without a port."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

USER = "postgres"
"""Of Debian's package; the server refuses to run as root."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        programs: the folder of PostgreSQL's programs.
        socket: the folder of its socket.
    """

    programs: Path
    socket: Path

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        user = USER if os.getuid() == 0 else ""
        command = [self.programs / "createdb", "--host", self.socket, *(["--username", user] if user else []), name]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        return f"postgresql://{user}{'@' if user else ''}/{name}?host={self.socket}"


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, which Debian does not put on PATH; None where it is not installed."""
    on_path = shutil.which("initdb")
    found = [*([Path(on_path).parent] if on_path else []), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    return found[-1] if found else None


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server until the context ends.

    Args:
        folder: of PostgreSQL's programs.
    """
    with tempfile.TemporaryDirectory(prefix="tinyhil-pg-") as name:
        place = Path(name)  # the path of a socket is short
        as_user: list[str] = []
        if os.getuid() == 0:
            shutil.chown(place, USER, USER)
            as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--pdeathsig=KILL"]
        data = place / "data"
        make = [*as_user, str(folder / "initdb"), "--pgdata", str(data), "--auth=trust", "--no-sync", "--encoding=UTF8"]
        subprocess.run(make, check=True, capture_output=True, cwd=place)
        settings = [f"unix_socket_directories={place}", "listen_addresses=", "fsync=off", "shared_buffers=16MB"]
        serve = [
            *as_user,
            str(folder / "postgres"),
            "-D",
            str(data),
            *(part for one in settings for part in ("-c", one)),
        ]
        with (place / "log").open("wb") as log:
            server = subprocess.Popen(serve, cwd=place, stdout=log, stderr=log)
        try:
            _wait(folder, place, server)
            yield Server(folder, place)
        finally:
            server.send_signal(signal.SIGINT)  # ends sessions, and then itself
            server.wait(timeout=30)


def _wait(folder: Path, place: Path, server: subprocess.Popen[bytes]) -> None:
    while subprocess.run([folder / "pg_isready", "--quiet", "--host", place], check=False).returncode != 0:
        assert server.poll() is None, (place / "log").read_text()
        time.sleep(0.02)

"""Not Renode: a program that behaves as Renode 1.15.3 under mono did where it matters to whoever starts it.

- Without ``--console`` it opens an unprotected monitor at a fixed port of all addresses (``FAKE_RENODE_MONITOR``), and
  a second one fails on it. With it, it ends at the end of its standard input.
- It adds its commands to a history in the folder of the user's configuration.
- It carries out the scripts of ``-e``; a command that fails is told of, with the cause in the line below, and no other
  line of its output that says "error" is one. It stays then.
- The register names of a platform without a Tag of its own are downloaded: it leaves ``downloaded`` in the folder.
- What arrives at the UART's port before the machine runs is lost. The chip sends everything back.
"""

from __future__ import annotations

import os
import re
import select
import socket
import sys
from itertools import pairwise
from pathlib import Path


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Failed(Exception):
    """A command failed; the cause in words."""


class Machine:
    """What the script has made so far."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.loaded = self.running = False
        self.listening: socket.socket | None = None
        self.monitor: socket.socket | None = None

    def carry_out(self, line: str, folder: Path) -> None:
        """One command of the monitor."""
        words = [self.variables.get(word, word) for word in line.replace("$ORIGIN", str(folder)).split()]
        match words:
            case [assignment] if assignment.startswith("$"):
                name, _, value = assignment.partition("=")
                self.variables[name] = value
            case ["include", path]:
                self.script(Path(path.removeprefix("@")))
            case ["machine", "LoadPlatformDescription", path]:
                self.platform(Path(path))
            case ["sysbus", "LoadELF", path]:
                if not Path(path.removeprefix("@")).is_file():
                    raise Failed(f"File does not exist: {path}")
                self.loaded = True
            case ["start"]:
                self.running = self.loaded
            case ["emulation", "CreateServerSocketTerminal", port, *_]:
                self.listening = socket.create_server(("0.0.0.0", int(port)))
            case ["using", _] | ["mach", "create", _] | ["connector", "Connect", *_]:
                pass
            case _:
                raise Failed(f"No such command or device: {words[0]}")

    def script(self, path: Path) -> None:
        for line in path.read_text().splitlines():
            if line and not line.startswith(":"):
                self.carry_out(line, path.parent)

    def platform(self, path: Path) -> None:
        text = path.read_text()
        if not re.search(r"^sysbus:\n +init:\n +Tag ", text, re.MULTILINE):
            Path("downloaded").touch()
            say("[WARNING] sysbus: error while reading the SVD file")
        if "PythonPeripheral" not in text:
            raise Failed("the firmware reads a word that is not there")

    def serve(self) -> None:
        """One client after the other, until the console ends."""
        sources: list[int | socket.socket] = [0]
        if self.listening:
            sources.append(self.listening)
        while True:
            for ready in select.select(sources, [], [])[0]:
                if ready == 0:
                    if not os.read(0, 100):
                        return
                elif ready is self.listening:
                    sources.append(self.listening.accept()[0])
                elif isinstance(ready, socket.socket):
                    data = ready.recv(4096)
                    if not data:
                        sources.remove(ready)
                    elif self.running:
                        ready.sendall(data)


def main() -> int:
    arguments, machine = sys.argv[1:], Machine()
    if "--console" not in arguments:
        try:
            machine.monitor = socket.create_server(("0.0.0.0", int(os.environ["FAKE_RENODE_MONITOR"])))
        except OSError:
            say("There was an error\nAddress already in use")
            return 1
    home = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config"))
    (home / "renode").mkdir(parents=True, exist_ok=True)
    say("[INFO] Loaded monitor commands, 0 errors")
    for option, command in pairwise(arguments):
        if option == "-e":
            with (home / "renode" / "history").open("a") as history:
                history.write(f"{command}\n")
            try:
                machine.carry_out(command, Path())
            except Failed as failed:
                say(f"There was an error executing command '{command}'\n{failed}")
    machine.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())

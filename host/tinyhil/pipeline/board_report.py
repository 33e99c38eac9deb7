"""What is sent to us of a board that somebody has: versions, figures of a check of its port, and of the last report.

Only named fields are taken, and of texts only our own, not what a device has printed. From these, whatever may tell who
sends it is taken out: names of user and computer, serial numbers, paths and addresses.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
import pwd
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

from tinyhil import kinds
from tinyhil.compare.verdict import Report
from tinyhil.config import recipe
from tinyhil.device.board import Port, usb_id
from tinyhil.errors import ConfigError
from tinyhil.pipeline.port_check import PRINTS_NOTHING, Checked, State, check
from tinyhil.report import files
from tinyhil.targets import registry
from tinyhil.targets.model import Target
from tinyhil.transport import finder
from tinyhil.transport.finder import PortInfo

SCHEMA = 1
HEAD = "# A board on tinyhil: "
"""What such a file begins with."""
_PACKAGES = ("tinyhil", "platformio", "tflite-micro", "bakenn", "tensorflow", "numpy", "pyserial")

_ADDRESS = re.compile(r"\b(?!https?:)[a-z0-9+.-]+://\S+|\b(?:unix|usb|terminal):\S+", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w/:.<])(?:~[\w.-]*)?/[^\s,;:'\"]+")


def board_report(
    target: Target,
    port: str | None,
    build_dir: Path,
    present: Callable[[], Iterable[PortInfo]] = finder.present,
    checks: Iterable[Checked] | None = None,
) -> dict[str, Any]:
    """All that is sent, as JSON values.

    Args:
        target: the board's facts.
        port: where it is; None to leave the check of its port out.
        build_dir: the build folder, in which reports are.
        present: lists the serial ports.
        checks: what a check of the port has found; by default it is checked now.

    Raises:
        DeviceError: the list of quarantined boards is damaged.
    """
    listed = list(present())
    said: list[dict[str, str]] = []
    if port is not None:
        said = [_checked(each) for each in (check(target, port) if checks is None else checks)]
    last = _last_report(build_dir, target)
    made = {
        "schema": SCHEMA,
        "versions": _versions(),
        "target": _target(target),
        "usb": _usb(listed, port) if port is not None else "",
        "checks": said,
        "report": None if last is None else _figures(last),
    }
    return cast(dict[str, Any], _without(made, Secrets(listed, port)))


class Secrets:
    """What may not be in a text.

    Args:
        listed: the serial ports of this computer.
        port: as ``--port`` was given.
    """

    def __init__(self, listed: Iterable[PortInfo], port: str | None) -> None:
        named = [(number, "<serial number>") for number in _serial_numbers(listed, port)]
        named += [(name, "<user>") for name in _users()]
        named += [(name, "<computer>") for name in _computers()]
        self._names = [
            (re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", re.IGNORECASE), instead)
            for name, instead in sorted(named, key=lambda pair: -len(pair[0]))
            if name
        ]

    def removed(self, text: str) -> str:
        """The text with words in their place."""
        text = _PATH.sub("<path>", _ADDRESS.sub("<address>", text))
        for name, instead in self._names:
            text = name.sub(instead, text)
        return text


def _serial_numbers(listed: Iterable[PortInfo], port: str | None) -> Iterator[str]:
    yield from (each.serial_number for each in listed if each.serial_number)
    if port is not None and port.startswith(finder.SCHEME):
        yield port.removeprefix(finder.SCHEME)


def _users() -> Iterator[str]:
    with contextlib.suppress(OSError, KeyError):
        yield getpass.getuser()
    with contextlib.suppress(KeyError):
        person = pwd.getpwuid(os.getuid())
        yield person.pw_name
        yield from person.pw_gecos.split(",")
    yield from (os.environ.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER"))
    with contextlib.suppress(RuntimeError):
        yield Path.home().name


def _computers() -> Iterator[str]:
    for name in (socket.gethostname(), platform.node(), os.environ.get("HOSTNAME", "")):
        yield name
        yield name.partition(".")[0]


def _without(value: Any, secrets: Secrets) -> Any:
    """The same, with the secrets taken out of its texts; keys are ours."""
    if isinstance(value, str):
        return secrets.removed(value)
    if isinstance(value, dict):
        return {key: _without(inner, secrets) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(inner, secrets) for inner in value]
    return value


def _versions() -> dict[str, str]:
    found = {
        "python": platform.python_version(),
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    with contextlib.suppress(OSError):
        found["distribution"] = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _target(target: Target) -> dict[str, Any]:
    """Its facts; the name of one of the user's own is the user's."""
    build, link = target.build, target.link
    return {
        "name": target.name if (registry.SHIPPED / f"{target.name}.toml").is_file() else "(own target)",
        "cpu": target.chip.cpu,
        "core": "" if build is None else f"{build.platform} {build.framework}".strip(),
        "board": "" if build is None else build.board,
        "baud": link.baud,
        "max_baud": link.max_baud,
        "max_payload": link.max_payload,
        "dtr": link.dtr,
        "rts": link.rts,
        "power": target.power is not None,
    }


def _usb(listed: Iterable[PortInfo], port: str) -> str:
    """Vendor and product id, without the serial number."""
    ports = cast(list[Port], listed)
    if port.startswith(finder.SCHEME):
        found = next((each for each in ports if each.serial_number == port.removeprefix(finder.SCHEME)), None)
    else:
        found = finder.listed(port, ports)
    return "" if found is None else usb_id(found)


_QUOTING = {"boot": "it prints at its start", "quarantine": "it is quarantined"}
"""Checks whose words are partly a device's or a person's, and what stands for them."""
_MAY_QUOTE = ("handshake", "line: broken")
"""Checks whose words are so where they have failed; the kind of the error stands for them."""


def _checked(checked: Checked) -> dict[str, str]:
    """What a check has found, in words of ours."""
    said = checked.said
    kind = kinds.of_id(checked.id) if checked.id else None
    if checked.name in _QUOTING and said != PRINTS_NOTHING:
        said = _QUOTING[checked.name]
    elif checked.name in _MAY_QUOTE and checked.state is not State.OK:
        said = kind.title if kind is not None else ""
    return {"name": checked.name, "state": checked.state.value, "said": said, "id": checked.id}


def _last_report(build_dir: Path, target: Target) -> Report | None:
    """The report of the last run on the target in the build folder; None where there is none that can be read."""
    found = sorted(build_dir.glob(f"*/*/{files.JSON}"), key=lambda path: -path.stat().st_mtime)
    for path in found:
        with contextlib.suppress(ConfigError):
            report = files.read(path.parent)
            if report.target == target.name:
                return report
    return None


def _figures(report: Report) -> dict[str, Any]:
    """Of a report what says how the device has computed; neither the user's data nor what was printed."""
    fidelity, accuracy = report.fidelity, report.accuracy
    shipped = {path.stem for path in recipe.SHIPPED.glob("*.toml")}
    return {
        "verdict": report.verdict,
        "made_by": report.made_by,
        "recipe": report.recipe if report.recipe in shipped else "(own model)",
        "engine": report.engine,
        "kernels": report.kernels,
        "scheme": report.scheme,
        "operators": sorted(set(report.ops)),
        "line": report.line,
        "fidelity": None
        if fidelity is None
        else {
            name: getattr(fidelity, name)
            for name in ("passed", "vectors", "mismatches", "max_lsb", "unit", "exhaustive", "not_finite")
        },
        "accuracy_passed": None if accuracy is None else accuracy.passed,
        "size": None if report.size is None else asdict(report.size),
        "speed": None if report.speed is None else asdict(report.speed),
        "resources": None if report.resources is None else asdict(report.resources),
        "link": report.link,
        "retries": None if report.retries is None else asdict(report.retries),
        "tools": report.tool_versions,
        "blocked": None if report.blocked is None else {"id": report.blocked.id, "error": report.blocked.error},
    }


def in_markdown(made: dict[str, Any], exact: str) -> str:
    """The report for people, with itself as JSON at its end.

    Args:
        made: what ``board_report`` has returned.
        exact: the same as JSON.
    """
    lines = [f"{HEAD}{made['target']['name']}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {_cell(value)} |" for name, value in made["versions"].items()]
    lines += [f"| target: {name} | {_cell(value)} |" for name, value in made["target"].items()]
    lines += [f"| USB id | {_cell(made['usb'] or 'unknown')} |", "", "## Check of the port", ""]
    lines += (
        ["| check | state | found | id |", "|---|---|---|---|"] if made["checks"] else ["The port was not checked."]
    )
    for each in made["checks"]:
        lines.append(f"| {' | '.join(_cell(each[name]) for name in ('name', 'state', 'said', 'id'))} |")
    lines += ["", "## Last report", ""]
    lines += ["| | |", "|---|---|"] if made["report"] else ["There is no report of a run on this target."]
    lines += [f"| {name} | {_cell(value)} |" for name, value in (made["report"] or {}).items()]
    lines += ["", "## All of it as JSON", "", "```json", exact.rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(inner)}" for name, inner in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(map(_cell, value)) or "-"
    return " ".join(str(value).split()).replace("|", "\\|")

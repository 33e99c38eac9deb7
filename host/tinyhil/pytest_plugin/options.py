"""Options, markers, and which test runs where."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tinyhil.options import Field, Level, Options, fields

DEFAULT_TARGET = Options.target
_OWN = ("target", "port")
"""Options of which tests take several."""
_TAKEN = ("strict",)
"""Names of options that pytest has itself: ours have the project's before it."""
_PATHS = {"--port", "--recipe", *(field.flag for field in fields() if field.type is Path)}
"""Options whose value may be a path."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options of the command line."""
    group = parser.getgroup("tinyhil", "hardware in the loop (tinyhil)")
    group.addoption(
        "--target",
        action="append",
        metavar="NAME",
        help=f"where tests run that ask for a device; several with commas, or repeated (default: {DEFAULT_TARGET})",
    )
    group.addoption("--recipe", default="sine", metavar="NAME", help="the recipe whose model is tested, or a .tflite "
                    "or .keras file (default: %(default)s)")  # fmt: skip
    group.addoption(
        "--port",
        action="append",
        metavar="[TARGET=]PORT",
        help="a device that is already running, or a board, on this serial port; with several targets say whose it is",
    )
    for field in _offered():
        _add(group, field)
    group.addoption(
        "--blocked-is-skip",
        action="store_true",
        help="skip tests whose device cannot be had, instead of reporting an error; they never pass",
    )


def _offered() -> list[Field]:
    """The options of a run that are the same here as on the command line of tinyhil."""
    return [field for field in fields() if field.about.level < Level.HIDDEN and field.name not in _OWN]


def _add(group: pytest.OptionGroup, field: Field) -> None:
    about = field.about
    usual = f" (default: {about.usual})" if about.usual else ""
    text = f"{about.help}{usual}".replace("%", "%%")
    flag, name = _named(field)
    if field.is_switch:
        group.addoption(flag, dest=name, action="store_true", default=field.default, help=text)
    else:
        group.addoption(flag, dest=name, type=field.type, default=field.default, metavar=about.metavar, help=text)


def _named(field: Field) -> tuple[str, str]:
    """The flag of an option here, and its name among pytest's."""
    taken = field.name in _TAKEN
    return (f"--tinyhil-{field.flag[2:]}", f"tinyhil_{field.name}") if taken else (field.flag, field.name)


def run_options(config: pytest.Config, target: str) -> Options:
    """The options of the run on one target.

    Raises:
        UsageError: a number is too small, or ports were given of which it is not clear whose they are.
    """
    chosen = {field.name: getattr(config.option, _named(field)[1]) for field in _offered()}
    for field in _offered():
        value, least = chosen[field.name], field.about.least
        if least is not None and value is not None and value < least:
            raise pytest.UsageError(f"{field.flag} {value}: at least {least}")
    return Options(target=target, port=port(config, target), flash=True, **chosen)


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker, and refuses options that cannot be meant.

    Raises:
        UsageError: as for ``targets``, ``port`` and ``refuse_loose_paths``.
    """
    config.addinivalue_line("markers", "hil: runs on a device, real or emulated; every test that asks for one has it")
    refuse_loose_paths(config)
    port(config, targets(config)[0])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test once on each target that was asked for, if it asks for the plugin's ``target``."""
    if "target" not in metafunc.fixturenames or _has_its_own(metafunc):
        return
    names = [pytest.param(name, marks=pytest.mark.hil) for name in targets(metafunc.config)]
    metafunc.parametrize("target", names, indirect=True, scope="session")


def _has_its_own(metafunc: pytest.Metafunc) -> bool:
    """Whether the user's ``target`` is another one: everyday words are in use."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        names = mark.args[0] if mark.args else mark.kwargs["argnames"]
        words = names.split(",") if isinstance(names, str) else names
        if "target" in (word.strip() for word in words):
            return True
    found = metafunc.definition.session._fixturemanager.getfixturedefs("target", metafunc.definition)
    return not found or not found[-1].func.__module__.startswith("tinyhil.")


def refuse_loose_paths(config: pytest.Config) -> None:
    """Refuses ``--port /dev/ttyACM0`` where pytest has lost the user's settings by it.

    Pytest looks for them before it knows our options: it takes any path that exists for a test's, and looks beside it.

    Raises:
        UsageError: there are no settings, and a path that explains it.
    """
    if config.inipath is not None:
        return
    for option, value in pairwise(config.invocation_params.args):
        if option in _PATHS and Path(value).exists():
            raise pytest.UsageError(
                f"write {option}={value}: pytest takes the path for a test's otherwise, and seeks its settings there"
            )


def targets(config: pytest.Config) -> list[str]:
    """The names that were asked for, each once.

    Raises:
        UsageError: there is a name that is empty.
    """
    asked = config.option.target or [DEFAULT_TARGET]
    names = [name.strip() for part in asked for name in part.split(",")]
    if not all(names):
        raise pytest.UsageError(f"--target {','.join(asked)}: a name is missing")
    return list(dict.fromkeys(names))


def port(config: pytest.Config, target: str) -> str | None:
    """The port that was given for a target, None where it was not.

    Raises:
        UsageError: ports were given of which it is not clear whose they are.
    """
    known = targets(config)
    ports: dict[str, str] = {}
    for text in config.option.port or []:
        name, equals, rest = text.partition("=")
        # Addresses have blanks in no place and may have an equals sign: rfc2217://host:port?ign_set_control=1.
        owner, address = (name, rest) if equals and name in known else (known[0], text)
        if owner == known[0] and address == text and len(known) > 1:
            raise pytest.UsageError(
                f"--port {text} does not say which target it is for: write --port TARGET=PORT, with TARGET one of "
                f"{', '.join(known)}"
            )
        if owner in ports:
            raise pytest.UsageError(f"--port {text}: {owner} has the port {ports[owner]} already")
        ports[owner] = address
    return ports.get(target)

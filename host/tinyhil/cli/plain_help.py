"""Commands as Typer's, but in two things: what their help says of a switch, and how wrong usage ends.

A switch is shown without the type of a value that it does not take. Wrong usage is an error like all others, with its
id in the catalogue and a next step.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from tinyhil import kinds
from tinyhil.cli import console
from tinyhil.cli.plain_console import PlainConsole
from tinyhil.errors import ConfigError, ExitCode


class PlainCommand(TyperCommand):
    """One command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its parameters, ``--help`` among them."""
        return _plain(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """All commands together."""

    def get_params(self, ctx: Any) -> list[Any]:
        """As ``PlainCommand.get_params``."""
        return _plain(super().get_params(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Typer's; where a model stands in the place of the command, the next step is the one that runs it.

        Raises:
            ConfigError: it is a model.
        """
        try:
            return super().resolve_command(ctx, args)
        except Exception:
            if ctx.parent is not None or not _is_model(args[0]):
                raise
        raise ConfigError(
            f"tinyhil: no such command {args[0]!r}: it is a model", hint=f"tinyhil run {args[0]}", kind=kinds.USAGE
        )

    def main(self, *args: Any, **named: Any) -> Any:
        """As Typer's, but for how wrong usage ends."""
        if not named.pop("standalone_mode", True):
            return super().main(*args, **{**named, "standalone_mode": False})
        try:
            code = super().main(*args, **{**named, "standalone_mode": False})
        except typer.Abort as error:  # left alone it would end with 1, a verdict of fail
            raise RuntimeError("unforeseen") from error
        except ConfigError as error:
            console.show_error(PlainConsole(stderr=True), error, verbose=False)
            sys.exit(error.exit_code)
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            if error.format_message():  # it has none where the help has been shown in its place
                console.show_error(PlainConsole(stderr=True), _wrong_usage(error), verbose=False)
            sys.exit(ExitCode.USAGE)
        sys.exit(code or ExitCode.PASS)


class GroupWithDefault(PlainGroup):
    """A command with commands of its own: what begins with none of them is the first of them, which needs no name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer's, with the name of the first command where none is given."""
        if not {*args[:1]} & {*self.commands, *ctx.help_option_names}:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


def _is_model(name: str) -> bool:
    """Whether ``tinyhil run`` would take it, as far as its name says."""
    from tinyhil.cli import completion  # only here: no other command line needs these so early
    from tinyhil.config import recipe

    known: list[str] = []
    with contextlib.suppress(ConfigError):
        known.extend(recipe.paths())
    return name in known or Path(name).suffix.lower() in completion.SUFFIXES


def _wrong_usage(error: Any) -> ConfigError:
    """What Typer says of the command line, as an error of ours."""
    similar = getattr(error, "possibilities", None)
    context = getattr(error, "ctx", None)
    command = f"tinyhil {context.info_name}" if context is not None and context.parent is not None else "tinyhil"
    said = (error.message if similar else error.format_message()).rstrip(".")
    hint = f"{command} --help lists what there is"
    return ConfigError(
        f"{command}: {said[0].lower()}{said[1:]}",
        hint=f"did you mean {similar[0]}? {hint}" if similar else hint,
        kind=kinds.USAGE,
    )


def _plain(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters

"""A command whose help shows a switch as a switch, without the type of a value that it does not take."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


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


def _plain(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters

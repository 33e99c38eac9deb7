"""The command ``new``: a starter project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyhil.cli.session import JsonOption, command


def new(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to write it.", show_default=False, readable=False)
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the recipe.  [default: made from DIR]", show_default=False)
    ] = None,
    json: JsonOption = None,
) -> None:
    """Write a starter project for a model of your own: recipe, tests, CI for GitHub and GitLab.

    Nothing that exists is overwritten.

    **Example**

    tinyhil new anomaly && cd anomaly && tinyhil run anomaly
    """
    with command(json) as output:
        from tinyhil import starter
        from tinyhil.targets import registry

        chosen = starter.model_name(name or folder.resolve().name)
        found = [registry.get(target) for target in registry.paths()]
        boards = tuple(target.name for target in found if target.emulator is None) or ("nano33ble",)
        files = starter.create(folder, chosen, boards)
        for path in files:
            output.console.print(f"  {folder / path}", highlight=False, soft_wrap=True)
        output.console.print(f"\nNext: cd {folder} && tinyhil run {chosen}", markup=False, highlight=False)
        output.write_json({"folder": str(folder), "recipe": chosen, "files": [str(path) for path in files]})

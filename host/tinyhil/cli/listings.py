"""The commands that list what there is: targets, recipes, and what is installed."""

from __future__ import annotations

import typer

from tinyhil.cli.session import JsonOption, command


def targets(json: JsonOption = None) -> None:
    """List the targets, and what the figures of each may be taken for."""
    with command(json) as output:
        from tinyhil.targets import registry

        found = [registry.get(name) for name in registry.paths()]
        for target in found:
            output.console.print(f"[bold]{target.name}[/]  {target.title}", highlight=False)
            engines = ", ".join(target.engines)
            output.console.print(f"    engines: {engines}; reports {target.honest_about}", highlight=False)
        output.write_json(
            [
                {
                    "name": target.name,
                    "title": target.title,
                    "honest_about": target.honest_about,
                    "engines": list(target.engines),
                    "default_engine": target.default_engine,
                }
                for target in found
            ]
        )


def recipes(json: JsonOption = None) -> None:
    """List the recipes: the shipped ones, and yours in ./recipes."""
    with command(json) as output:
        from tinyhil.config import recipe as known

        found = [(known.load(path), path) for path in known.paths().values()]
        for recipe, _ in found:
            output.console.print(f"[bold]{recipe.name}[/]  {recipe.title}", highlight=False)
        output.write_json([{"name": recipe.name, "title": recipe.title, "file": str(path)} for recipe, path in found])


def doctor(json: JsonOption = None) -> None:
    """Show what is installed, and what each target would still need.

    Exits with 0 if every target can run, with 3 if one lacks something.
    """
    with command(json) as output:
        from tinyhil.cli import doctor as view

        raise typer.Exit(view.show(output))

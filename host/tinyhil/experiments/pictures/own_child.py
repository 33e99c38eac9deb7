"""The child process in which a recipe draws its own pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tinyhil import plots, worker
from tinyhil.config import recipe as recipes
from tinyhil.config import recipe_code
from tinyhil.plots import linear as linear  # for the recipes' own pictures
from tinyhil.progress import Reporter


def work(request: dict[str, Any], _: Reporter) -> dict[str, Any]:
    """Lets the recipe draw into a folder; returns what each picture shows."""
    file = Path(request["code"])
    history = json.loads(Path(request["history"]).read_text(encoding="utf-8"))
    returned = recipes.load_code(file).pictures(plots, history, Path(request["folder"]))
    with recipe_code.looking_at(file, "pictures() has to return what each file shows, by its name"):
        return {"shows": {str(name): str(shows) for name, shows in returned.items()}}


if __name__ == "__main__":
    worker.serve(work)

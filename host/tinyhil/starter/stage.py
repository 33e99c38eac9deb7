"""The stage: lays out a repository in which a user's own model is trained, built and tested on a device.

Its templates lie in templates/starter. Their delimiters are ``[[ ]]`` and ``[% %]``, because the CI systems' own
expressions are written in the usual braces.
"""

from __future__ import annotations

import re
from pathlib import Path

import tinyhil
from tinyhil import templates
from tinyhil.artifacts import store
from tinyhil.errors import InputError

LONGEST = 32
"""Characters of a recipe's name (config/recipe.py)."""


def model_name(text: str) -> str:
    """The name of a recipe that is closest to ``text``: lower case, digits and ``-``, a letter first.

    Raises:
        InputError: nothing of it can stand in a name.
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    name = re.sub(r"^[^a-z]+", "", name)[:LONGEST].rstrip("-")
    if not name:
        raise InputError(
            f"{text!r} gives no name for a recipe",
            hint="give one with --name: lower-case letters, digits and '-', a letter first",
        )
    return name


def create(folder: Path, name: str, targets: tuple[str, ...]) -> tuple[Path, ...]:
    """Writes the starter project.

    Args:
        folder: where; it may exist, but none of the project's files in it.
        name: of the recipe, as :func:`model_name` gives it.
        targets: the boards that its CI workflow names as examples.

    Returns:
        The files, relative to ``folder``.

    Raises:
        InputError: one of the files exists already. Nothing has been written then.
        StorageError: the folder cannot be written.
    """
    files = _rendered(name, targets)
    taken = [path for path in files if (folder / path).exists()]
    if taken:
        raise InputError(
            f"{folder / taken[0]} exists already; nothing was written",
            hint="choose a new folder, or move what is there out of the way",
        )
    for path, text in files.items():
        store.make_folder((folder / path).parent)
        store.write_bytes(folder / path, text.encode())
    return tuple(Path(path) for path in files)


def _rendered(name: str, targets: tuple[str, ...]) -> dict[str, str]:
    environment = templates.environment(
        "starter",
        keep_trailing_newline=True,
        autoescape=False,
        trim_blocks=True,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
    )
    module = name.replace("-", "_")
    context = {"name": name, "module": module, "version": tinyhil.__version__, "boards": targets}
    names = sorted(path for path in environment.list_templates() if path.endswith(".j2"))
    return {
        path.removesuffix(".j2").replace("MODULE", module).replace("MODEL", name): (
            environment.get_template(path).render(context)
        )
        for path in names
    }

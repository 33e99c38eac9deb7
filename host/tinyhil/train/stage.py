"""The stage: trains a recipe's model in a child process, or finds the artifact of an earlier training.

TensorFlow is imported in the child only, so a run that finds everything in place never pays for it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from tinyhil import process, worker
from tinyhil.artifacts import hashing, store
from tinyhil.artifacts.types import FloatModel
from tinyhil.config import recipe as recipes
from tinyhil.config.recipe import Recipe
from tinyhil.data import dataset, samples_file
from tinyhil.process import Limits
from tinyhil.progress import Reporter

STAGE = "train"
MODEL = "model.keras"
DATASET = "dataset.npz"
HISTORY = "history.json"


def key(recipe: Recipe, code: Path, data: Path | None = None) -> str:
    """Hash of all that the trained model depends on.

    Raises:
        InputError: the user's data cannot be read.
    """
    data_sha256 = None if data is None else samples_file.digest(data)
    return hashing.of_json(
        {
            "stage": hashing.of_sources([Path(__file__).parent, Path(dataset.__file__).parent]),
            "recipe": recipe.name,
            "train": msgspec.to_builtins(recipe.train),
            "code": hashing.of_file(code),
            "data": data_sha256,
        }
    )


def train(path: Path, folder: Path, reporter: Reporter, data: Path | None = None) -> tuple[FloatModel, bool]:
    """Trains the recipe at ``path`` into ``folder``.

    Args:
        data: a user's file of samples instead of the recipe's own dataset.

    Returns:
        The model, and whether it was found rather than trained.

    Raises:
        ConfigError: the recipe or its code is wrong.
        InputError: the data cannot be used.
        MissingToolError: TensorFlow is not installed.
        StorageError: the folder cannot be written.
        ToolError: the training ended without a model.
    """
    recipe = recipes.load(path)
    code = recipes.code_path(path, recipe)
    wanted = key(recipe, code, data)
    manifest = store.load(folder, STAGE, wanted)
    found = manifest is not None
    if manifest is None:
        with store.scratch(folder) as new:
            result = worker.call(
                "tinyhil.train.child",
                {
                    "recipe": str(path),
                    "code": str(code),
                    "folder": str(new),
                    "train": msgspec.to_builtins(recipe.train),
                    "data": None if data is None else str(data),
                },
                what=f"train {recipe.name}",
                reporter=reporter,
                # A recipe is the user's own code: it may take what there is, but for what keeps the computer usable.
                limits=Limits(memory_bytes=process.physical_memory() * 9 // 10),
            )
            manifest = store.adopt(folder, new, STAGE, wanted, (MODEL, DATASET, HISTORY), result)
    model = FloatModel(
        recipe=recipe.name,
        path=folder / MODEL,
        dataset=folder / DATASET,
        key=wanted,
        metrics=manifest.facts["metrics"],
        history=folder / HISTORY,
        provenance=manifest.facts["provenance"],
        trained_by=manifest.facts["trained_by"],
        epoch=manifest.facts["epoch"],
        diagnosis=manifest.facts["diagnosis"],
        figures=manifest.facts["figures"],
        functions=tuple(manifest.facts["functions"]),
    )
    return model, found

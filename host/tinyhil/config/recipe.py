"""A recipe: what is trained, how it is quantized, and what the verdict asks of it.

A recipe is a TOML file, and beside it a Python file for what is code. The Python file defines::

    def dataset(seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]
        # "train", "validation" and "test", each (inputs, targets), first axis the sample; inputs become float32,
        # targets float32 or, if they are integers, int32. Or a tinyhil.data.Dataset, which says where it came from.
    def model() -> keras.Model
        # not compiled; keras is imported inside, so that nothing else pays for it
    def truth(inputs: np.ndarray) -> np.ndarray
        # optional: the noise-free targets for inputs, where the task has them
    def prepare(inputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]
        # optional: makes what the model takes of what dataset() returns or a user's file holds
    def train(model: keras.Model, data: dict, reporter: Reporter) -> tuple[keras.Model, dict[str, list[float]]]
        # optional: trains by itself; returns the model to deploy, and a value for each step by name, at least "loss"
    def figures(model: keras.Model) -> dict[str, float]
        # optional: what the lesson reads from the trained model: numbers or arrays of them
    def pictures(draw: ModuleType, history: dict[str, list[float]], folder: Path) -> dict[str, str]
        # optional: draws the training itself: writes NAME.png and NAME.svg into folder, with draw (the package
        # tinyhil.plots) or anything else, and returns what each NAME shows
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path, PureWindowsPath
from types import ModuleType
from typing import Annotated, Literal, cast, get_args

import msgspec
from msgspec import Meta

from tinyhil import kinds, worker
from tinyhil.config import named, recipe_code, toml
from tinyhil.errors import ConfigError

SHIPPED = Path(__file__).parent / "recipes"
USER = Path("recipes")
OPTIONAL = ("truth", "prepare", "train", "figures", "pictures")
"""Functions that a recipe's code may define."""

Scheme = Literal["float32", "int8", "int8-per-channel", "int16x8", "dynamic"]
"""How a model is quantized.

``float32``: not at all.
``int8``: weights, activations, inputs and outputs, with Dense layers as the engine computes them right.
``int8-per-channel``: the same with Dense layers per channel, whatever the engine computes.
``int16x8``: weights int8, activations, inputs and outputs int16; Dense layers per tensor.
``dynamic``: weights int8 where a layer has 1,024 of them or more, the rest float32 (TensorFlow's dynamic range
quantization); Dense layers per tensor.
"""

Positive = Annotated[int, Meta(gt=0, lt=2**31)]
Shown = Annotated[float, Meta(ge=-100_000, le=100_000)]
"""A number that the firmware prints (firmware/lib/demo)."""
Bound = Annotated[float, Meta(ge=0, le=sys.float_info.max)]


class EarlyStopping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the training ends before its last epoch.

    Attributes:
        monitor: the figure that has to improve.
        patience: epochs that it may fail to.
        min_delta: the least change that counts.
        restore_best: go back to the weights of the best epoch.
    """

    monitor: str = "val_loss"
    patience: Positive = 10
    min_delta: Bound = 0.0
    restore_best: bool = True


class Train(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the model is trained.

    Attributes:
        seed: of the dataset, the initial weights and the shuffling.
        optimizer, loss, metrics: Keras' names.
        learning_rate: of the optimizer; None for Keras' default.
        from_logits: whether the loss, then a class of Keras, is given logits: a classifier without a softmax.
        keep_best: keep the weights of the epoch with the lowest validation loss instead of the last epoch's.
        early_stopping: when to end before the last epoch; not with ``keep_best``, which needs no restoring.
    """

    seed: Annotated[int, Meta(ge=0, lt=2**32)]
    epochs: Positive
    batch_size: Positive
    optimizer: str
    loss: str
    metrics: tuple[str, ...] = ()
    learning_rate: Annotated[float, Meta(gt=0, le=sys.float_info.max)] | None = None
    from_logits: bool = False
    keep_best: bool = False
    early_stopping: EarlyStopping | None = None

    def __post_init__(self) -> None:
        """Refuses two ways of choosing the weights."""
        if self.keep_best and self.early_stopping is not None and self.early_stopping.restore_best:
            raise ValueError("`keep_best` and `early_stopping.restore_best` both choose the weights: ask for one")


class Quantize(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the model is quantized.

    Attributes:
        scheme: see ``Scheme``.
        representative_samples: how many training inputs calibrate the ranges.
    """

    scheme: Scheme = "int8"
    representative_samples: Positive = 600


class Fidelity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked of the device against the integer reference.

    Attributes:
        max_lsb: the largest difference in LSB.
        search: where the vectors are not all inputs there are, how many more a run tries in search of a larger
            difference; 0 for none.
    """

    max_lsb: Annotated[int, Meta(ge=0)] = 0
    search: Annotated[int, Meta(ge=0)] = 256


class Accuracy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds; None asks nothing.

    Attributes:
        device_vs_truth_mae, device_vs_float_mae, float_vs_truth_mae: of mean absolute errors, in real units.
        top1_drop: of the accuracy that a classifier loses between float model and device: 0.01 is one point.
    """

    device_vs_truth_mae: Bound | None = None
    device_vs_float_mae: Bound | None = None
    float_vs_truth_mae: Bound | None = None
    top1_drop: Bound | None = None


class Demo(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"start": "from", "end": "to"}
):
    """What the firmware does without a host: the model over a range of its input.

    Attributes:
        start: the first input, in real units (the key ``from``).
        end: where the range ends (``to``): x begins anew instead of reaching it.
        steps: inputs in between, evenly spaced.
    """

    start: Shown
    end: Shown
    steps: Annotated[int, Meta(ge=2, le=65535)]

    def __post_init__(self) -> None:
        """Refuses a range that is none."""
        if not self.start < self.end:
            raise ValueError(f"`from` ({self.start:g}) has to be below `to` ({self.end:g})")

    @property
    def step(self) -> float:
        """From one input to the next."""
        return (self.end - self.start) / self.steps


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One recipe file.

    Attributes:
        name: as the file's.
        title: one line.
        code: the Python file beside it.
        classes: names of a classifier's classes, in the order of the indices; without them they are numbered.
        beside: another recipe of the same task, whose training is shown beside this one in pictures.
        demo: for models with one int8 number in and one out.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    title: str
    code: str
    classes: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    beside: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")] | None = None
    train: Train
    quantize: Quantize = Quantize()
    fidelity: Fidelity = Fidelity()
    accuracy: Accuracy = Accuracy()
    demo: Demo | None = None


def paths(user: Path = USER) -> dict[str, Path]:
    """Every recipe's file by name, shipped ones first.

    Raises:
        ConfigError: a user's file takes the name of a shipped recipe.
    """
    return named.paths("recipe", SHIPPED, user)


def find(name: str, user: Path = USER) -> Path:
    """The file of the recipe called ``name``.

    Raises:
        ConfigError: there is no such recipe.
    """
    return named.find(name, "recipe", SHIPPED, user)


def load(path: Path) -> Recipe:
    """Reads a recipe file.

    Raises:
        ConfigError: it is wrong, or its code file is missing.
    """
    recipe = toml.load(path, Recipe)
    if recipe.name != path.stem:
        raise ConfigError(
            f"{path}: its name is {recipe.name!r}, but the file is called {path.name}",
            hint=f"write name = {path.stem!r}, or rename the file",
            kind=kinds.WRONG_FILE,
        )
    # Windows' way to write a path is none here, but a recipe may be taken there.
    if PureWindowsPath(recipe.code).name != recipe.code:
        raise ConfigError(
            f"{path}: code is {recipe.code!r}, a path that leads away from the recipe",
            hint=f"put the code beside the recipe, and write code = {PureWindowsPath(recipe.code).name!r}",
            kind=kinds.WRONG_FILE,
        )
    if not code_path(path, recipe).is_file():
        raise ConfigError(
            f"{path}: its code file {recipe.code} does not exist beside it",
            hint="put it there, or name the one that is there",
            kind=kinds.WRONG_FILE,
        )
    return recipe


def scheme(name: str) -> Scheme:
    """The scheme called ``name``.

    Raises:
        ConfigError: there is no such scheme.
    """
    for known in get_args(Scheme):
        if name == known:
            return cast(Scheme, known)
    raise named.unknown("scheme", name, get_args(Scheme))


def code_path(path: Path, recipe: Recipe) -> Path:
    """The recipe's Python file."""
    return path.parent / recipe.code


def load_code(path: Path, needed: tuple[str, ...] = ("dataset", "model")) -> ModuleType:
    """Imports a Python file of the user's, as a rule a recipe's; called in child processes only (``recipe_code``).

    Args:
        needed: the functions that it has to have.

    Raises:
        ConfigError: it cannot be imported, lacks one of these, or has a ``truth`` (or another of ``OPTIONAL``) that is
            not a function.
    """
    spec = importlib.util.spec_from_file_location(f"tinyhil_recipe_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is not a Python file", hint="call it NAME.py", kind=kinds.RECIPE_CODE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the names in a class of the recipe
    with (
        worker.recipe_runs(path, f"{path}, as it was imported,"),
        recipe_code.running(path, f"{path} cannot be imported"),
    ):
        spec.loader.exec_module(module)
    missing = [name for name in needed if not callable(getattr(module, name, None))]
    if missing:
        raise ConfigError(
            f"{path} does not define {'() and '.join(missing)}()",
            hint="define it as a function",
            kind=kinds.RECIPE_CODE,
        )
    for name in OPTIONAL:
        if not callable(getattr(module, name, len)):
            raise ConfigError(f"{path} defines {name}, but not as a function", hint="rename it", kind=kinds.RECIPE_CODE)
    return recipe_code.guarded(path, module, (*needed, *OPTIONAL))


def optional(module: ModuleType) -> tuple[str, ...]:
    """Which of ``OPTIONAL`` the recipe's code defines."""
    return tuple(name for name in OPTIONAL if hasattr(module, name))

"""What every source of a model offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from tinyhil.artifacts.types import FloatModel, QuantizedModel
from tinyhil.config.recipe import Recipe, Scheme


@dataclass(frozen=True)
class Asked:
    """What a run was asked for, by its content: whatever is shown of it has to be of the same.

    Attributes:
        source_sha256: of the user's model file; of a recipe over its file and its code.
        samples_sha256: of the samples beside a file, or of the data in place of a recipe's own; None for none.
    """

    source_sha256: str
    samples_sha256: str | None


class ModelSource(Protocol):
    """Where a model, its samples and its truth come from."""

    @property
    def recipe(self) -> Recipe:
        """The recipe; for a model file one of its name with no bounds, and nothing to train."""

    @property
    def scheme(self) -> Scheme:
        """How the model is quantized."""

    @property
    def file(self) -> str:
        """The user's own file that is run instead of a recipe, from the root on; empty for a recipe."""

    @property
    def trained(self) -> FloatModel | None:
        """The float model as far as it is there: None before ``float_model`` was called, or where there is none."""

    def float_model(self) -> FloatModel:
        """The float model with its samples.

        Raises:
            ConfigError: there is none.
        """

    def content(self) -> tuple[bytes, str]:
        """What pre-flight looks at: the content of the model file that is to run, and how to call it in messages."""

    def quantized(self) -> QuantizedModel:
        """The quantized model with its vectors and reference outputs."""

    def asked(self) -> Asked:
        """What was asked for, by its content.

        Raises:
            InputError: a file cannot be read.
        """

    def truth(self) -> Any:
        """The function of the noise-free targets; None where there is none.

        Raises:
            ConfigError: the recipe's code cannot be imported.
        """

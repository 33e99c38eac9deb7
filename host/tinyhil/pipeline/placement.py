"""Where a model is to run: a target and one of its engines."""

from __future__ import annotations

from dataclasses import dataclass

from tinyhil.options import Options
from tinyhil.session.measuring import COUNT, WARM_UP
from tinyhil.targets import registry
from tinyhil.targets.allowance import Allowance, allowance
from tinyhil.targets.model import Engine, Target


@dataclass(frozen=True)
class Placement:
    """Where a model is to run.

    Attributes:
        target: the target's facts.
        engine_name: name of the engine.
        allowance: how much a run may ask of the device.
    """

    target: Target
    engine_name: str
    allowance: Allowance

    @property
    def engine(self) -> Engine:
        """The engine's facts."""
        return self.target.engines[self.engine_name]

    def variant(self, scheme: str, usual_scheme: str) -> str:
        """The folder's name: by what differs from a plain run on the target.

        Args:
            scheme: how the model is quantized.
            usual_scheme: how the recipe says.
        """
        engine = "" if self.engine_name == self.target.default_engine else f"-{self.engine_name}"
        return f"{self.target.name}{engine}{'' if scheme == usual_scheme else f'-{scheme}'}"


def chosen(options: Options) -> Placement:
    """The placement that the options name.

    Raises:
        ConfigError: there is no such target or engine, or the options say no duration or no number of vectors.
    """
    target = registry.get(options.target)
    name, _ = registry.engine(target, options.engine)
    measured = 0 if target.measure.unit == "nothing" else WARM_UP + COUNT
    return Placement(target, name, allowance(target.pace, options.budget, options.vectors, measured))

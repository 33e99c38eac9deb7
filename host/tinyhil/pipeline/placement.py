"""Where a model is to run: a target and one of its engines."""

from __future__ import annotations

from dataclasses import dataclass

from tinyhil import kinds
from tinyhil.errors import ConfigError
from tinyhil.options import Options
from tinyhil.render import FORMS, PROJECT
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
        form: what the model is rendered as; one of ``render.FORMS``.
    """

    target: Target
    engine_name: str
    allowance: Allowance
    form: str

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
        form = "" if self.form == PROJECT else f"-{self.form}"
        return f"{self.target.name}{engine}{'' if scheme == usual_scheme else f'-{scheme}'}{form}"


def chosen(options: Options) -> Placement:
    """The placement that the options name.

    Raises:
        ConfigError: there is no such target, engine or form, the target has no library, or the options say no duration
            or no number of vectors.
    """
    if options.form not in FORMS:
        raise ConfigError(
            f"a model can be rendered as {' or '.join(FORMS)}, and not as {options.form!r}",
            hint="correct --as, or leave it out for a project",
            kind=kinds.UNKNOWN_NAME,
        )
    target = registry.get(options.target)
    name, _ = registry.engine(target, options.engine)
    if options.form != PROJECT and (target.build is None or not target.build.library):
        raise ConfigError(
            f"there is no library for target {target.name}: "
            + ("nothing is compiled for it" if target.build is None else f"{target.build.framework} takes none"),
            hint="choose another target, or leave out --as",
            kind=kinds.CONTRADICTION,
        )
    measured = 0 if target.measure.unit == "nothing" else WARM_UP + COUNT
    return Placement(target, name, allowance(target.pace, options.budget, options.vectors, measured), options.form)

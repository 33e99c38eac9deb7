"""A model on its target, measured operator by operator, in the very image that a run uses."""

from __future__ import annotations

from dataclasses import dataclass

from tinyhil.compare.verdict import OperatorCost
from tinyhil.errors import ConfigError
from tinyhil.pipeline.run import Run
from tinyhil.session import measure
from tinyhil.verify import operator_costs


@dataclass(frozen=True)
class Profile:
    """What was measured.

    Attributes:
        unit: of the costs, ``instructions`` or ``microseconds``.
        operators: those that compute something, in the order of execution.
        inference: the cost of one inference as a whole, median of many.
        memory_bytes: working memory of the engine, None where it does not say.
    """

    unit: str
    operators: tuple[OperatorCost, ...]
    inference: float
    memory_bytes: int | None

    @property
    def total(self) -> float:
        """The sum over the operators."""
        return sum(operator.cost for operator in self.operators)

    @property
    def unaccounted(self) -> float:
        """What the inference takes beyond its operators, as a share of it; negative where they take more."""
        return (self.inference - self.total) / self.inference


def profile(run: Run) -> Profile:
    """Builds the model, runs it and has each operator timed.

    Args:
        run: of the model on its target.

    Raises:
        BlockedError: the target cannot be had, or did not answer.
        ConfigError: the target has no clock, or the engine times no operators.
        ModelError: the engine does not compute the model right, and the options do not force it.
    """
    model = run.preflight()
    unit = run.target.measure.unit
    if unit == "nothing":
        raise ConfigError(
            f"{run.target.name} measures nothing: it has no clock that tells the cost of an inference",
            hint="choose a --target that counts instructions, such as qemu-m4, or a board",
        )
    run.build()
    with run.observer.stage("profile"):
        with run.running_device() as device, device.session() as session:
            measurement = measure(session, model.vectors.inputs)
        operators = operator_costs(model, measurement, run.target.measure)
        run.observer.result(f"{len(operators)} operators", found=False)
    if not operators or not measurement.ticks:
        raise ConfigError(
            f"the engine {run.engine!r} times no operators on {run.target.name}",
            hint=f"the target has {', '.join(run.target.engines)}",
        )
    ticks = sorted(measurement.ticks)
    middle = ticks[len(ticks) // 2] if len(ticks) % 2 else (ticks[len(ticks) // 2 - 1] + ticks[len(ticks) // 2]) / 2
    resources = measurement.resources
    return Profile(
        unit=unit,
        operators=operators,
        inference=middle * run.target.measure.per_tick,
        memory_bytes=None if resources is None else resources.arena_bytes,
    )

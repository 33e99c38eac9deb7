"""Holds a model file against what an engine declares, and lists all that is wrong at once.

An engine that meets an operator it does not know says so sooner or later. The worse kind computes on: libraries that
know no Dense layers with a scale per channel take the first scale for all of them, and report success. So what an
engine computes is declared in the target file, and a model is held against it before anything is built.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from tinyhil import chain, kinds, tflite
from tinyhil.artifacts.types import Problem
from tinyhil.errors import ModelError
from tinyhil.preflight import memory
from tinyhil.targets.model import Engine, Target
from tinyhil.targets.registry import engine as engine_of

_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)

_LISTED = 12
"""How many operators a sentence lists."""
_SHOWN = 4
"""How many tensors or operators with the same fault one sentence names."""
_PARAMETERS = ("int32", "int64")
"""Element types of biases, shapes and paddings, which go with their operators."""
_LAYERS = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")
"""Operators whose second input is their weights."""

_STEPS = {"SOFTMAX": "export logits and apply softmax or argmax to the outputs, or choose another --engine"}
"""Where an operator that is not computed has a better next step than the list of those that are."""


def check(content: bytes, name: str, target: Target, engine: str) -> tuple[Problem, ...]:
    """Everything that keeps ``engine`` from computing a model right on ``target``; nothing where there is nothing.

    Args:
        content: of the model file.
        name: how to call it in messages.

    Raises:
        ConfigError: the target has no such engine.
        ModelError: it is no model, or damaged.
    """
    _, facts = engine_of(target, engine)
    model = tflite.parse(content, name)
    problems: list[Problem] = []
    if len(model.graphs) > 1:
        problems.append(
            Problem(
                "subgraphs",
                f"the model has {len(model.graphs)} subgraphs, only one is supported",
                "export it without control flow, or with one signature",
            )
        )
    for index, graph in enumerate(model.graphs):
        where = f"subgraph {index}: " if index else ""
        problems += [replace(found, cause=where + found.cause) for found in _graph(graph, engine, facts)]
    if facts.ahead_of_time:
        problems += _compiled(content, engine, facts)
    problems += _ends(model.main, engine, facts)
    problems += _budget(model, target, facts, None if problems else _memory(content, facts))
    return tuple(problems)


def refusal(
    problems: Sequence[Problem], name: str, engine: str, target: str, takers: Sequence[tuple[str, str]] = ()
) -> ModelError:
    """The error that lists all problems, one a line with its next step.

    Args:
        takers: target and engine that take the model, the nearest first.
    """
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return ModelError(
        "\n".join(
            [
                f"{name} is not for the engine {engine!r} of {target}, {count}:",
                *(f"  {line(each)}" for each in problems),
            ]
        ),
        hint=_way_out(takers, target),
        kind=kinds.REFUSED_MODEL,
    )


def _way_out(takers: Sequence[tuple[str, str]], target: str) -> str:
    forced = "--force goes on anyway, and the verdict then shows the result"
    for name, engine in takers:
        if name == target:
            return f"--engine {engine} takes it on {target}; {forced}"
    if takers:
        return f"--target {takers[0][0]} takes it (engine {takers[0][1]!r}); {forced}"
    return f"fix what is listed: no engine of any target takes it; {forced}"


def line(problem: Problem) -> str:
    """A problem with its next step."""
    return f"{problem.cause}: {problem.hint}"


def summary(model: tflite.Model, target: Target, engine: str) -> str:
    """What was looked at, in a few words."""
    needs = memory.needs(model, target.engines[engine], target.link)
    count = sum(len(graph.operators) for graph in model.graphs)
    operators = "1 operator" if count == 1 else f"{count} operators"
    return f"{operators}, at least {needs.flash:,} B of flash and {needs.ram:,} B of RAM"


def _compiled(content: bytes, engine: str, facts: Engine) -> Iterator[Problem]:
    """What tinyhil's own compiler does not take: those of the same kind with the same cause are one problem."""
    refusals = [
        refusal
        for refusal in chain.ask(content, cmsis=facts.kernels == "cmsis-nn", profile=facts.profile).refused
        if refusal.name in _computed(facts)  # others have been named already
    ]
    for (_, cause, hint), same in _by(refusals, lambda each: (each.name, each.cause, each.hint)):
        yield Problem(
            "operator",
            f"{_listed([each.operator for each in same])} {cause}",
            hint or "build the model without it, or choose another --engine",
        )


def _memory(content: bytes, facts: Engine) -> int | None:
    """The working memory where it is known to the byte, because tinyhil itself has planned it."""
    if not facts.ahead_of_time:
        return None
    return chain.ask(content, cmsis=facts.kernels == "cmsis-nn", profile=facts.profile).memory_bytes


def _graph(graph: tflite.Graph, engine: str, facts: Engine) -> Iterator[Problem]:
    yield from _operators(graph, engine, facts)
    if not facts.ahead_of_time:
        yield from _versions(graph, engine, facts)
    if not facts.per_channel_dense:
        yield from _per_channel(graph, engine)
    if not facts.ahead_of_time:
        yield from _dtypes(graph, engine, facts)
        if "float32" in facts.dtypes:
            yield from _hybrid(graph, engine)  # elsewhere the floats have been named already
    yield from _dynamic(graph)


def _operators(graph: tflite.Graph, engine: str, facts: Engine) -> Iterator[Problem]:
    unknown = [operator for operator in graph.operators if operator.name not in _computed(facts)]
    for name, same in _by(unknown, lambda operator: operator.name):
        yield Problem(
            "custom-operator" if same[0].custom else "operator",
            f"{_listed(same)} {_is(same)} not computed by {engine!r}",
            _STEPS.get(name, _instead(facts)),
        )


def _instead(facts: Engine) -> str:
    """The next step where an operator is not computed; a list of everything that is helps where it is short."""
    if facts.ops and len(facts.ops) <= _LISTED:
        return f"build the model from {', '.join(facts.ops)}, or choose another --engine"
    return "build the model without it, or choose another --engine"


def _computed(facts: Engine) -> Collection[str]:
    """The names of the operators that the engine takes in some form."""
    return facts.ops or chain.OPERATORS


def _versions(graph: tflite.Graph, engine: str, facts: Engine) -> Iterator[Problem]:
    late = [
        operator
        for operator in graph.operators
        if operator.name in facts.ops and operator.version > facts.versions.get(operator.name, operator.version)
    ]
    for (name, version), same in _by(late, lambda operator: (operator.name, operator.version)):
        yield Problem(
            "operator-version",
            f"{_listed(same)} {_has(same)} version {version}, {engine!r} computes up to version {facts.versions[name]}",
            "export the layer without what the later version added, or choose another --engine",
        )


def _per_channel(graph: tflite.Graph, engine: str) -> Iterator[Problem]:
    for operator in graph.operators:
        weights = graph.of(operator.inputs[1:2])
        if operator.name == "FULLY_CONNECTED" and weights and weights[0].per_channel:
            yield Problem(
                "per-channel-dense",
                f"{operator} has {len(weights[0].scales)} scales (per channel) for its weights, {weights[0]}, which "
                f"{engine!r} does not compute right",
                "quantize Dense layers per tensor: --scheme int8 does so for this engine",
            )


def _dtypes(graph: tflite.Graph, engine: str, facts: Engine) -> Iterator[Problem]:
    also = {str(dtype): ops for dtype, ops in facts.also.items()}
    wrong = [
        tensor
        for tensor in graph.used
        if tensor.dtype not in facts.dtypes
        and not (tensor.constant and tensor.dtype in _PARAMETERS)
        and not _computed_by_all(graph, tensor, also.get(tensor.dtype, ()))
    ]
    computes = ", and ".join(
        [", ".join(facts.dtypes), *(f"{dtype} in {', '.join(ops)}" for dtype, ops in also.items())]
    )
    for dtype, same in _by(wrong, lambda tensor: tensor.dtype):
        yield Problem(
            "dtype",
            f"{_listed(same)} {_is(same)} {dtype}, {engine!r} computes {computes}",
            "quantize the whole model, inputs and outputs included, or choose another --engine",
        )


def _computed_by_all(graph: tflite.Graph, tensor: tflite.Tensor, ops: Collection[str]) -> bool:
    """Whether all operators that a tensor belongs to are among these."""
    named = [operator.name for operator in graph.operators if tensor.index in (*operator.inputs, *operator.outputs)]
    return bool(named) and all(name in ops for name in named)


def _hybrid(graph: tflite.Graph, engine: str) -> Iterator[Problem]:
    """Layers of floats with integer weights, which no engine of ours computes; LiteRT does."""
    mixed = [operator for operator in graph.operators if operator.name in _LAYERS and _is_hybrid(graph, operator)]
    if mixed:
        yield Problem(
            "hybrid",
            f"{_listed(mixed)} {_has(mixed)} float32 inputs and int8 weights (dynamic range quantization), which "
            f"{engine!r} does not compute",
            "quantize by --scheme int8 or int16x8, or not at all: float32",
        )


def _is_hybrid(graph: tflite.Graph, operator: tflite.Operator) -> bool:
    first, weights = graph.of(operator.inputs[:1]), graph.of(operator.inputs[1:2])
    floats = any(each.dtype == "float32" for each in first)
    return floats and any(each.dtype == "int8" and each.constant for each in weights)


def _dynamic(graph: tflite.Graph) -> Iterator[Problem]:
    open_ = [tensor for tensor in graph.used if tensor.dynamic]
    if open_:
        yield Problem(
            "dynamic-shape",
            f"{_listed(open_)} {_has(open_)} a dynamic shape, {open_[0].signature or open_[0].shape}",
            "export with a fixed batch of 1 and fixed sizes: Input(batch_shape=(1, ...))",
        )


def _ends(graph: tflite.Graph, engine: str, facts: Engine) -> Iterator[Problem]:
    """Number, batch and form of the main graph's inputs and outputs."""
    for what, ends, most in (
        ("input", graph.inputs, facts.max_inputs),
        ("output", graph.outputs, facts.max_outputs),
    ):
        if len(ends) > most:
            yield Problem(
                "inputs-outputs",
                f"the model has {len(ends)} {what}s ({_listed(graph.of(ends))}), {engine!r} takes {most}",
                "join them in one tensor, or choose another --engine",
            )
        for tensor in graph.of(ends):
            if tensor.dynamic:
                continue  # said already
            try:
                tflite.spec(tensor, what)
            except ModelError as error:
                yield Problem(
                    "interface",
                    error.message,
                    error.hint or "export a model whose inputs and outputs are plain tensors",
                )
                continue
            if tensor.shape[0] != 1:
                yield Problem(
                    "batch",
                    f"{what} {tensor} has a batch of {tensor.shape[0]}, only 1 is supported",
                    "export with a fixed batch of 1: Input(batch_shape=(1, ...))",
                )


def _budget(model: tflite.Model, target: Target, facts: Engine, planned: int | None) -> Iterator[Problem]:
    """Whether flash and RAM are enough; ``planned`` is the working memory in bytes, where it is known."""
    needs = memory.needs(model, facts, target.link)
    chip = target.chip
    of_static = " for static data" if chip.static_ram_bytes else ""
    if needs.flash > chip.flash_bytes:
        what = "model file" if facts.whole_file else "weights"
        yield Problem(
            "flash",
            f"the {what} alone would take {needs.flash:,} B of flash, {target.name} has {chip.flash_bytes:,} B",
            "use a smaller model or another target",
        )
    if planned is not None and planned + needs.buffers > chip.static_ram:
        yield Problem(
            "ram",
            f"the working memory ({planned:,} B) and the link's buffers ({needs.buffers:,} B) would take "
            f"{planned + needs.buffers:,} B of RAM, {target.name} has {chip.static_ram:,} B{of_static}",
            "use a smaller model, another target, or a smaller link.max_payload",
        )
    elif needs.ram > chip.static_ram:
        yield Problem(
            "ram",
            f"the inputs and outputs of {needs.widest} ({needs.activations:,} B) and the link's buffers "
            f"({needs.buffers:,} B) would take {needs.ram:,} B of RAM, {target.name} has {chip.static_ram:,} B"
            f"{of_static}",
            "use a smaller model, another target, or a smaller link.max_payload",
        )


def _by(items: Iterable[_T], key: Callable[[_T], _K]) -> Iterable[tuple[_K, list[_T]]]:
    """The items with the same key, in the order of their first appearance."""
    groups: dict[_K, list[_T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups.items()


def _listed(items: Sequence[object]) -> str:
    """The first few of them, and how many more there are."""
    shown = ", ".join(str(item) for item in items[:_SHOWN])
    return shown if len(items) <= _SHOWN else f"{shown} and {len(items) - _SHOWN} more"


def _is(items: Sequence[object]) -> str:
    return "is" if len(items) == 1 else "are"


def _has(items: Sequence[object]) -> str:
    return "has" if len(items) == 1 else "have"

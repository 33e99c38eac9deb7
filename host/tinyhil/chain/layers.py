"""Layers that bakenn compiles: convolutions, Dense, pooling, padding.

Each operator is handed to bakenn as a model of its own. Of what it makes, the kernels are kept once for all operators,
the constants and the call for each. What it does not take, it says, and the operator's own function may.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tinyhil.chain import profiles
from tinyhil.chain.emitter import Emitter
from tinyhil.chain.graph import Operator
from tinyhil.chain.unsupported import Unsupported

OPERATORS = frozenset(
    {"AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MAX_POOL_2D", "PAD", "PADV2"}
)
"""What bakenn is asked about."""

SYMBOL = "bknn_model"
"""What the names of all its functions begin with."""


@dataclass
class Layers:
    """What bakenn has compiled of one model.

    Attributes:
        cmsis: whether its kernels for Cortex-M are to be used where there are some.
        profile: name of the CPU (profiles.py).
        steps: C functions that call the kernels, one for each operator.
        constants, declarations: of the weights.
        kernels: by bakenn's key.
        third_party: identifiers of CMSIS-NN's kernels, whose sources bakenn brings along.
    """

    cmsis: bool
    profile: str
    steps: list[str] = field(default_factory=list)
    declarations: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    kernels: dict[str, Any] = field(default_factory=dict)
    third_party: list[str] = field(default_factory=list)

    def add(self, operator: Operator, model: bytes, code: Emitter) -> None:
        """Compiles ``operator``, of which ``model`` is the file.

        Raises:
            Unsupported: bakenn does not take it.
        """
        rows = _rows(operator)
        import bakenn
        from bakenn.backend.portable_c.contracts import StepEmitContext, checked_emit_step
        from bakenn.backend.portable_c.selection import select_backend_plan
        from bakenn.passes import fuse_clamps, legalize_graph
        from bakenn.plan import lower_to_plan

        try:
            graph = bakenn.import_tflite(model, name="model")
            plan = lower_to_plan(fuse_clamps(legalize_graph(graph)))
            even = _evenly_padded(plan)
            backend = select_backend_plan(even, self._options())
            if all(selection.kernel_id.startswith("cmsis_nn.") for selection in backend.selections):
                plan = even
            else:
                backend = select_backend_plan(plan, self._options())
        except bakenn.BakeNNError as error:
            raise Unsupported(_cause(str(error))) from error
        index = operator.index
        names = {name: f"{SYMBOL}_{index}_constant_{at}" for at, name in enumerate(plan.constants)}
        packed = {name: f"{SYMBOL}_{index}_packed_{at}" for at, name in enumerate(sorted(backend.packed_constants))}
        needed = {
            name
            for selection, step in zip(backend.selections, plan.steps, strict=True)
            for name in (*step.inputs, *step.constants)
            if name in plan.constants and name not in selection.constant_overrides
        }
        alignment: int = backend.options.target.constant_alignment
        emissions = []
        for at, (step, selection) in enumerate(zip(plan.steps, backend.selections, strict=True)):
            overrides = {source: packed[name] for source, name in selection.constant_overrides.items()}
            # The number of the step is part of the names of its tables: unique in the model.
            number = index * 100 + at
            context = StepEmitContext(plan, SYMBOL, number, names, selection, overrides, backend.scratch_offset)
            emissions.append(checked_emit_step(step, context))
        kernels = {kernel.key: kernel for emission in emissions for kernel in emission.kernels}
        for key, kernel in kernels.items():
            if self.kernels.get(key, kernel) != kernel:
                raise Unsupported(f"needs another {key} than an operator before it")
        # Nothing is refused from here on.
        self.kernels |= kernels
        for name, values in plan.constants.items():
            if name in needed:
                self._constant(names[name], values, alignment)
        for name, constant in sorted(backend.packed_constants.items()):
            self._constant(packed[name], constant.value, max(alignment, constant.alignment))
        for emission in emissions:
            self.declarations += [constant.declaration for constant in emission.constants]
            self.constants += [constant.definition for constant in emission.constants]
        self.third_party += [
            selection.kernel_id for selection in backend.selections if selection.kernel_id.startswith("cmsis_nn.")
        ]
        function = f"{SYMBOL}_step_{index}"
        signature = f"void {function}(uint8_t *arena, const int8_t *input, int8_t *output)"
        self.declarations.append(f"{signature};")
        calls = "\n".join(emission.call for emission in emissions)
        self.steps.append(f"{signature} {{\n    (void)arena;\n{calls}\n}}\n")
        size = backend.arena_size + self._beyond(plan, backend)
        arena = code.scratch(size) if size else "nullptr"
        given, made = code.input(0), code.output(0)
        if rows > 1:  # bakenn's dense layers are of one row
            steps = operator.input(0).elements // rows, operator.outputs[0].elements // rows
            code.lines.append(f"for (int32_t row = 0; row < {rows}; ++row) {{")
            given, made = (f"{pointer} + row * {step}" for pointer, step in zip((given, made), steps, strict=True))
        code.lines.append(f"{function}({arena}, {given}, {made});")
        if rows > 1:
            code.lines.append("}")

    def _beyond(self, plan: Any, backend: Any) -> int:
        """Bytes of working memory that CMSIS-NN's kernels need past the end of what bakenn has planned."""
        needed = [
            profiles.scratch_bytes(self.profile, step, plan, selection.scratch_size)
            for step, selection in zip(plan.steps, backend.selections, strict=True)
            if selection.kernel_id.startswith("cmsis_nn.")
        ]
        return max(0, max(needed, default=0) - int(backend.scratch_size))

    def _options(self) -> Any:
        import bakenn

        policy = bakenn.KernelPolicy.STATIC_PRIORITY if self.cmsis else bakenn.KernelPolicy.PORTABLE
        return bakenn.CBackendOptions(
            kernel_policy=policy, enable_cmsis_nn=self.cmsis, target=profiles.descriptor(self.profile)
        )

    def _constant(self, symbol: str, values: Any, alignment: int) -> None:
        from bakenn.backend.portable_c.formatting import format_values

        declared = f"const {values.dtype.name}_t {symbol}[{values.size}]"
        self.declarations.append(f"extern {declared};")
        # The alignment that C11 has, spelt as C++ and C compilers of GNU know it.
        self.constants.append(f"__attribute__((aligned({alignment}))) {declared} = {{\n{format_values(values)}\n}};")

    def files(self) -> dict[str, bytes]:
        """The C sources, by path; nothing where no operator was added."""
        if not self.steps:
            return {}
        kernels = list(self.kernels.values())
        weights = [line for line in self.declarations if line.startswith("extern")]
        steps = [line for line in self.declarations if not line.startswith("extern")]
        headers = _includes(
            each for kernel in kernels for each in ("<stddef.h>", "<stdint.h>", *kernel.header_includes)
        )
        sources = _includes(each for kernel in kernels for each in kernel.source_includes)
        return {
            "bknn_model.h": _lines("#pragma once", "#include <stdint.h>", *steps),
            "bknn_model_kernels.h": _lines("#pragma once", *headers, *(kernel.declaration for kernel in kernels)),
            "bknn_model_kernels.c": _lines(
                '#include "bknn_model_kernels.h"', *sources, *(kernel.definition for kernel in kernels)
            ),
            "bknn_model_weights.h": _lines("#pragma once", "#include <stdint.h>", *weights),
            "bknn_model_weights.c": _lines('#include "bknn_model_weights.h"', *self.constants),
            "bknn_model.c": _lines(
                '#include "bknn_model.h"',
                '#include "bknn_model_kernels.h"',
                '#include "bknn_model_weights.h"',
                *self.steps,
            ),
            **self._third_party(),
        }

    def _third_party(self) -> dict[str, bytes]:
        """Sources and licences of CMSIS-NN, as far as its kernels are used."""
        from bakenn.backend.cmsis_nn import bundle_kernels

        from tinyhil import resources
        from tinyhil.artifacts.temporary import TemporaryFolder

        if not self.third_party:
            return {}
        with TemporaryFolder() as folder:
            bundle_kernels(folder, tuple(self.third_party))
            return resources.read_tree(folder)


def _rows(operator: Operator) -> int:
    """How many rows the one layer is computed for: those of a dense layer's input, else 1.

    Raises:
        Unsupported: bakenn would read something else than the operator's tensors.
    """
    if any(tensor is not None and tensor.dtype == "int4" for tensor in operator.inputs):
        raise Unsupported("has weights of int4, which are unpacked before bakenn sees them")
    if operator.name != "FULLY_CONNECTED":
        return 1
    units, depth = operator.input(1).shape
    rows = operator.outputs[0].elements // units
    if operator.input(0).elements != rows * depth or operator.outputs[0].elements != rows * units:
        raise Unsupported("has an input or an output of another size than its weights say")
    return rows


def _evenly_padded(plan: Any) -> Any:
    """The plan with as much padding at the end as at the beginning.

    bakenn gives CMSIS-NN no other convolutions. Its kernels know the padding at the beginning and the size of the
    output alone, as TFLM calls them, so for them nothing changes.
    """
    steps = []
    for step in plan.steps:
        padding = getattr(step, "padding", None)
        if padding is not None and step.kernel_kind in ("conv2d_s8", "depthwise_conv2d_s8"):
            top, _, left, _ = padding
            step = replace(step, padding=(top, top, left, left))
        steps.append(step)
    return replace(plan, steps=tuple(steps))


def _includes(names: Iterable[str]) -> list[str]:
    return [f"#include {name}" for name in dict.fromkeys(names)]


def _lines(*parts: str) -> bytes:
    return "\n".join([*parts, ""]).encode()


def _cause(text: str) -> str:
    """Bakenn's words, without the name that it gives the operator and that nobody but it knows."""
    return "is refused by bakenn: " + re.sub(r"^tflite_\d+_\w+: ", "", text)

"""Takes down the C++ of one operator: what is called, with which tensors, constants, scratch memory and state."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tinyhil.chain.graph import Operator, Tensor, Values

C_TYPES = {
    "bool": "uint8_t", "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "uint16": "uint16_t",
    "int32": "int32_t", "int64": "int64_t", "float32": "float", "int4": "int8_t",
}  # fmt: skip
"""C types by element type; a constant of int4 is unpacked to bytes."""


@dataclass(frozen=True)
class State:
    """Memory of an operator that lives from one inference to the next.

    Attributes:
        name: in the generated code, the index of its operator included.
        c_type: of an element.
        count: of elements.
        fill: the value of all elements after a reset.
    """

    name: str
    c_type: str
    count: int
    fill: int


@dataclass
class Emitter:
    """The code of one operator, built up by the operator's function.

    What the methods return are C++ expressions for :meth:`call`. Numbers are written so that they read back as the very
    same value.

    Attributes:
        operator: whose code it is.
        lines: the calls, in order.
        headers: of the kernels that are called, by file name below firmware/lib/kernels.
        definitions: of constants, in order.
        scratch_bytes: working memory that nobody else uses while the operator runs.
        states: memory that lives on.
        alias: position of the input whose memory the only output shares, because nothing is computed.
    """

    operator: Operator
    lines: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)
    scratch_bytes: int = 0
    states: list[State] = field(default_factory=list)
    alias: int | None = None

    def header(self, name: str) -> None:
        """Declares that a kernel of firmware/lib/kernels/``name`` is called."""
        if name not in self.headers:
            self.headers.append(name)

    def input(self, position: int) -> str:
        """A ``const T*`` to an input, constant or not, where T is its element type's C type."""
        tensor = self.operator.input(position)
        if tensor.values is not None:
            return self.constant(tensor.values)
        return f"const_tensor<{C_TYPES[tensor.dtype]}>({place(tensor)})"

    def output(self, position: int = 0) -> str:
        """A ``T*`` to an output, where T is its element type's C type."""
        tensor = self.operator.outputs[position]
        return f"tensor<{C_TYPES[tensor.dtype]}>({place(tensor)})"

    def constant(self, values: Values) -> str:
        """A ``const T*`` to a constant array with these values in row-major order, where T follows from their dtype."""
        c_type = C_TYPES[values.dtype.name]
        name = self._name(f"constant{len(self.definitions)}")
        flat = values.reshape(-1)
        text = [literal(value, c_type) for value in flat.tolist()]
        rows = "\n".join("    " + ", ".join(text[i : i + 16]) + "," for i in range(0, len(text), 16))
        self.definitions.append(f"alignas(8) const {c_type} {name}[{max(1, flat.size)}] = {{\n{rows}\n}};")
        return name

    def struct(self, c_type: str, **fields: int | float | str) -> str:
        """A constant of a struct of the kernels.

        The fields are given in the order of their declaration, which no compiler of C++11 checks. An array is given as
        the string ``{1, 2, 3}``.
        """
        name = self._name(f"constant{len(self.definitions)}")
        values = ", ".join(f"/* {key} */ {argument(value)}" for key, value in fields.items())
        self.definitions.append(f"const {c_type} {name} = {{{values}}};")
        return name

    def scratch(self, nbytes: int) -> str:
        """A ``uint8_t*``, aligned to 16, to working memory of this operator; its content is undefined at each run."""
        offset = (self.scratch_bytes + 15) // 16 * 16
        self.scratch_bytes = offset + nbytes
        return f"(scratch + {offset})"

    def state(self, c_type: str, count: int, fill: int = 0) -> str:
        """A ``T*`` to memory that is all ``fill`` after a reset and lives from one inference to the next."""
        kept = State(self._name(f"state{len(self.states)}"), c_type, count, fill)
        self.states.append(kept)
        return kept.name

    def call(self, function: str, *arguments: int | float | str) -> None:
        """Calls a function of the namespace of the kernels; ints and floats are written as literals."""
        self.lines.append(f"kernels::{function}({', '.join(argument(each) for each in arguments)});")

    def same_memory(self, position: int = 0) -> None:
        """Declares that the only output is input ``position`` under another name, so that nothing is computed."""
        self.alias = position

    def _name(self, what: str) -> str:
        return f"operator{self.operator.index}_{what}"


def place(tensor: Tensor) -> str:
    """The name of the constant that says where a tensor is in the working memory."""
    return f"kTensor{tensor.index}"


def argument(value: int | float | str) -> str:
    """A C++ expression."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return literal(value, "float" if isinstance(value, float | np.floating) else "int32_t")


def literal(value: float, c_type: str) -> str:
    """A number that reads back as the same value of ``c_type``."""
    if c_type == "float":
        if math.isnan(value):
            return "NAN"
        if math.isinf(value):
            return "INFINITY" if value > 0 else "-INFINITY"
        return f"{np.float32(value):.9e}f"
    number = int(value)
    if number == -(2**31):
        return "INT32_MIN"
    if c_type == "int64_t":
        return "INT64_MIN" if number == -(2**63) else f"INT64_C({number})"
    return str(number)

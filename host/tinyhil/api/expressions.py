"""Expressions in x, as they are typed: ``sin(x) / 2``.

They are taken apart here and computed by NumPy; nothing of them is ever run as Python.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable

import numpy as np

from tinyhil.artifacts.types import Reals
from tinyhil.errors import InputError

_CONSTANTS = {"pi": math.pi, "e": math.e}
_FUNCTIONS: dict[str, Callable[[Reals], Reals]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "asin": np.arcsin,
    "atan": np.arctan,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "exp": np.exp,
    "floor": np.floor,
    "log": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "round": np.round,
    "sign": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}
_OPERATORS: dict[type[ast.operator], Callable[[Reals, Reals], Reals]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_LONGEST = 500
"""Characters of an expression."""
VARIABLE = "x"


def evaluated(text: str, x: Reals | None) -> Reals:
    """The values of an expression.

    Args:
        text: numbers, ``x``, ``pi``, ``e``, the functions above, and ``+ - * / // % **`` with parentheses.
        x: values of x, (points,); None where there is none.

    Returns:
        As many values as x has, or a single one, (1,); where something has no value it is NaN or infinite.

    Raises:
        InputError: it is no such expression, or has an x where there is none.
    """
    try:
        tree = ast.parse(text.strip() if len(text) <= _LONGEST else "", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _refused(text) from None
    points = np.zeros(1) if x is None else x
    with np.errstate(all="ignore"):
        return np.broadcast_to(_value(tree, text, x), points.shape).astype(np.float64)


def _value(node: ast.expr, text: str, x: Reals | None) -> Reals:
    match node:
        case ast.Constant(value=float() | int() as number) if not isinstance(number, bool):
            try:
                return np.asarray(float(number))
            except OverflowError:
                return np.asarray(math.inf)
        case ast.Name(id=name) if name == VARIABLE and x is not None:
            return x
        case ast.Name(id=name) if name in _CONSTANTS:
            return np.asarray(_CONSTANTS[name])
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=operand):
            value = _value(operand, text, x)
            return -value if isinstance(sign, ast.USub) else value
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return _OPERATORS[type(operator)](_value(left, text, x), _value(right, text, x))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_value(argument, text, x))
    raise _refused(text)


def _refused(text: str) -> InputError:
    return InputError(
        f"{text[:_LONGEST]!r} is no input",
        hint="an expression has numbers, pi, e, + - * / ** and functions such as sin; with x it is over a range: "
        "sin(x) over 0..6.28 100",
    )

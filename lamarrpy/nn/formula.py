"""Formulas written as text, read without running any of it, and evaluated inside a network."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from lamarrpy.errors import ConfigError, did_you_mean

TINY = 1e-12
"""Smallest argument of a logarithm and of a square root, and smallest divisor, in size."""


def _divide(above: Any, below: Any) -> Any:
    # Both branches are finite for every divisor, else the unused one's derivative would make the gradient NaN.
    small = tf.abs(below) < TINY
    return above / tf.where(small, tf.where(below < 0.0, -TINY, TINY), below)


OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: tf.add,
    ast.Sub: tf.subtract,
    ast.Mult: tf.multiply,
    ast.Div: _divide,
}
"""What may stand between two operands."""

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "abs": tf.abs,
    "atanh": lambda x: tf.atanh(tf.clip_by_value(x, -1.0 + 1e-6, 1.0 - 1e-6)),
    "exp": lambda x: tf.exp(tf.minimum(x, 80.0)),
    "log": lambda x: tf.math.log(tf.maximum(x, TINY)),
    "sqrt": lambda x: tf.sqrt(tf.maximum(x, TINY)),
}
"""Functions by name. A generated row may lie where one is not defined: the nearest argument inside is taken there."""


class Formula:
    """An expression of named columns.

    It knows numbers, names, parentheses, ``+ - * /``, signs, and the `FUNCTIONS` of one argument.

    Parameters
    ----------
    text : str
        Such as ``"log(rich_dll_p - rich_dll_k + 200)"``.
    known : sequence of str
        Names of the columns that there are.

    Raises
    ------
    ConfigError
        If it cannot be read, or names something unknown.
    """

    def __init__(self, text: str, known: Sequence[str]) -> None:
        self.text = text
        self._known = tuple(known)
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise self._refused("text that can be read", f"{text!r}") from None
        self.names: frozenset[str] = frozenset()
        self._body = tree.body
        self._check(self._body)
        if not self.names:
            raise self._refused(f"at least one name out of {', '.join(known)}", "only numbers")

    def __call__(self, columns: Mapping[str, Any]) -> Any:
        """Its value for columns of shape (n,), float32, by name."""
        return self._value(self._body, columns)

    def _refused(self, expected: str, got: str, near: str = "") -> ConfigError:
        return ConfigError(f"formula {self.text!r}: expected {expected}, got {got}{near}")

    def _check(self, node: ast.AST) -> None:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                self._check_number(value)
            case ast.Name(id=name):
                self._check_name(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                self._check(operand)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                self._check(left)
                self._check(right)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
                self._check_function(name)
                self._check(argument)
            case _:
                raise self._refused(
                    f"numbers, names, parentheses, + - * / and {', '.join(FUNCTIONS)} of one argument",
                    f"{ast.unparse(node)!r}",
                )

    def _check_number(self, value: float) -> None:
        if abs(value) > 1e37:
            raise self._refused("numbers that fit into single precision", repr(value))

    def _check_name(self, name: str) -> None:
        if name not in self._known:
            raise self._refused(f"names out of {', '.join(self._known)}", repr(name), did_you_mean(name, self._known))
        self.names |= {name}

    def _check_function(self, name: str) -> None:
        if name not in FUNCTIONS:
            raise self._refused(f"functions out of {', '.join(FUNCTIONS)}", repr(name), did_you_mean(name, FUNCTIONS))

    def _value(self, node: ast.AST, columns: Mapping[str, Any]) -> Any:
        match node:
            case ast.Constant(value=value):
                return tf.constant(float(value), tf.float32)  # type: ignore[arg-type]
            case ast.Name(id=name):
                return columns[name]
            case ast.UnaryOp(op=operator, operand=operand):
                value = self._value(operand, columns)
                return -value if isinstance(operator, ast.USub) else value
            case ast.BinOp(left=left, op=operator, right=right):
                return OPERATORS[type(operator)](self._value(left, columns), self._value(right, columns))
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                return FUNCTIONS[name](self._value(argument, columns))
        raise AssertionError("a formula is checked when it is made")

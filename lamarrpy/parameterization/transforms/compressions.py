"""Functions that pull in long tails: log, log1p and asinh, each column by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.parameterization.transforms.stored import Stored
from lamarrpy.parameterization.transforms.transform import LARGEST, Floats, Transform, sample


@dataclass(frozen=True, eq=False, repr=False)
class _Compression(Transform):
    """A monotone function of each of ``width`` columns."""

    width: int

    @property
    def width_in(self) -> int:
        """Columns that go in."""
        return self.width

    @property
    def width_out(self) -> int:
        """As many come out."""
        return self.width

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        return cls(stored.count("width"))

    def as_json(self) -> dict[str, Any]:
        """The number of columns."""
        return {"kind": self.kind, "width": self.width}


@dataclass(frozen=True, eq=False, repr=False)
class Log(_Compression):
    """log(sign * x + offset), for quantities above -offset (or below offset, for sign -1)."""

    offset: float = 0.0
    sign: int = 1
    kind: ClassVar[str] = "log"

    @classmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None, offset: float = 0.0, sign: int = 1) -> Self:
        """See that the logarithm of every value exists.

        Parameters
        ----------
        values : array_like, shape (n, k)
        offset : float
            Added before the logarithm, in the units of the column.
        sign : int
            -1 for quantities whose long tail points down.

        Raises
        ------
        DomainError
            If sign * x + offset is not positive somewhere.
        ConfigError
            If the sign is not 1 or -1, or the offset is not a number.
        """
        if sign not in (1, -1) or not abs(offset) <= LARGEST:
            raise ConfigError(f"expected a finite offset and a sign of 1 or -1, got offset {offset}, sign {sign}")
        fitted = cls(sample(values, weights)[0].shape[1], float(offset), int(sign))
        fitted.forward(values)
        return fitted

    def as_json(self) -> dict[str, Any]:
        """The number of columns, offset and sign."""
        return {**super().as_json(), "offset": self.offset, "sign": self.sign}

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        sign = stored.number("sign")
        if sign not in (1.0, -1.0):
            raise stored.wrong("sign", "1 or -1", sign)
        return cls(stored.count("width"), stored.number("offset"), int(sign))

    def _forward(self, values: Floats) -> Floats:
        shifted = self.sign * values + self.offset
        _above_zero(shifted, values, f"{'-' if self.sign < 0 else ''}x + {self.offset:g}" if self.offset else "x")
        return np.log(shifted)

    def _inverse(self, values: Floats) -> Floats:
        _below(values, float(np.log(LARGEST)), "exponential")
        return self.sign * (np.exp(values) - self.offset)


class Log1p(_Compression):
    """log(1 + x), for quantities above -1; exact near 0."""

    kind: ClassVar[str] = "log1p"

    @classmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """See that the logarithm of every value of shape (n, k) exists."""
        fitted = cls(sample(values, weights)[0].shape[1])
        fitted.forward(values)
        return fitted

    def _forward(self, values: Floats) -> Floats:
        _above_zero(1.0 + values, values, "1 + x")
        return np.log1p(values)

    def _inverse(self, values: Floats) -> Floats:
        _below(values, float(np.log(LARGEST)), "exponential")
        return np.expm1(values)


@dataclass(frozen=True, eq=False, repr=False)
class Asinh(_Compression):
    """asinh(x / scale): linear below the scale, logarithmic above it, for either sign."""

    scale: float = 1.0
    kind: ClassVar[str] = "asinh"

    @classmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None, scale: float = 1.0) -> Self:
        """Count the columns of a sample of shape (n, k); the scale is given, in the units of the columns.

        Raises
        ------
        ConfigError
            If the scale is not a positive number.
        """
        if not 1.0 / LARGEST <= scale <= LARGEST:
            raise ConfigError(f"expected a scale above 0, got {scale}")
        return cls(sample(values, weights)[0].shape[1], float(scale))

    def as_json(self) -> dict[str, Any]:
        """The number of columns, and the scale."""
        return {**super().as_json(), "scale": self.scale}

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        scale = stored.number("scale")
        if scale < 1.0 / LARGEST:
            raise stored.wrong("scale", "a number above 0", scale)
        return cls(stored.count("width"), scale)

    def _forward(self, values: Floats) -> Floats:
        return np.arcsinh(values / self.scale)

    def _inverse(self, values: Floats) -> Floats:
        _below(values, float(np.log(LARGEST)), "sinh")
        return np.sinh(values) * self.scale


def _above_zero(shifted: Floats, values: Floats, name: str) -> None:
    if (shifted > 0.0).all():
        return
    row, column = np.argwhere(~(shifted > 0.0))[0]
    raise DomainError(
        f"expected {name} > 0 for a logarithm, got {int((~(shifted > 0.0)).sum())} others, the first"
        f" x = {float(values[row, column])} in row {row}; choose another offset, or asinh or quantile"
    )


def _below(values: Floats, limit: float, function: str) -> None:
    beyond = np.abs(values) > limit if function == "sinh" else values > limit
    if not beyond.any():
        return
    row, column = np.argwhere(beyond)[0]
    raise DomainError(
        f"expected numbers (up to {limit:.0f}) whose {function} is finite, got {float(values[row, column])} in row"
        f" {row}; the network has gone astray there"
    )

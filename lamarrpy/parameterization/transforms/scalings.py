"""Shifts and scales: identity, standard (mean 0, deviation 1) and min-max."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from lamarrpy.errors import ConfigError
from lamarrpy.parameterization.transforms.stored import Stored
from lamarrpy.parameterization.transforms.transform import Floats, Transform, sample

LEAST_SCALE = 1e-100
"""Columns that vary by less are constant: what is divided by it may become larger than any number."""


@dataclass(frozen=True, eq=False, repr=False)
class Identity(Transform):
    """Columns as they are."""

    width: int
    kind: ClassVar[str] = "identity"

    @property
    def width_in(self) -> int:
        """Columns that go in."""
        return self.width

    @property
    def width_out(self) -> int:
        """As many come out."""
        return self.width

    @classmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Count the columns."""
        return cls(sample(values, weights)[0].shape[1])

    def as_json(self) -> dict[str, Any]:
        """The number of columns."""
        return {"kind": self.kind, "width": self.width}

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        return cls(stored.count("width"))

    def _forward(self, values: Floats) -> Floats:
        return values.copy()

    def _inverse(self, values: Floats) -> Floats:
        return values.copy()


@dataclass(frozen=True, eq=False, repr=False)
class _Scaling(Transform):
    """(x - center) / scale, column by column.

    Parameters
    ----------
    center, scale : ndarray of float64, shape (k,)
        In the units of the column; scales are positive.
    """

    center: Floats
    scale: Floats

    @property
    def width_in(self) -> int:
        """Columns that go in."""
        return len(self.center)

    @property
    def width_out(self) -> int:
        """As many come out."""
        return len(self.center)

    def as_json(self) -> dict[str, Any]:
        """Center and scale of each column."""
        return {"kind": self.kind, "center": self.center.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        center = stored.numbers("center", None)
        scale = stored.numbers("scale", len(center))
        if not len(center) or (scale <= 0.0).any():
            raise stored.wrong("scale", "one positive number for each of one or more columns", scale.tolist())
        return cls(center, scale)

    def _forward(self, values: Floats) -> Floats:
        return (values - self.center) / self.scale

    def _inverse(self, values: Floats) -> Floats:
        return values * self.scale + self.center


class Standard(_Scaling):
    """Subtract the mean and divide by the standard deviation; a constant column becomes 0."""

    kind: ClassVar[str] = "standard"

    @classmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Take mean and standard deviation of a weighted sample of shape (n, k)."""
        return cls(*mean_and_deviation(*sample(values, weights)))


class MinMax(_Scaling):
    """Map the range of the training sample to another linearly; a constant column goes to its middle."""

    kind: ClassVar[str] = "min_max"

    @classmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None, to: Sequence[float] = (-1.0, 1.0)) -> Self:
        """Take the range of a sample of shape (n, k); weights say only which rows count.

        Parameters
        ----------
        to : (float, float)
            Where the lowest and the highest value go: (-1, 1), or (0, 1).

        Raises
        ------
        ConfigError
            If ``to`` is not a range.
        """
        if len(to) != 2 or not -np.inf < to[0] < to[1] < np.inf:
            raise ConfigError(f"expected `to` as two numbers, low before high, such as [-1, 1], got {list(to)}")
        rows, _ = sample(values, weights)
        low, high = rows.min(axis=0), rows.max(axis=0)
        scale = (high - low) / (to[1] - to[0])
        constant = scale < LEAST_SCALE
        # With a scale of its own size, a constant comes back to the last digit but one.
        scale = np.where(constant, np.where(np.abs(low) < LEAST_SCALE, 1.0, np.abs(low)), scale)
        middle, half = 0.5 * low + 0.5 * high, 0.5 * (to[0] + to[1])
        return cls(np.where(constant, low, middle) - half * scale, scale)


def mean_and_deviation(rows: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of weighted rows, both of shape (k,); the deviation of a constant is set to 1.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, k)
    share : ndarray of float64, shape (n,)
        Of the weight, adding up to 1.
    """
    low, high = rows.min(axis=0), rows.max(axis=0)
    mean = np.clip(share @ rows, low, high)
    size = np.maximum(high - low, np.finfo(np.float64).tiny)
    deviation = size * np.sqrt(share @ ((rows - mean) / size) ** 2)
    constant = deviation < LEAST_SCALE
    return np.where(constant, low, mean), np.where(constant, 1.0, deviation)

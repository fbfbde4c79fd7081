"""Rotation to uncorrelated axes: columns that go together are turned so that each says something of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from lamarrpy.parameterization.transforms.scalings import mean_and_deviation
from lamarrpy.parameterization.transforms.stored import Stored
from lamarrpy.parameterization.transforms.transform import Floats, Transform, sample

_DEGENERATE = 1e-12
"""Share of the variance below which a direction is taken as constant: it is rounding errors."""


@dataclass(frozen=True, eq=False, repr=False)
class Rotation(Transform):
    """Principal components of standardized columns, in falling order of variance, each scaled to variance 1 if wished.

    With the mean m, deviations d and the eigenvectors V of the correlation matrix: ((x - m) / d) V / scale.
    Columns are mixed: each comes back to 1e-15 of its deviation times the largest |x - m| / d of the row.

    Parameters
    ----------
    mean, deviation : ndarray of float64, shape (k,)
        In the units of the columns.
    axes : ndarray of float64, shape (k, k)
        Eigenvectors of the correlation matrix, one a column.
    scale : ndarray of float64, shape (k,)
        Deviation along each axis when whitening; 1 where it vanishes.
    """

    mean: Floats
    deviation: Floats
    axes: Floats
    scale: Floats
    kind: ClassVar[str] = "rotation"

    @property
    def width_in(self) -> int:
        """Columns that go in."""
        return len(self.mean)

    @property
    def width_out(self) -> int:
        """As many come out."""
        return len(self.mean)

    @classmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None, whiten: bool = True) -> Self:
        """Find the axes of a weighted sample of shape (n, k).

        Parameters
        ----------
        whiten : bool
            Whether every axis gets variance 1; those along which nothing varies are left alone.
        """
        rows, share = sample(values, weights)
        mean, deviation = mean_and_deviation(rows, share)
        scaled = (rows - mean) / deviation
        variance, axes = np.linalg.eigh((share[:, None] * scaled).T @ scaled)
        variance, axes = variance[::-1], axes[:, ::-1]
        # An eigenvector has no sign: its largest component is made positive.
        largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
        varies = variance > _DEGENERATE * max(1.0, float(variance[0]))
        scale = np.sqrt(np.where(varies, variance, 1.0)) if whiten else np.ones(len(mean))
        return cls(mean, deviation, axes * np.sign(largest), scale)

    def as_json(self) -> dict[str, Any]:
        """Mean, deviations, axes and scales."""
        names = ("mean", "deviation", "axes", "scale")
        return {"kind": self.kind, **{name: getattr(self, name).tolist() for name in names}}

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        mean = stored.numbers("mean", None)
        width = len(mean)
        deviation, scale = stored.numbers("deviation", width), stored.numbers("scale", width)
        axes = stored.numbers("axes", width, width)
        if not width or (deviation <= 0.0).any() or (scale <= 0.0).any():
            raise stored.wrong("scale", "positive, like `deviation`, for one or more columns", scale.tolist())
        if not np.allclose(axes.T @ axes, np.eye(width), rtol=0.0, atol=1e-9):
            raise stored.wrong("axes", "a rotation", axes.tolist())
        return cls(mean, deviation, axes, scale)

    def _forward(self, values: Floats) -> Floats:
        return _turned((values - self.mean) / self.deviation, self.axes) / self.scale

    def _inverse(self, values: Floats) -> Floats:
        return _turned(values * self.scale, self.axes.T) * self.deviation + self.mean


def _turned(rows: Floats, matrix: Floats) -> Floats:
    """rows @ matrix, summed in one order, so that a row gives the same bits in any company."""
    out = np.zeros((len(rows), matrix.shape[1]))
    for column, weights in zip(rows.T, matrix, strict=True):
        out += column[:, None] * weights
    return out

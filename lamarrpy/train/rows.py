"""What a network is shown: rows of conditions, targets and weights, as numbers near one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import DomainError

Float32s = NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """A sample after its transforms.

    Attributes
    ----------
    conditions : ndarray of float32, shape (n, c)
        What is given.
    targets : ndarray of float32, shape (n, t)
        What is to be learned: values of a generator, classes of a classifier as one-hot columns.
    weights : ndarray of float32, shape (n,)
        Weight of each row, with mean one.

    Raises
    ------
    DomainError
        If there are no rows, their numbers differ, or a value is not finite.
    """

    conditions: Float32s
    targets: Float32s
    weights: Float32s

    def __post_init__(self) -> None:
        sizes = {name: len(getattr(self, name)) for name in ("conditions", "targets", "weights")}
        if len(set(sizes.values())) != 1 or not len(self.weights):
            raise DomainError(f"expected as many conditions, targets and weights, at least one row, got {sizes}")
        for name in sizes:
            bad = ~np.isfinite(getattr(self, name))
            if bad.any():
                row = int(np.argwhere(bad)[0][0])
                raise DomainError(
                    f"expected finite {name}, got {int(bad.sum())} others, the first in row {row}: choose the rows"
                    " for which all columns are defined"
                )

    def __len__(self) -> int:
        return len(self.weights)

    def epoch(self, number: int) -> Rows:
        """The rows of one pass: the same ones each time."""
        return self


class Source(Protocol):
    """Where rows come from: a fixed sample, one with point masses spread anew, or the answers of a teacher."""

    def epoch(self, number: int) -> Rows:
        """The rows of one pass over the sample, a function of its number alone."""
        ...


def mean_one(weights: NDArray[np.float64] | None, count: int) -> Float32s:
    """Weights scaled to mean one; all equal if there are none.

    Raises
    ------
    DomainError
        If one is negative or not finite, or all are zero.
    """
    if weights is None:
        return np.ones(count, np.float32)
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise DomainError(
            "expected weights that are finite, not negative and not all zero; samples with negative weights cannot be"
            " learned from: merge or drop such rows before"
        )
    return np.asarray(weights / weights.mean(), np.float32)

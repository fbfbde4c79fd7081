"""One column for each category: 1 where a row belongs to it, 0 elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import DomainError
from lamarrpy.parameterization.transforms.stored import Stored
from lamarrpy.parameterization.transforms.transform import Floats, Transform, sample

_MOST = 1000
"""Categories beyond which a column does not hold categories."""


@dataclass(frozen=True, eq=False, repr=False)
class OneHot(Transform):
    """Categories, numbers such as particle codes, as columns of 0 and 1.

    Parameters
    ----------
    categories : ndarray of float64, shape (m,)
        Sorted, all different.
    """

    categories: Floats
    kind: ClassVar[str] = "one_hot"

    @property
    def width_in(self) -> int:
        """One column goes in."""
        return 1

    @property
    def width_out(self) -> int:
        """A column for each category comes out."""
        return len(self.categories)

    @classmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Collect the categories of a column of shape (n, 1); weights say only which rows count.

        Raises
        ------
        DomainError
            If there are more than 1000 of them.
        """
        categories = np.unique(sample(values, weights, 1)[0])
        if len(categories) > _MOST:
            raise DomainError(
                f"expected at most {_MOST} categories, got {len(categories)}; take 'quantile' for a continuous column"
            )
        return cls(categories + 0.0)

    def as_json(self) -> dict[str, Any]:
        """The categories."""
        return {"kind": self.kind, "categories": self.categories.tolist()}

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        categories = stored.numbers("categories", None)
        if not len(categories) or (np.diff(categories) <= 0.0).any():
            raise stored.wrong("categories", "one or more rising numbers", categories.tolist())
        return cls(categories)

    def _forward(self, values: Floats) -> Floats:
        hot: NDArray[np.bool_] = values == self.categories
        unknown = np.flatnonzero(~hot.any(axis=1))
        if len(unknown):
            some = ", ".join(f"{c:g}" for c in self.categories[:20]) + (", ..." if len(self.categories) > 20 else "")
            raise DomainError(
                f"expected one of the categories {some}, got {len(unknown)} others, the first"
                f" {float(values[unknown[0], 0]):g} in row {unknown[0]}; train with it, or leave such rows out"
            )
        return hot.astype(np.float64)

    def _inverse(self, values: Floats) -> Floats:
        found: Floats = self.categories[values.argmax(axis=1)]
        return found[:, None]

"""What every transform does: columns to what a network sees, and back, with numbers that have been looked at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import ConfigError, DomainError, SchemaError
from lamarrpy.parameterization.transforms.stored import Stored

Floats = NDArray[np.float64]

LARGEST = 1e150
"""Numbers beyond it are refused like infinities: their squares are not numbers any more."""


class Transform(ABC):
    """A map of k columns to m columns that a network likes, with its inverse; it never changes once made.

    Attributes
    ----------
    kind : str
        Its name in JSON and in recipes.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def width_in(self) -> int:
        """Columns that go in, k."""

    @property
    @abstractmethod
    def width_out(self) -> int:
        """Columns that come out, m."""

    @property
    def has_masses(self) -> bool:
        """Whether ``forward`` has ranges of ranks to place values in (see `QuantileToNormal`)."""
        return False

    def forward(self, values: ArrayLike, within: ArrayLike | None = None) -> Floats:
        """Columns as a network sees them.

        Parameters
        ----------
        values : array_like, shape (n, k), or (n,) if k is 1
            In the units of the column.
        within : array_like, shape (n,) or (n, 1), optional
            Position inside the range of ranks of a point mass, in (0, 1), for transforms that have any.

        Returns
        -------
        ndarray of float64, shape (n, m)

        Raises
        ------
        DomainError
            If a value is not finite, or lies where the transform is not defined.
        SchemaError
            If the shape is another.
        ConfigError
            If ``within`` is given and there are no ranges to place values in.
        """
        rows = checked(values, self.width_in)
        if within is None:
            return self._forward(rows)
        if not self.has_masses:
            raise ConfigError(f"a transform {self.kind!r} has no point masses: leave `within` away")
        return self._forward_within(rows, positions(within, len(rows)))

    def inverse(self, values: ArrayLike) -> Floats:
        """What `forward` was given, shape (n, k), from what it gave, shape (n, m).

        Raises
        ------
        DomainError
            If a value is not finite, or nothing belongs to it.
        SchemaError
            If the shape is another.
        """
        return self._inverse(checked(values, self.width_out))

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """All that it knows as plain numbers and lists, its kind included."""

    @classmethod
    @abstractmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """The transform that suits values of shape (n, k), each counting as often as its weight of shape (n,) says."""

    @classmethod
    @abstractmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """The transform that `as_json` wrote; ``read`` reads those inside it."""

    @abstractmethod
    def _forward(self, values: Floats) -> Floats: ...

    @abstractmethod
    def _inverse(self, values: Floats) -> Floats: ...

    def _forward_within(self, values: Floats, within: Floats) -> Floats:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Transform) and self.as_json() == other.as_json()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.width_in} -> {self.width_out} columns>"


def checked(values: ArrayLike, width: int | None = None) -> Floats:
    """Values as float64 of shape (n, width), all of them finite.

    Raises
    ------
    SchemaError
        If they are not numbers of that shape.
    DomainError
        If one is not finite, or beyond `LARGEST`.
    """
    rows = _numbers(values)
    if rows.ndim == 1 and width in (None, 1):
        rows = rows[:, None]
    if rows.ndim != 2 or (width is not None and rows.shape[1] != width):
        expected = "(n, k)" if width is None else f"(n, {width})"
        raise SchemaError(f"expected values of shape {expected}, got {rows.shape}")
    good = np.abs(rows) <= LARGEST
    if not good.all():
        row, column = np.argwhere(~good)[0]
        where = f" of column {column}" if rows.shape[1] > 1 else ""
        raise DomainError(
            f"expected finite numbers (up to {LARGEST:g}), got {int((~good).sum())} others, the first"
            f" {float(rows[row, column])} in row {row}{where}; choose the rows for which the quantity is defined"
        )
    return rows


def _numbers(values: ArrayLike) -> Floats:
    array = np.asarray(values)
    if array.dtype.kind not in "buif":
        raise SchemaError(f"expected real numbers, got values of type {array.dtype}; encode them as numbers first")
    return array.astype(np.float64, copy=False)


def positions(within: ArrayLike, rows: int, name: str = "within") -> Floats:
    """Positions inside a range as float64 of shape (rows,).

    Raises
    ------
    SchemaError
        If there is not one for each row.
    DomainError
        If one is not in (0, 1).
    """
    inside = _numbers(within)
    if inside.shape not in ((rows,), (rows, 1)):
        raise SchemaError(f"expected `{name}` of shape ({rows},) or ({rows}, 1), got {inside.shape}")
    inside = inside.reshape(rows)
    bad = np.flatnonzero(~((inside > 0.0) & (inside < 1.0)))
    if len(bad):
        raise DomainError(
            f"expected `{name}` in the open interval (0, 1), got {len(bad)} others, the first"
            f" {float(inside[bad[0]])} in row {bad[0]}; draw them uniformly"
        )
    return inside


def sample(values: ArrayLike, weights: ArrayLike | None, width: int | None = None) -> tuple[Floats, Floats]:
    """The rows of a training sample that count, shape (n, k), and their shares of the weight, shape (n,).

    Raises
    ------
    SchemaError
        If the shapes do not fit.
    DomainError
        If a value is not finite, a weight is negative or not finite, or nothing is left.
    """
    rows = checked(values, width)
    share = np.ones(len(rows)) if weights is None else _weights(weights, len(rows))
    counts = share > 0.0
    if not counts.any():
        raise DomainError(f"expected at least one row with a weight above 0, got none in {len(rows)} rows")
    if not counts.all():
        rows, share = rows[counts], share[counts]
    share = share / share.max()
    return rows, share / share.sum()


def _weights(weights: ArrayLike, rows: int) -> Floats:
    numbers = _numbers(weights)
    if numbers.shape not in ((rows,), (rows, 1)):
        raise SchemaError(f"expected weights of shape ({rows},), one a row, got {numbers.shape}")
    numbers = numbers.reshape(rows)
    bad = np.flatnonzero(~((numbers >= 0.0) & (numbers <= LARGEST)))
    if len(bad):
        raise DomainError(
            f"expected weights that are finite and not negative, got {len(bad)} others, the first"
            f" {float(numbers[bad[0]])} in row {bad[0]}; leave such rows out or fit without weights"
        )
    return numbers

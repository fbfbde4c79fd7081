"""Nearest-neighbour resampling: a row is answered with the targets of a training row whose conditions are like its own.

Nothing is learned and nothing smeared: whatever holds for every training row (integers, point masses, relations
between targets) holds for every answer. It is the yardstick for what is trained, not its replacement: the training
sample has to be carried along, and an answer is never new.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from lamarrpy.errors import ArtifactError, ConfigError, DomainError, LamarrpyError, SchemaError

Array = NDArray[np.float64]
Targets = dict[str, NDArray[Any]]

NEAREST = 4
"""Training rows among which one is chosen if nothing else is said.

Measured with 150,000 rows of five conditions (`lamarrpy.benchmark.learn.sample`): two-sample AUC .522 for 1, .519
for 2, .518 for 4 and for 8, each +-.001, where another true sample gives .500. Fewer repeat a row too often, more blur
edges.
"""

_BLOCK = 8192
"""Rows looked up together; an answer does not depend on it."""

_TARGET = "target_"


class _Near(NamedTuple):
    """Places near each of m rows, in the order of distance and then of their first training row."""

    distances: Array
    """Shape (m, places)."""
    places: NDArray[np.intp]
    """Shape (m, places)."""


class Neighbours:
    """Training rows, and a way to choose one of the nearest by a number.

    A row is answered with one of the ``k`` nearest training rows, and of those that are exactly as far away as the
    k-th: rows with equal conditions are never told apart by their order. The probability of each is proportional to
    its weight.

    Parameters
    ----------
    conditions : array_like, shape (n, c)
        Of the training rows, transformed so that a distance of one means as much in each; finite. Float32 or float64.
    targets : mapping of str to array_like, shape (n,)
        What is answered, in physical units and any dtype of numbers; returned bit by bit.
    weights : array_like, shape (n,), optional
        Finite, not negative; rows of weight zero are left out.
    k : int
        At least 1.

    Raises
    ------
    ConfigError
        If ``k`` is below 1.
    SchemaError
        If columns differ in length, there are none, or they are not numbers.
    DomainError
        If conditions or weights are not as said, or no row has a weight above zero.
    """

    def __init__(
        self,
        conditions: ArrayLike,
        targets: Mapping[str, ArrayLike],
        weights: ArrayLike | None = None,
        k: int = NEAREST,
    ) -> None:
        if k < 1:
            raise ConfigError(f"expected one nearest row or more to choose from, got k={k}")
        self.k = int(k)
        self._conditions = _checked_conditions(conditions, None)
        rows = len(self._conditions)
        self._targets = {name: _checked_target(column, name, rows) for name, column in targets.items()}
        if not self._targets:
            raise SchemaError("expected at least one target, got none")
        self._weights = _checked_weights(weights, rows)
        self._index()

    def _index(self) -> None:
        """Training rows of equal conditions make one place; the tree holds the places."""
        kept = np.flatnonzero(self._weights > 0.0)
        if not len(kept):
            raise DomainError(f"expected training rows with a weight above zero, got none out of {len(self._weights)}")
        points, first, place = np.unique(
            self._conditions[kept].astype(np.float64) + 0.0, axis=0, return_index=True, return_inverse=True
        )
        order = np.argsort(place.reshape(-1), kind="stable")
        self._rows = kept[order]
        self._begins = np.searchsorted(place.reshape(-1)[order], np.arange(len(points) + 1))
        self._first = kept[first]
        self._cumulative = np.append(0.0, np.cumsum(self._weights[self._rows]))
        self._tree = KDTree(points, balanced_tree=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The targets."""
        return tuple(self._targets)

    def __len__(self) -> int:
        """How many training rows there are, those of weight zero included."""
        return len(self._weights)

    def __call__(self, conditions: ArrayLike, uniform: ArrayLike) -> Targets:
        """Answer rows; same row and same number, same answer, whoever is beside it.

        Parameters
        ----------
        conditions : array_like, shape (m, c)
            Transformed as those of the training rows; finite.
        uniform : array_like, shape (m,)
            The random number of each row, 0 to 1.

        Returns
        -------
        dict of str to ndarray, shape (m,)
            Targets of the training rows chosen, in their own dtypes.

        Raises
        ------
        SchemaError
            If there are other columns of conditions, or not one number a row.
        DomainError
            If a condition is not finite, or a number not between 0 and 1.
        """
        rows = self.choose(conditions, uniform)
        return {name: column[rows] for name, column in self._targets.items()}

    def choose(self, conditions: ArrayLike, uniform: ArrayLike) -> NDArray[np.intp]:
        """The number of the training row that answers each row, shape (m,); parameters and errors of a call."""
        asked = _checked_conditions(conditions, self._conditions.shape[1])
        u = _checked_uniform(uniform, len(asked))
        chosen = np.empty(len(asked), np.intp)
        for begin in range(0, len(asked), _BLOCK):
            block = slice(begin, begin + _BLOCK)
            chosen[block] = self._choose(asked[block].astype(np.float64), u[block])
        return chosen

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything there is to know as plain arrays, for ``numpy.savez``."""
        stored = {"conditions": self._conditions, "weights": self._weights, "k": np.array(self.k, np.int64)}
        return stored | {f"{_TARGET}{name}": column for name, column in self._targets.items()}

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Neighbours:
        """The same again, from what ``arrays`` gave.

        Raises
        ------
        ArtifactError
            If something is missing, unknown, or does not fit.
        """
        needed = {"conditions", "weights", "k"}
        unknown = sorted(name for name in arrays if name not in needed and not name.startswith(_TARGET))
        if not needed <= set(arrays) or unknown:
            raise ArtifactError(
                f"expected the arrays {', '.join(sorted(needed))} and {_TARGET}..., got {', '.join(sorted(arrays))};"
                " write them with Neighbours.arrays"
            )
        if arrays["k"].shape != () or arrays["k"].dtype.kind not in "iu":
            raise ArtifactError(f"expected k as one whole number, got {arrays['k']!r}")
        targets = {name.removeprefix(_TARGET): arrays[name] for name in arrays if name.startswith(_TARGET)}
        try:
            return Neighbours(arrays["conditions"], targets, arrays["weights"], int(arrays["k"]))
        except LamarrpyError as error:
            raise ArtifactError(f"expected the arrays of nearest neighbours, got others: {error}") from None

    def _choose(self, asked: Array, uniform: Array) -> NDArray[np.intp]:
        """Rows of one block, with more and more places looked at where a tie goes on beyond those seen."""
        chosen = np.empty(len(asked), np.intp)
        left, wanted = np.arange(len(asked)), self.k + 2
        while len(left):
            near = self._near(asked[left], min(wanted, self._tree.n))
            among = self._candidates(near)
            sure = ~among[:, -1] | (near.places.shape[1] == self._tree.n)
            rows = left[sure]
            chosen[rows] = self._drawn(near.places[sure], among[sure], uniform[rows])
            left, wanted = left[~sure], 4 * wanted
        return chosen

    def _near(self, asked: Array, places: int) -> _Near:
        distances, found = (np.asarray(part) for part in self._tree.query(asked, np.arange(1, places + 1)))
        order = np.lexsort((self._first[found], distances), axis=1)
        return _Near(np.take_along_axis(distances, order, 1), np.take_along_axis(found, order, 1))

    def _candidates(self, near: _Near) -> NDArray[np.bool_]:
        """Whether each place is needed for k rows, or is as near as the last one that is."""
        sizes = self._begins[near.places + 1] - self._begins[near.places]
        before = np.cumsum(sizes, axis=1) - sizes
        needed = before < self.k
        last = np.take_along_axis(near.distances, np.count_nonzero(needed, axis=1)[:, None] - 1, 1)
        return np.asarray(needed | (near.distances == last))

    def _drawn(self, places: NDArray[np.intp], among: NDArray[np.bool_], uniform: Array) -> NDArray[np.intp]:
        """The row at which the cumulative weight of the candidates, nearest first, passes the number."""
        begins, ends = self._begins[places], self._begins[places + 1]
        weights = np.where(among, self._cumulative[ends] - self._cumulative[begins], 0.0)
        upto = np.cumsum(weights, axis=1)
        aim = uniform * upto[:, -1]
        at = np.minimum(np.count_nonzero(upto <= aim[:, None], axis=1), np.count_nonzero(among, axis=1) - 1)
        begin, end, before = (
            np.take_along_axis(column, at[:, None], 1)[:, 0] for column in (begins, ends, upto - weights)
        )
        row = np.searchsorted(self._cumulative, self._cumulative[begin] + (aim - before), side="right") - 1
        return np.asarray(self._rows[np.clip(row, begin, end - 1)])


def _checked_conditions(conditions: ArrayLike, columns: int | None) -> NDArray[np.floating[Any]]:
    matrix = np.asarray(conditions)
    if matrix.ndim != 2 or not matrix.shape[1] or matrix.dtype not in (np.float32, np.float64):
        raise SchemaError(
            f"expected conditions as a matrix (rows, columns) of float32 or float64, got shape {matrix.shape} and dtype"
            f" {matrix.dtype}"
        )
    if columns is not None and matrix.shape[1] != columns:
        raise SchemaError(f"expected {columns} conditions as in the training, got {matrix.shape[1]}")
    bad = ~np.isfinite(matrix).all(axis=1)
    if bad.any():
        raise DomainError(
            f"expected finite conditions, got others in {int(bad.sum())} rows, the first {int(np.argmax(bad))}; choose"
            " the rows for which all of them are defined"
        )
    return matrix


def _checked_target(column: ArrayLike, name: str, rows: int) -> NDArray[Any]:
    array = np.asarray(column)
    if array.shape != (rows,) or array.dtype.kind not in "fiub":
        raise SchemaError(
            f"target {name!r}: expected one number for each of {rows} training rows, got shape {array.shape} and dtype"
            f" {array.dtype}"
        )
    return array


def _checked_weights(weights: ArrayLike | None, rows: int) -> Array:
    w = np.ones(rows) if weights is None else np.asarray(weights, np.float64)
    if w.shape != (rows,):
        raise SchemaError(f"expected one weight for each of {rows} training rows, got shape {w.shape}")
    if not (np.isfinite(w) & (w >= 0.0)).all():
        raise DomainError("expected finite weights not below zero: a row cannot be chosen less than never")
    return w


def _checked_uniform(uniform: ArrayLike, rows: int) -> Array:
    u = np.asarray(uniform, np.float64)
    if u.shape != (rows,):
        raise SchemaError(f"expected one random number for each of {rows} rows, got shape {u.shape}")
    if not ((u >= 0.0) & (u <= 1.0)).all():
        raise DomainError("expected random numbers from 0 to 1, got others; RowDraws.uniform makes them")
    return u

"""Clusters and tracks of the same event: every pair once, and the best one of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

NO_MATCH = 1e4
"""chi2 of what has no partner, and the largest there is."""


class Pairs(NamedTuple):
    """p pairs of a first and a second thing, positions in either list, ordered by the first, then the second."""

    first: Index
    second: Index


def pairs(first: Index, second: Index) -> Pairs:
    """All pairs of the same event.

    Parameters
    ----------
    first : ndarray of int, shape (a,)
        Event of each of the first things, in any order.
    second : ndarray of int, shape (b,)
        Event of each of the second ones, in any order.
    """
    order = np.argsort(second, kind="stable")
    begin, end = (np.searchsorted(second[order], first, side) for side in ("left", "right"))
    count = end - begin
    one = np.repeat(np.arange(len(first)), count)
    start = np.repeat(np.cumsum(count) - count, count)
    return Pairs(one, order[np.repeat(begin, count) + np.arange(len(one)) - start])


def least(group: Index, values: Array, number: int) -> tuple[Array, Index]:
    """The least of the values of each group, and its position, -1 and `NO_MATCH` for a group without any.

    Parameters
    ----------
    group : ndarray of int, shape (p,)
        The group of each value.
    values : ndarray, shape (p,)
        Of equal ones the first counts.
    number : int
        Of groups.
    """
    order = np.lexsort((values, group))
    have, begin = np.unique(group[order], return_index=True)
    where = np.full(number, -1, np.int64)
    where[have] = order[begin]
    best = np.full(number, NO_MATCH)
    best[have] = np.minimum(values[order[begin]], NO_MATCH)
    return best, where


def chi2(place: tuple[Array, Array], other: tuple[Array, Array], error: Array) -> Array:
    """Square of the distance [mm] over the error [mm] in each direction, at most `NO_MATCH`."""
    distance2 = (place[0] - other[0]) ** 2 + (place[1] - other[1]) ** 2
    return np.minimum(distance2 / error**2, NO_MATCH)

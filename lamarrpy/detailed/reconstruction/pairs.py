"""Pairs of segments, one before and one behind the magnet, that may be one track."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.reconstruction.layers import Mask, Rows
from lamarrpy.detailed.reconstruction.matching import MID_T, Ways, carry, within
from lamarrpy.detailed.reconstruction.search import Search
from lamarrpy.field.model import MagneticField
from lamarrpy.propagation import State, kick_of
from lamarrpy.propagation.state import direction

Array = NDArray[np.float64]
Ranks = NDArray[np.int64]

COARSE, COARSE_CONSTANT = 3.0, 50.0
"""Windows are so many times wider, and so many mm for straight tracks, before pairs go through the field."""

_TALLEST = 1e4
"""More than any y [mm] apart from another: events are laid end to end on one axis with this distance."""


class Pairs(NamedTuple):
    """Two segments each: rows of their particles, each of shape (k,), the q/p [1/MeV] of the track, its distance."""

    front: Rows
    back: Rows
    qop: Array
    distance: Array

    def at(self, which: Rows | Mask) -> Pairs:
        """Some of them."""
        return Pairs._make(column[which] for column in self)


def near_in_y(
    ranks: tuple[Ranks, Ranks], front: Mask, back: Mask, at_front: Array, at_back: Array, reach: float
) -> Pairs:
    """All pairs of segments of an event that are close in y; their distance is that.

    Parameters
    ----------
    ranks : two ndarrays of int
        Of the event of each segment before the magnet, and of each behind it.
    front, back : ndarray of bool
        Which of them may be paired.
    at_front, at_back : ndarray, mm
        y of each.
    reach : float, mm
        How close.
    """
    one, two = np.flatnonzero(front), np.flatnonzero(back)
    axis = ranks[1][two] * _TALLEST + np.clip(at_back[two], -0.4 * _TALLEST, 0.4 * _TALLEST)
    order = np.argsort(axis, kind="stable")
    centre = ranks[0][one] * _TALLEST + np.clip(at_front[one], -0.4 * _TALLEST, 0.4 * _TALLEST)
    low, high = (np.searchsorted(axis[order], centre + side * (reach + 1.0)) for side in (-1, 1))
    first = np.repeat(one, high - low)
    begin = np.cumsum(high - low) - (high - low)
    second = two[order[np.repeat(low - begin, high - low) + np.arange(len(first))]]
    distance = np.abs(at_front[first] - at_back[second])
    close = np.flatnonzero(distance < reach)
    return Pairs(first[close], second[close], np.zeros(len(close)), distance[close])


def _bent(pairs: Pairs, front: State, back: State, field: MagneticField) -> Pairs:
    """Pairs with the q/p that turns the direction of the first segment into that of the second in x."""
    before, after = (direction(state.tx, state.ty)[0] for state in (front, back))
    return pairs._replace(qop=(after[pairs.back] - before[pairs.front]) / kick_of(field).dpx)


def hard(pairs: Pairs, front: State, search: Search, slack: float = 1.0) -> Mask:
    """Whether momentum and transverse momentum are what a track needs; one without any bend is no track."""
    tx, ty = front.tx[pairs.front], front.ty[pairs.front]
    u, v = direction(tx, ty)
    with np.errstate(divide="ignore"):
        p = slack / np.abs(pairs.qop)
    return np.asarray((pairs.qop != 0.0) & (p > search.least_p) & (p * np.sqrt(u * u + v * v) > search.least_pt))


def best(pairs: Pairs, segment: Rows) -> Rows:
    """The closest of the pairs of each segment, one of ``front`` or ``back``."""
    order = np.lexsort((pairs.distance, segment))
    return np.sort(order[np.diff(segment[order], prepend=-1) > 0])


def _carried(pairs: Pairs, front: State, field: MagneticField) -> Ways:
    """The first segments carried to mid TT and mid T with the q/p of the pairs."""
    return carry(front.at(pairs.front)._replace(qop=pairs.qop), field, np.arange(len(pairs.front)))


def _rescaled(pairs: Pairs, way: State, front: State, back: State) -> Pairs:
    """Pairs with the q/p that makes the slope at mid T come out, from what it came out as: bends go with q/p."""
    tx = front.tx[pairs.front]
    bend, wanted = way.tx - tx, back.tx[pairs.back] - tx
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = wanted / bend
    return pairs._replace(qop=pairs.qop * np.where(np.isfinite(scale), np.clip(scale, 0.5, 2.0), 1.0))


def through_magnet(
    pairs: Pairs, front: State, back: State, soft_y: float, field: MagneticField, search: Search
) -> tuple[Pairs, Ways]:
    """Pairs of the right momentum, straight lines meeting near the magnet's centre, carried through the field."""
    pairs = _bent(pairs, front, back, field)
    pairs = pairs.at(within(pairs.distance, COARSE_CONSTANT, COARSE * soft_y, pairs.qop))
    pairs = pairs.at(hard(pairs, front, search, 1.2))
    centre = kick_of(field).z(pairs.qop)
    one, two = front.at(pairs.front), back.at(pairs.back)
    apart = two.x + two.tx * (centre - MID_T) - one.x - one.tx * (centre - one.z)
    pairs = pairs.at(within(apart, COARSE_CONSTANT, COARSE * search.match_x_soft, pairs.qop))
    ways = _carried(pairs, front, field)
    pairs = _rescaled(pairs, ways.t, front, back)
    kept = np.flatnonzero(hard(pairs, front, search))
    return pairs.at(kept), Ways(ways.tt.at(kept), ways.t.at(kept))

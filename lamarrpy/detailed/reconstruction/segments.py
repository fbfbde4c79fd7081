"""Segments: the pieces of a track that one subdetector sees by itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.reconstruction.confusion import Picked
from lamarrpy.detailed.reconstruction.layers import (
    Layers,
    Mask,
    Rows,
    count,
    in_every_station,
    layers_in,
    layers_of,
    pattern,
)

LEAST_R, LEAST_PHI, LEAST_TT, LEAST_T = 3, 3, 3, 9
"""Hits of the VELO, layers of TT out of 4 and of T out of 12 (LHCb, JINST 3 S08005; its PatSeedingTool)."""


class Segments(NamedTuple):
    """Which segments of n particles are found, each of shape (n,)."""

    velo: Mask
    tt: Mask
    t: Mask


def find_segments(held: Picked, n: int, detector: Detector, purity: float) -> Segments:
    """Decide which segments the hits that pattern recognition holds for each particle make.

    A segment needs enough layers with right hits, and most of its hits right (LHCb's rule of truth
    matching: 70 %). Layers of IT and OT with one number count as one, and so do the two monolayers
    of straws.

    Parameters
    ----------
    held : Picked
        The hits, by particle.
    n : int
        Number of particles.
    detector : Detector
        Whose planes they are.
    purity : float
        Least share of right hits.

    Returns
    -------
    Segments
        Found or not.
    """
    layers, row, plane, right = layers_of(detector), held.row, held.hits.plane, held.right
    velo, tt, t = (where[plane] for where in (layers.velo, layers.tt, layers.t))

    enough_r = count(row, layers.velo_r[plane] & right, n) >= LEAST_R
    enough_phi = count(row, layers.velo_phi[plane] & right, n) >= LEAST_PHI
    enough_tt = layers_in(_crossed(row, plane, tt & right, layers, n)) >= LEAST_TT
    enough_t = t_segments(held, right, n, detector)
    purities = (pure(held, part, n, purity) for part in (velo, tt, t))
    enough = (enough_r & enough_phi, enough_tt, enough_t)
    return Segments(*(a & b for a, b in zip(enough, purities, strict=True)))


def pure(held: Picked, part: Mask, n: int, purity: float) -> Mask:
    """Whether at least such a share of the hits held for each of n particles in a part are its own."""
    return count(held.row, part & held.right, n) >= purity * count(held.row, part, n)


def mixed_t(held: Picked, n: int, detector: Detector, purity: float) -> Mask:
    """Which of n particles have T segments made of hits that are so often those of others that they are nobody's."""
    t = layers_of(detector).t[held.hits.plane]
    return t_segments(held, np.ones(len(held.row), bool), n, detector) & ~pure(held, t, n, purity)


def t_segments(held: Picked, counted: Mask, n: int, detector: Detector) -> Mask:
    """Whether the hits that count are in enough layers of T, and in every station, for each of n particles."""
    layers = layers_of(detector)
    bits = _crossed(held.row, held.hits.plane, layers.t[held.hits.plane] & counted, layers, n)
    return (layers_in(bits) >= LEAST_T) & in_every_station(bits)


def _crossed(row: Rows, plane: Rows, part: Mask, layers: Layers, n: int) -> NDArray[np.int64]:
    return pattern(row[part], layers.layer[plane[part]], n)

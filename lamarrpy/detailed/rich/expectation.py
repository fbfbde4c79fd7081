"""What a reconstructed track would radiate if it were of a species: how many photons, under which angle, seen where."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.reconstruction.paths import Line, Paths, hit_error_before
from lamarrpy.detailed.rich.photons import around
from lamarrpy.detailed.rich.radiators import Direction, Radiator, direction_of
from lamarrpy.detailed.tuning import tuning

Array = NDArray[np.float64]

HYPOTHESES = ("e", "mu", "pi", "k", "p")
MASSES = np.array([0.51099895, 105.6583755, 139.57039, 493.677, 938.27208816])
"""Species that a track may be of, and their masses [MeV] (PDG)."""

PION = HYPOTHESES.index("pi")

_RING_POINTS = 12
"""Azimuths at which a ring is looked at."""

_LEAST_SEEN = 0.02
"""Share of a saturated ring that has to be seen; no smaller share is expected of any ring."""


class Expectation(NamedTuple):
    """What n tracks radiate under each of the hypotheses, in one RICH.

    Attributes
    ----------
    axis : tuple of ndarray, each of shape (n,)
        Direction cosines of the tracks; NaN without.
    used : ndarray of bool, shape (n,)
        Whether the track goes through the gas.
    angle, width : ndarray, shape (n, 5), rad
        Cherenkov angle, 0 below threshold, and the error of single photons.
    full, seen : ndarray, shape (n, 5)
        Photons of the whole ring, and of the part that can be seen.
    """

    axis: Direction
    used: NDArray[np.bool_]
    angle: Array
    width: Array
    full: Array
    seen: Array

    def at(self, rows: NDArray[np.intp]) -> Expectation:
        """Of some of the tracks."""
        u, v, w = (column[rows] for column in self.axis)
        angle, width, full, seen = (column[rows] for column in (self.angle, self.width, self.full, self.seen))
        return Expectation((u, v, w), self.used[rows], angle, width, full, seen)


def expect(paths: Paths, radiator: Radiator) -> Expectation:
    """What each track would radiate.

    Parameters
    ----------
    paths : Paths
        n tracks.
    radiator : Radiator
        Where.
    """
    line = paths.rich1 if radiator.name == "rich1" else paths.rich2
    tx, ty = (np.nan_to_num(a, nan=9.0) for a in (line.tx, line.ty))
    axis = direction_of(tx, ty)
    used = radiator.sees_track(tx, ty)
    sine2 = radiator.sine_squared(paths.p[:, None], MASSES[None, :])
    angle = np.arcsin(np.sqrt(sine2))
    part = _seen(line, axis, radiator, used)
    used = used & (part[:, -1] > _LEAST_SEEN)
    slant = 1.0 / axis[2]
    full = np.where(used[:, None], radiator.photons * slant[:, None] * sine2 / radiator.saturated, 0.0)
    width = radiator.resolution(angle, _track_error(paths, radiator)[:, None])
    return Expectation(axis, used, angle, width, full, full * _interpolated(part, angle, radiator))


def _track_error(paths: Paths, radiator: Radiator) -> Array:
    """Error [rad] of the direction that the likelihood allows for, by type of track."""
    if radiator.name == "rich2":
        return np.full(len(paths.p), 1e-3 * tuning("path")["rich2"])
    return 1e-3 * hit_error_before(paths.track_type)


_ANGLES = np.array([0.0, 0.5, 1.0])
"""Shares of the saturated angle at which the visible part of a ring is looked at."""


def _seen(line: Line, axis: Direction, radiator: Radiator, used: NDArray[np.bool_]) -> Array:
    """The visible share of rings of the angles of `_ANGLES`, shape (n, 3), emitted in the middle of the gas."""
    share = np.zeros((len(used), len(_ANGLES)))
    rows = np.flatnonzero(used)
    some = (axis[0][rows], axis[1][rows], axis[2][rows])
    x, y = (a[rows] for a in line.at(radiator.middle))
    z = np.full(len(rows), radiator.middle)
    saturated = np.arcsin(np.sqrt(radiator.saturated))
    for column, part in enumerate(_ANGLES):
        points = 1 if part == 0.0 else _RING_POINTS
        for point in range(points):
            azimuth = np.full(len(rows), 2.0 * np.pi * point / points)
            photon = around(some, np.full(len(rows), part * saturated), azimuth)
            share[rows, column] += radiator.sees_photon(x, y, z, photon) / points
    return share


def _interpolated(share: Array, angle: Array, radiator: Radiator) -> Array:
    """The visible share at the angles of all hypotheses, shape (n, 5)."""
    at = np.clip(angle / np.arcsin(np.sqrt(radiator.saturated)), 0.0, 1.0) * (len(_ANGLES) - 1)
    below = np.minimum(at.astype(np.intp), len(_ANGLES) - 2)
    low, high = (np.take_along_axis(share, below + i, axis=1) for i in (0, 1))
    return np.asarray(np.maximum(low + (at - below) * (high - low), _LEAST_SEEN))

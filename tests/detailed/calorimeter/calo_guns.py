"""Particles that the tests shoot at the calorimeters, and tracks that point at them."""

from __future__ import annotations

import numpy as np

from lamarrpy.detailed.calorimeter.cells import ecal
from lamarrpy.detailed.reconstruction.paths import Line, Paths
from lamarrpy.detailed.transport import Arrivals

FROM = 11900.0
PI0 = 134.9768


def at_ecal(x, y, e, pid=22, event=None, number=None):
    """Particles from the collision through points in the plane of the cells, one an event if not said otherwise."""
    x, y = (np.atleast_1d(np.asarray(a, float)) for a in (x, y))
    n, z = len(x), ecal().z
    event = np.arange(n) if event is None else np.asarray(event)
    number = np.zeros(n, np.int64) if number is None else np.asarray(number)
    tx, ty = x / z, y / z
    pids, p = np.broadcast_to(pid, n).astype(np.int64), np.broadcast_to(float(e) if np.isscalar(e) else e, n)
    return Arrivals(event, number, np.zeros(n, np.int64), pids, tx * FROM, ty * FROM, tx, ty, np.array(p, float))


def over_region(n, region, seed=1):
    """Points spread evenly over the cells of a region."""
    rng, cells = np.random.default_rng(seed), ecal()
    cell = rng.choice(np.flatnonzero(cells.region[:-1] == region), n)
    return tuple(a[cell] + cells.size[cell] * rng.uniform(-0.5, 0.5, n) for a in (cells.x, cells.y))


def pi0s(n, region, e, seed=1):
    """The photons of pi0 of an energy that fly to a region, two an event, and the mean points."""
    rng, z = np.random.default_rng(seed), ecal().z
    x, y = over_region(n, region, seed)
    cosine, phi = rng.uniform(-0.6, 0.6, n), rng.uniform(-np.pi, np.pi, n)
    energies, xs, ys = [], [], []
    for sign in (1.0, -1.0):
        energy = 0.5 * e * (1.0 + sign * cosine)
        kick = 0.5 * PI0 * np.sqrt(1.0 - cosine**2) / energy * z
        energies.append(energy)
        xs.append(x + sign * kick * np.cos(phi))
        ys.append(y + sign * kick * np.sin(phi))
    both = (np.stack(columns, axis=1).ravel() for columns in (xs, ys, energies))
    u, v, w = both
    return at_ecal(u, v, w, event=np.repeat(np.arange(n), 2), number=np.tile([0, 1], n))


def line(z, x, y, tx, ty):
    return Line(z, *(np.asarray(a, float) for a in (x, y, tx, ty)))


def tracks_of(arrivals, p=None):
    """A Long track of each arrival, perfectly measured, straight before the magnet."""
    n = len(arrivals.p)
    bare = (arrivals.x, arrivals.y, arrivals.tx, arrivals.ty)
    before = line(1430.0, *(a * 1430.0 / FROM for a in bare[:2]), *(a / FROM for a in bare[:2]))
    kind, charge = np.full(n, 3), np.ones(n, np.int64)
    momentum = arrivals.p if p is None else np.full(n, float(p))
    ids = arrivals.event_id.astype(np.int64)
    return Paths(ids, np.arange(n), kind, momentum, charge, before, line(10400.0, *bare), line(FROM, *bare))


def no_tracks():
    return tracks_of(at_ecal(np.zeros(0), np.zeros(0), np.zeros(0)))


def joined(*parts):
    together = Arrivals._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
    return together.at(np.lexsort((together.number, together.particle_id, together.event_id)))

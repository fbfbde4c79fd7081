"""Particles and tracks that the tests of the muon system shoot through it, from the end of RICH2 on."""

from __future__ import annotations

import numpy as np

from lamarrpy.detailed.muon.flight import Flying
from lamarrpy.detailed.reconstruction.candidates import TrackType
from lamarrpy.detailed.reconstruction.paths import CALORIMETER, Line, Paths
from lamarrpy.detailed.transport import Arrivals


def flying(n, pid, p, tx=0.05, ty=0.03):
    """n equal particles that come from the collision."""
    ids, zero, one = np.arange(n), np.zeros(n, np.int64), np.ones(n)
    place = (CALORIMETER * one, CALORIMETER * tx * one, CALORIMETER * ty * one)
    return Flying(ids, zero, zero, zero, np.full(n, pid), *place, tx * one, ty * one, p * one)


def shot(events, per_event, pid, p, seed=1):
    """Arrivals of PDG numbers and momenta [MeV] out of ranges, from the collision, in all directions."""
    rng = np.random.default_rng(seed)
    n = events * per_event
    ids = np.arange(n)
    slope = np.exp(rng.uniform(*np.log([0.03, 0.22]), n))
    phi = rng.uniform(-np.pi, np.pi, n)
    tx, ty = slope * np.cos(phi), slope * np.sin(phi)
    momentum = np.exp(rng.uniform(*np.log(p), n)) if isinstance(p, tuple) else np.full(n, float(p))
    pids = rng.choice(np.atleast_1d(pid), n).astype(np.int64)
    zero = np.zeros(n, np.int64)
    return Arrivals(ids // per_event, ids % per_event, zero, pids, CALORIMETER * tx, CALORIMETER * ty, tx, ty, momentum)


def perfect_paths(arrivals, rows=slice(None)):
    """Long tracks that are where the arrivals are."""
    a = arrivals.at(rows)
    n = len(a.p)
    line = Line(CALORIMETER, a.x, a.y, a.tx, a.ty)
    track_type = np.full(n, int(TrackType.long))
    return Paths(a.event_id, np.arange(n), track_type, a.p, np.ones(n, np.int64), line, line, line)


def at(paths, rows):
    """Some of the tracks."""
    line = Line(CALORIMETER, *(column[rows] for column in paths.calorimeter.columns))
    return Paths(*(column[rows] for column in paths[:5]), line, line, line)

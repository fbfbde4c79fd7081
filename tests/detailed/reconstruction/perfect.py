"""Candidates made of the hits of one particle each, as perfect pattern recognition would find them."""

from __future__ import annotations

import numpy as np

from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.candidates import Candidates, TrackType
from lamarrpy.particles import charge
from lamarrpy.propagation import BeamLine, SharedSteps, State, closest_to_beam

PARTS = {
    TrackType.long: ("velo", "tt", "it", "ot"),
    TrackType.upstream: ("velo", "tt"),
    TrackType.downstream: ("tt", "it", "ot"),
    TrackType.velo: ("velo",),
}


def perfect_candidates(truth, hits, detector, track_type=TrackType.long):
    """All hits that particles leave in the parts of a type, of those that leave enough in each."""
    n, systems = len(truth.particles.pid), detector.systems()[hits.plane]
    counts = {part: np.bincount(hits.row[systems == part], minlength=n) for part in ("velo", "tt", "it", "ot")}
    enough = {"velo": counts["velo"] >= 6, "tt": counts["tt"] >= 3}
    enough["it"] = enough["ot"] = counts["it"] + counts["ot"] >= 9
    chosen = np.all(
        [enough[part] for part in PARTS[track_type] if (part, track_type) != ("tt", TrackType.long)], axis=0
    )
    kept = np.isin(systems, PARTS[track_type]) & chosen[hits.row]
    rows = np.flatnonzero(chosen)
    first = np.concatenate([[0], np.cumsum(np.bincount(hits.row[kept], minlength=n)[rows])])
    used = Hits._make(column[kept] for column in hits)
    seed = _true_state(truth, detector, rows, used.plane[first[:-1]])
    if track_type is TrackType.velo:  # pT = 400 MeV
        seed = seed._replace(qop=np.hypot(seed.tx, seed.ty) / 400.0)
    zero = np.zeros(len(rows))
    types = np.full(len(rows), int(track_type))
    return Candidates(truth.particles.event_id[rows], rows, types, seed, BeamLine(zero, zero), first, used)


def _true_state(truth, detector, rows, planes):
    at = truth.crossings
    key = at.row * len(detector.planes) + at.plane
    where = np.searchsorted(key, rows * len(detector.planes) + planes)
    z = np.array([plane.z for plane in detector.planes])[planes]
    return State(
        at.x[where], at.y[where], z, at.tx[where], at.ty[where], charge(truth.particles.pid[rows]) / at.p[where]
    )


def true_states(truth, rows, field):
    """The true states closest to the z axis."""
    some = truth.particles.at(rows)
    p = np.sqrt(some.px**2 + some.py**2 + some.pz**2)
    start = State(some.x, some.y, some.z, some.px / some.pz, some.py / some.pz, charge(some.pid) / p)
    return closest_to_beam(start, BeamLine(0.0, 0.0), SharedSteps(field))


def pulls(fitted, true):
    """Deviations from the truth, carried to the same z, over their errors: x, y, tx, ty, q/p."""
    got, away = fitted.state, fitted.state.z - true.z
    deviations = (
        got.x - true.x - away * true.tx,
        got.y - true.y - away * true.ty,
        got.tx - true.tx,
        got.ty - true.ty,
        got.qop - true.qop,
    )
    return [d / np.sqrt(fitted.covariance[:, i, i]) for i, d in enumerate(deviations)]


def half_width(values):
    """Half of the width of the central 68 %."""
    low, high = np.quantile(values, [0.1587, 0.8413])
    return 0.5 * (high - low)

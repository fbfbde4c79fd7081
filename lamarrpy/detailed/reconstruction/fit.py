"""The track fit: from the hits of a candidate to its state and covariance closest to the beam line.

A Kalman filter from the last hit back to the beam, around a reference trajectory through field and material
that is taken anew from the result, as LHCb fits its tracks (R. Van der Eijk et al., LHCb-TRACK-2001-021):
scattering and mean energy loss as for a pion, straws told which side of the wire the track passes by the
other hits, and at most two hits removed that do not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry import Detector, Kind
from lamarrpy.detailed.reconstruction.block import PARTS, Block
from lamarrpy.detailed.reconstruction.candidates import Candidates, FittedTracks, Part
from lamarrpy.detailed.reconstruction.deviations import bearing
from lamarrpy.detailed.reconstruction.kalman import Filtered, Smoothed, run_filter, run_smoother
from lamarrpy.detailed.reconstruction.pages import NOISE_TERMS, Linear
from lamarrpy.detailed.reconstruction.reference import References
from lamarrpy.detailed.tuning import tuning
from lamarrpy.field.model import MagneticField
from lamarrpy.propagation import State, runge_kutta
from lamarrpy.propagation.beam_line import CARRIED, approach
from lamarrpy.propagation.state import direction, slopes

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

BLOCK = 8192
"""Tracks fitted side by side: enough to make each of the many small steps worth its call."""

ITERATIONS = 2
"""References taken in turn: a third one would move the fit by a hundredth of its errors."""

LARGEST_CHI2, MOST_OUTLIERS = 9.0, 2
"""A hit goes that costs more chi2, at most so many of a track, one after the other (LHCb's track fit)."""

PRIOR = (1e4, 1e4, 1.0, 1.0)
"""Standard deviations of x, y [mm], u and v before any hit: all that the detector can see."""

STRAIGHTEST, SOFTEST = 1e-7, 1.0 / 250.0
"""Range of |q/p| [1/MeV] of a reference: 10 TeV to 250 MeV, which is bent out of the detector."""


def fit(candidates: Candidates, detector: Detector, field: MagneticField) -> FittedTracks:
    """Fit tracks through their hits.

    Parameters
    ----------
    candidates : Candidates
        n tracks. Those of type ``velo`` are straight lines, scattered with the momentum of the seed.
    detector : Detector
        What scatters them.
    field : MagneticField
        What bends them.

    Returns
    -------
    FittedTracks
        In the order of the candidates; each independent of the others.
    """
    parts_of = np.array([PARTS.get(system, 0) for system in detector.systems()])
    references = References(detector, field, **tuning("fit"))
    blocks = list(_blocks(candidates, parts_of))
    order = np.concatenate(blocks)
    back = np.empty(len(order), np.intp)
    back[order] = np.arange(len(order))
    return _join([_fit_block(Block.of(candidates, rows, parts_of), references) for rows in blocks], back)


def _blocks(candidates: Candidates, parts_of: NDArray[np.int64]) -> Iterator[Rows]:
    """Rows of tracks that end in the same part of the detector, those with most hits first; and one of none."""
    counts = np.diff(candidates.first)
    ends = parts_of[candidates.hits.plane[candidates.first[1:] - 1]]
    yield np.zeros(0, np.intp)
    for part in sorted(set(PARTS.values())):
        rows = np.flatnonzero(ends == part)
        rows = rows[np.argsort(-counts[rows], kind="stable")]
        for first in range(0, len(rows), BLOCK):
            yield rows[first : first + BLOCK]


def _fit_block(block: Block, references: References) -> FittedTracks:
    """Take references in turn, then let go of the hits that do not fit."""
    linear, filtered, smoothed = _run(block, references)
    for _ in range(ITERATIONS - 1):
        _choose_sides(block, smoothed)
        _take_over(block, filtered, smoothed)
        linear, filtered, smoothed = _run(block, references)
    for _ in range(MOST_OUTLIERS):
        if not _drop_outliers(block, smoothed):
            break
        filtered = _filter(block, linear)
        smoothed = run_smoother(linear, filtered, block.counts, block.half)
    return _result(block, filtered, references.field)


def _run(block: Block, references: References) -> tuple[Linear, Filtered, Smoothed]:
    """Follow references from the beam, filter and smooth."""
    _to_beam(block, references.field)
    first, hits = block.candidates.first, block.candidates.hits
    linear, through = references.follow(block.start, ~block.fixed, block.aside, first, hits)
    block.sensible &= through
    linear.noise[:, NOISE_TERMS.index((4, 4)), block.fixed] = 0.0
    filtered = _filter(block, linear)
    return linear, filtered, run_smoother(linear, filtered, block.counts, block.half)


def _filter(block: Block, linear: Linear) -> Filtered:
    n = len(block.counts)
    prior = np.empty((5, n))
    prior[:4] = np.array(PRIOR)[:, None] ** 2
    prior[4] = np.where(block.fixed, 0.0, (2.0 * SOFTEST) ** 2)
    return run_filter(linear, block.variance, block.used, block.counts, block.half, prior)


def _choose_sides(block: Block, smoothed: Smoothed) -> None:
    """Put each straw's measurement on the side of the wire on which the other hits see the track."""
    hits = block.candidates.hits
    straws = hits.kind == Kind.straw
    if not straws.any():
        return
    residual = smoothed.residual[block.place]
    wire = hits.measurement - hits.side * hits.drift
    side = np.where(straws, np.where(hits.measurement - residual >= wire, 1, -1), hits.side)
    moved = hits._replace(side=side, measurement=np.where(straws, wire + side * hits.drift, hits.measurement))
    block.candidates = block.candidates._replace(hits=moved)


def _take_over(block: Block, filtered: Filtered, smoothed: Smoothed) -> None:
    """Make the result the start of the next reference; what has gone astray starts again from its seed."""
    block.aside = (smoothed.halfway - filtered.parameters)[:4]
    start, d = block.start, filtered.parameters
    u, v = direction(start.tx, start.ty)
    u, v, q = u + d[2], v + d[3], start.qop + d[4]
    size = np.clip(np.abs(q), STRAIGHTEST, SOFTEST)
    block.start = _where_sane(
        State(start.x + d[0], start.y + d[1], start.z, *_slopes(u, v), np.where(q < 0.0, -size, size)), block
    )


def _slopes(u: Array, v: Array) -> tuple[Array, Array]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return slopes(u, v)


def _where_sane(new: State, block: Block) -> State:
    """The new states where they are finite and fly into the detector, else the seeds, and those are marked."""
    with np.errstate(invalid="ignore"):
        sane = np.isfinite(np.array(new)).all(axis=0) & (new.tx**2 + new.ty**2 < 4.0)
    block.sensible &= sane
    seed = block.candidates.seed
    return State(*(np.where(sane, a, b) for a, b in zip(new, seed, strict=True)))


def _to_beam(block: Block, field: MagneticField) -> None:
    """Carry the starts through the field to where they are closest to the beam, in front of their first hit."""
    hits, first = block.candidates.hits, block.candidates.first
    limit = hits.z[first[:-1]] - 0.1
    for _ in range(2):
        z = np.minimum(np.clip(approach(block.start, block.candidates.beam), *CARRIED), limit)
        block.start = _carried(block.start, z, block, field)


def _carried(states: State, z: Array, block: Block, field: MagneticField) -> State:
    """The states at other z [mm]; straight lines for tracks whose momentum is but guessed."""
    bent = states._replace(qop=np.where(block.fixed, 0.0, states.qop))
    return _where_sane(runge_kutta(bent, [z], field, 4).state(0, z, states.qop), block)


def _drop_outliers(block: Block, smoothed: Smoothed) -> bool:
    """Stop using the worst hit of each track, if it is bad enough; whether there was any."""
    if not block.used.size:
        return False
    excess = np.where(block.used, smoothed.residual**2 / smoothed.variance, 0.0)
    worst = np.argmax(excess, axis=0)
    tracks = np.arange(len(worst))
    enough = block.used.sum(axis=0) > _parameters(block) + 1
    bad = np.flatnonzero((excess[worst, tracks] > LARGEST_CHI2) & enough)
    block.used[worst[bad], bad] = False
    return len(bad) > 0


def _parameters(block: Block) -> NDArray[np.int64]:
    return np.where(block.fixed, 4, 5)


def _result(block: Block, filtered: Filtered, field: MagneticField) -> FittedTracks:
    """States, covariances and chi2, at the point closest to the beam."""
    start, d = block.start, filtered.parameters
    u, v = direction(start.tx, start.ty)
    u, v = u + d[2], v + d[3]
    tangent = State(start.x + d[0], start.y + d[1], start.z, *_slopes(u, v), start.qop + d[4])
    fitted = _where_sane(tangent, block)
    state = _carried(fitted, np.clip(approach(fitted, block.candidates.beam), *CARRIED), block, field)
    u, v = direction(state.tx, state.ty)
    away = approach(state, block.candidates.beam) - state.z
    covariance = _covariance(filtered.covariance, u, v, state.z + away - fitted.z)
    state = state._replace(x=state.x + away * state.tx, y=state.y + away * state.ty, z=state.z + away)
    diagonal = np.einsum("nii->ni", covariance)
    block.sensible &= np.isfinite(covariance).all(axis=(1, 2))
    block.sensible &= (diagonal[:, :4] > 0.0).all(axis=1) & (block.fixed | (diagonal[:, 4] > 0.0))
    block.sensible &= np.abs(state.qop) >= STRAIGHTEST
    block.sensible &= np.abs(state.qop) <= SOFTEST
    chi2 = np.where(block.used, filtered.chi2, 0.0)
    velo, tt, t = (
        Part((block.used & at).sum(axis=0), np.where(at, chi2, 0.0).sum(axis=0))
        for at in (block.part == part for part in sorted(set(PARTS.values())))
    )
    hits = block.used.sum(axis=0)
    return FittedTracks(
        state,
        covariance,
        chi2.sum(axis=0),
        hits - _parameters(block),
        block.counts - hits,
        velo,
        tt,
        t,
        block.sensible,
    )


def _covariance(parameters: Array, u: Array, v: Array, away: Array) -> Array:
    """Covariance of x, y, tx, ty, q/p a little further along the tangent, shape (n, 5, 5)."""
    xx, xy, yy = bearing(u, v)
    jacobian = np.zeros((len(u), 5, 5))
    jacobian[:, range(5), range(5)] = 1.0
    for i, first, second in ((0, xx, xy), (1, xy, yy)):
        jacobian[:, i, 2], jacobian[:, i, 3] = away * first, away * second
        jacobian[:, 2 + i, 2], jacobian[:, 2 + i, 3] = first, second
    moved = jacobian @ np.ascontiguousarray(np.moveaxis(parameters, 2, 0)) @ np.swapaxes(jacobian, 1, 2)
    symmetric: Array = 0.5 * (moved + np.swapaxes(moved, 1, 2))
    return symmetric


def _join(fitted: list[FittedTracks], back: Rows) -> FittedTracks:
    """The tracks of all blocks, in the order of the candidates."""

    def joined(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(columns)[back]

    state = State(*(joined(columns) for columns in zip(*(f.state for f in fitted), strict=True)))
    velo, tt, t = (
        Part(joined([getattr(f, name).hits for f in fitted]), joined([getattr(f, name).chi2 for f in fitted]))
        for name in ("velo", "tt", "t")
    )
    covariance, chi2, ndof, outliers, sensible = (
        joined([getattr(f, name) for f in fitted]) for name in ("covariance", "chi2", "ndof", "outliers", "sensible")
    )
    return FittedTracks(state, covariance, chi2, ndof, outliers, velo, tt, t, sensible)

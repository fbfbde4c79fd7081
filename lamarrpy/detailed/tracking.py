"""The first half of the Detailed Simulation: particles through the detector, hits, tracks, vertices."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.cutflow import CutFlow
from lamarrpy.detailed import bookkeeping, tables
from lamarrpy.detailed.geometry import Detector, lhcb_detector
from lamarrpy.detailed.hits import measure
from lamarrpy.detailed.reconstruction.candidates import WITH_VELO, Candidates, FittedTracks, TrackType
from lamarrpy.detailed.reconstruction.finding import Found, find_tracks
from lamarrpy.detailed.reconstruction.fit import fit
from lamarrpy.detailed.reconstruction.ghosts import CLASSIFIED
from lamarrpy.detailed.reconstruction.vertices import Vertices, fit_vertices
from lamarrpy.detailed.secondaries import secondaries
from lamarrpy.detailed.tables import Followed
from lamarrpy.detailed.transport import Particles, Truth, charged_particles, transport
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws
from lamarrpy.field import MagneticField, Polarity, magnetic_field
from lamarrpy.propagation import BeamLine, SharedSteps, closest_to_beam
from lamarrpy.propagation.true_states import beam_lines, closest_columns, origins
from lamarrpy.tables import EventBatch
from lamarrpy.tables.linking import row_of

Mask = NDArray[np.bool_]


@cache
def field_of(polarity: Polarity) -> MagneticField:
    """The field that particles fly through."""
    return magnetic_field("lhcb", polarity)


class Tracked(NamedTuple):
    """A batch after the tracking system.

    Attributes
    ----------
    batch : EventBatch
        With the numbers of tracks and vertices of ``events`` and the reconstructed ``vertices``.
    truth : Truth
        What the n particles that were followed did.
    followed : Followed
        What the tables say of them.
    tracks : Tracks
        The m tracks that are kept.
    flow : CutFlow
        How many came through each step.
    """

    batch: EventBatch
    truth: Truth
    followed: Followed
    tracks: Tracks
    flow: CutFlow


class Tracks(NamedTuple):
    """m tracks: Long, Upstream and Downstream ones that the fit likes.

    Attributes
    ----------
    event_id, track_type : ndarray of int, shape (m,)
        The event and class of each.
    row : ndarray of int, shape (m,)
        Of the particle in ``Truth.particles``, -1 for a ghost.
    n_tracks : ndarray of int, shape (m,)
        Tracks of each one's event, VELO and T tracks included.
    fitted : FittedTracks
        Their fit.
    """

    event_id: NDArray[np.int64]
    track_type: NDArray[np.int64]
    row: NDArray[np.intp]
    n_tracks: NDArray[np.int64]
    fitted: FittedTracks


def track(batch: EventBatch, field: MagneticField, draws: Draws) -> Tracked:
    """Let the charged particles of a batch fly, leave hits, be found and fitted."""
    detector = lhcb_detector()
    particles, refused = charged_particles(batch, detector)
    rows = _rows_of(particles, batch)
    beam = beam_lines(batch, rows)
    truth = transport(particles, detector, field, draws.stage("transport"))
    found = find_tracks(
        truth, measure(truth, detector, draws.stage("hits")), beam, detector, field, draws.stage("finding")
    )
    made = secondaries(batch, truth, rows)
    followed = Followed(rows, _true_columns(batch, rows, beam, field), found.in_acceptance, made)
    flow = bookkeeping.of_origins(len(rows), refused) + bookkeeping.of_transport(truth)
    flow += bookkeeping.of_finding(found.candidates, found.in_acceptance, found.track_type)
    fitted, good, of_fit = _fit(found.candidates, detector, field)
    batch, tracks = _kept(batch, followed, found, fitted, good)
    return Tracked(batch, truth, followed, tracks, flow + of_fit)


def _rows_of(particles: Particles, batch: EventBatch) -> NDArray[np.intp]:
    """The rows of ``particles`` in the batch."""
    keys = batch.arrays("particles", "event_id", "particle_id")
    return row_of((particles.event_id, particles.particle_id), keys, "particles")


def _true_columns(
    batch: EventBatch, rows: NDArray[np.intp], beam: BeamLine, field: MagneticField
) -> dict[str, NDArray[Any]]:
    """Kinematics and the true state closest to the beam line, as the propagation stage has them."""
    start, columns = origins(batch, rows)
    return {**columns, **closest_columns(closest_to_beam(start, beam, SharedSteps(field))), "true_qop": start.qop}


def _fit(candidates: Candidates, detector: Detector, field: MagneticField) -> tuple[FittedTracks, Mask, CutFlow]:
    """Fit the candidates; which of them are good tracks."""
    fitted, largest = fit(candidates, detector, field), tuning("quality")["largest_chi2_per_dof"]
    good = fitted.good(largest)
    return fitted, good, bookkeeping.of_fit(fitted.sensible, good, largest)


def _kept(
    batch: EventBatch, followed: Followed, found: Found, fitted: FittedTracks, good: Mask
) -> tuple[EventBatch, Tracks]:
    """The batch with vertices and counts, and the tracks that are kept."""
    candidates = found.candidates
    vertices = _vertices(batch, candidates, fitted, good & np.isin(candidates.track_type, WITH_VELO))
    in_t = batch.array("particles", "event_id")[followed.rows[found.track_type == TrackType.t]]
    batch = tables.with_events(batch, np.concatenate([candidates.event_id[good], in_t]), vertices.event_id)
    batch = tables.with_vertices(batch, vertices)
    kept = good & np.isin(candidates.track_type, CLASSIFIED)
    event_id, track_type, row = (a[kept] for a in (candidates.event_id, candidates.track_type, candidates.row))
    n_tracks = batch.array("events", "n_tracks")[tables.event_positions(batch, event_id)].astype(np.int64)
    return batch, Tracks(event_id, track_type, row, n_tracks, fitted.at(kept))


def _vertices(batch: EventBatch, candidates: Candidates, fitted: FittedTracks, rows: Mask) -> Vertices:
    """The vertices of tracks with VELO hits, sought along the beam: the mean of an event's collisions in x and y."""
    events = batch.array("events", "event_id")
    at = np.searchsorted(np.sort(events), batch.array("vertices", "event_id"))
    number = np.maximum(np.bincount(at, minlength=len(events)), 1)
    x, y = (np.bincount(at, batch.array("vertices", f"true_{a}"), minlength=len(events)) / number for a in "xy")
    event_id = candidates.event_id[rows]
    own = np.searchsorted(np.sort(events), event_id)
    return fit_vertices(event_id, fitted.state.at(rows), fitted.covariance[rows], BeamLine(x[own], y[own]))

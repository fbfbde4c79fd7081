"""Particles that may leave tracks, how a stage makes tracks of those that it has found, and what is known of these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.particles import Species, charge, species
from lamarrpy.tables import EVENTS, PARTICLES, TRACKS, EventBatch
from lamarrpy.tables.linking import row_of

TRUTH = {
    "true_x": "ctb_x",
    "true_y": "ctb_y",
    "true_z": "ctb_z",
    "true_tx": "ctb_tx",
    "true_ty": "ctb_ty",
    "true_p": "p",
    "true_pt": "pt",
    "true_eta": "eta",
    "true_phi": "phi",
}
"""Columns of ``tracks``, and those of ``particles`` that they are taken from."""

PARTICLES_READ = PARTICLES.only("event_id", "particle_id", "vertex_id", "pid", *TRUTH.values())
"""What `with_tracks` needs."""

TRACKS_MADE = TRACKS.only(
    *("event_id", "track_id", "particle_id", "vertex_id", "track_type", "true_pid"), *TRUTH, "true_qop"
)
"""What it makes."""


OCCUPANCY = EVENTS.only("event_id", "n_tracks")
"""What `n_tracks_of` reads."""


def charged_rows(batch: EventBatch) -> NDArray[np.intp]:
    """Rows of the propagated particles that may leave a track: electrons, muons, pions, kaons and protons."""
    pid, propagated = batch.arrays("particles", "pid", "propagated")
    return np.flatnonzero(propagated & (species(pid) != Species.other))


def n_tracks_of(batch: EventBatch, event_id: NDArray[np.int64]) -> NDArray[np.int32]:
    """The number of tracks of these events, in the shape of ``event_id``."""
    events, n_tracks = batch.arrays("events", "event_id", "n_tracks")
    return np.asarray(n_tracks[row_of([event_id], [events], "events")])


def known_of_tracks(batch: EventBatch, of_track: Sequence[str], of_particle: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Columns of all tracks and of their particles, and ``n_tracks`` of their events, each of shape (n,).

    Raises
    ------
    SchemaError
        If a track's particle or event is not in its table.
    """
    event_id, particle_id = batch.arrays("tracks", "event_id", "particle_id")
    own = row_of((event_id, particle_id), batch.arrays("particles", "event_id", "particle_id"), "particles")
    return {
        **dict(zip(of_track, batch.arrays("tracks", *of_track), strict=True)),
        "n_tracks": n_tracks_of(batch, event_id),
        **{name: batch.array("particles", name)[own] for name in of_particle},
    }


def with_tracks(batch: EventBatch, rows: NDArray[np.intp], track_type: NDArray[np.int32]) -> EventBatch:
    """The batch with a table of tracks, one for each particle that was found.

    Parameters
    ----------
    batch : EventBatch
        With the columns of `PARTICLES_READ`.
    rows : ndarray of int, shape (k,)
        Rows of the particles that were found.
    track_type : ndarray of int32, shape (k,)
        `lamarrpy.stages.track_type.TrackType` of each.

    Returns
    -------
    EventBatch
        With the table `TRACKS_MADE`, k rows in the order of ``rows``; a track has the number of its particle.
    """
    values: dict[str, NDArray[Any]] = {
        name: batch.array("particles", name)[rows] for name in ("event_id", "particle_id", "vertex_id")
    }
    values["track_id"], values["track_type"] = values["particle_id"], track_type
    values["true_pid"] = batch.array("particles", "pid")[rows]
    values |= {name: batch.array("particles", column)[rows] for name, column in TRUTH.items()}
    values["true_qop"] = charge(values["true_pid"]) / values["true_p"]
    return batch.with_table(TRACKS_MADE, values)

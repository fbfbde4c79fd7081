"""How a stage makes tracks out of the particles that it has found: their keys, and their truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.particles import charge
from lamarrpy.tables import PARTICLES, TRACKS, EventBatch

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

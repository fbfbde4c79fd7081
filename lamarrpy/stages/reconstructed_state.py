"""What every reconstructed state has, however it was simulated: a beam line nearby, and a momentum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamarrpy.constants import constants
from lamarrpy.tables import EventBatch
from lamarrpy.tables.linking import row_of

Floats = NDArray[np.float64]


def beam_lines_of_tracks(batch: EventBatch) -> tuple[Floats, Floats]:
    """x and y [mm] of the line along z through the true pp collision of each track, each of shape (n,).

    Parameters
    ----------
    batch : EventBatch
        With ``event_id`` and ``vertex_id`` of ``tracks``, and these and ``true_x, true_y`` of ``vertices``.

    Raises
    ------
    SchemaError
        If a track's vertex is not in the table.
    """
    keys = ("event_id", "vertex_id")
    at = row_of(batch.arrays("tracks", *keys), batch.arrays("vertices", *keys), "vertices")
    beam_x, beam_y = batch.arrays("vertices", "true_x", "true_y")
    return beam_x[at], beam_y[at]


def no_straighter_than_beam(qop: Floats) -> Floats:
    """q/p [1/MeV] of the same sign, at least that of beam momentum, shape (n,)."""
    straightest = 1 / constants("track_state")["largest_momentum"]["value"]
    return np.asarray(np.copysign(np.maximum(np.abs(qop), straightest), qop))


def momentum(tx: Floats, ty: Floats, qop: Floats) -> dict[str, Floats]:
    """p, pt [MeV], eta and phi [rad] that slopes and q/p imply, each of shape (n,)."""
    steepness = tx * tx + ty * ty
    p = 1 / np.abs(qop)
    return {
        "p": p,
        "pt": p * np.sqrt(steepness / (1 + steepness)),
        "eta": np.arcsinh(1 / np.sqrt(steepness)),
        "phi": np.arctan2(ty, tx),
    }

"""What is known of a track before it is reconstructed, told along and across its direction.

The VELO measures r and phi: what it makes of a track is much the same all around the beam, in a frame that turns with
the track. Of the two transverse directions one is along the track's, the other across it, a quarter turn further.
Downstream tracks are measured in TT and T, whose strips are all nearly upright: along is x for them, and across is y.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.field import Polarity
from lamarrpy.stages.reconstructed_state import beam_lines_of_tracks
from lamarrpy.stages.reconstruction import OCCUPANCY, known_of_tracks
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables import PARTICLES, TRACKS, VERTICES, EventBatch, Schema

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

TRUTH = ("true_x", "true_y", "true_z", "true_tx", "true_ty", "true_qop", "true_p")
"""The true state closest to the beam line, and the momentum."""

_TRACK = ("track_type", "true_pid", *TRUTH)
_PLANES = ("mid_tt", "mid_t")
_AT_PLANES = tuple(f"{what}_{plane}" for plane in _PLANES for what in ("reaches", "x", "y"))

READS: Mapping[str, Schema] = {
    "tracks": TRACKS.only("event_id", "track_id", "particle_id", "vertex_id", *_TRACK),
    "particles": PARTICLES.only("event_id", "particle_id", "z", *_AT_PLANES),
    "vertices": VERTICES.only("event_id", "vertex_id", "true_x", "true_y"),
    "events": OCCUPANCY,
}
"""What `known` takes."""

_ODD = frozenset(
    {"true_x", "true_tx", "beam_x", "x", "tx"}
    | {f"x_{plane}" for plane in _PLANES}
    | {f"cov_x_{other}" for other in ("y", "ty", "qop")}
    | {"cov_y_tx", "cov_tx_ty", "cov_tx_qop"}
)
"""Columns that change their sign when x does."""

_STEEPNESS = 1e-6
"""The smallest that has a direction."""


def known(batch: EventBatch, polarity: Polarity) -> dict[str, NDArray[Any]]:
    """What is known of the tracks of a batch, as if it were in a magnet of polarity MagUp.

    Parameters
    ----------
    batch : EventBatch
        With the columns of `READS`.
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet; tracks in MagDown are told as a mirror in x shows them.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        By the names that they have in training samples: those of ``tracks``, ``n_tracks``, ``beam_x, beam_y`` [mm] of
        the true collision, and of the particle ``origin_z`` [mm] and the columns at the planes mid_tt and mid_t.

    Raises
    ------
    SchemaError
        If a track's particle or vertex is not in its table.
    """
    columns = known_of_tracks(batch, _TRACK, ("z", *_AT_PLANES))
    columns["origin_z"] = columns.pop("z")
    columns["beam_x"], columns["beam_y"] = beam_lines_of_tracks(batch)
    return columns if polarity == "MagUp" else mirrored(columns)


def mirrored(columns: Columns) -> dict[str, NDArray[Any]]:
    """The same tracks seen in a mirror, x for -x: in the field of the other polarity, with the same charge."""
    return {name: -values if name in _ODD else values for name, values in columns.items()}


def direction(columns: Columns) -> tuple[Floats, Floats, Floats]:
    """Steepness, and cosine and sine of the azimuth, of the true state closest to the beam line, each (n,)."""
    tx, ty = columns["true_tx"], columns["true_ty"]
    steepness = np.maximum(np.sqrt(tx * tx + ty * ty), _STEEPNESS)
    return steepness, tx / steepness, ty / steepness


def frame(columns: Columns) -> tuple[Floats, Floats]:
    """Cosine and sine of the angle from x to the direction along, of each track, each of shape (n,)."""
    _, cos, sin = direction(columns)
    turns = np.asarray(columns["track_type"]) != TrackType.downstream
    return np.where(turns, cos, 1.0), np.where(turns, sin, 0.0)


def conditions(columns: Columns) -> dict[str, NDArray[Any]]:
    """What the models of a track's reconstruction are told.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        As `known` makes them.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Besides the columns that it is named after: ``offset`` [mm], the signed distance of the true state from the beam
        line; ``flight`` [mm], how far along z the particle was born behind it; and where it crosses TT and T, 0 where
        it does not.
    """
    steepness, cos, sin = direction(columns)
    x, y = columns["true_x"] - columns["beam_x"], columns["true_y"] - columns["beam_y"]
    planes: dict[str, Floats] = {}
    for plane in _PLANES:
        reaches = np.asarray(columns[f"reaches_{plane}"], bool)
        planes |= {f"{axis}_{plane}": np.where(reaches, columns[f"{axis}_{plane}"], 0.0) for axis in "xy"}
    return {
        "track_type": columns["track_type"],
        "species": np.abs(columns["true_pid"]),
        "charge": np.sign(columns["true_qop"]),
        "p": columns["true_p"],
        "eta": np.arcsinh(1 / steepness),
        "cos_phi": cos,
        "sin_phi": sin,
        "z": columns["true_z"],
        "offset": y * cos - x * sin,
        "flight": columns["origin_z"] - columns["true_z"],
        "n_tracks": columns["n_tracks"],
        **planes,
    }

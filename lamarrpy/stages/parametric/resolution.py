"""Resolution: the reconstructed state of a track and the quality of its fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from lamarrpy.constants import constants
from lamarrpy.draws import Draws, RowDraws
from lamarrpy.particles import Species
from lamarrpy.stages.parametric.track_quality import (
    degrees_of_freedom,
    draw_chi2_per_dof,
    ghost_probability,
    quality_class,
)
from lamarrpy.stages.parametric.track_state import fluctuations, hits_fluctuation, state_uncertainty
from lamarrpy.stages.reconstructed_state import beam_lines_of_tracks, momentum, no_straighter_than_beam
from lamarrpy.tables import TRACKS, VERTICES, EventBatch, Schema

Floats = NDArray[np.float64]

_STATE_DRAWS, _CHI2, _GHOST, _BREMSSTRAHLUNG, _CHI2_AGAIN = 5, 5, 6, 7, 8
_TRUTH = ("true_x", "true_y", "true_z", "true_tx", "true_ty", "true_qop", "true_p", "true_pt")
_WRITES = ("x", "y", "z", "tx", "ty", "qop", "p", "pt", "eta", "phi", "charge", "chi2_per_dof", "ndof", "ghost_prob")


@dataclass(frozen=True)
class Resolution:
    """Measure each track: its state closest to the beam line, its momentum, and how well the fit went.

    The residuals of (x, y, tx, ty, q/p) are Gaussian with the covariance that the stage
    `covariance` reports, different for every track, so their sum has tails. They are those at the
    plane z of the reconstructed state: the true track there is at true_x + true_tx (z - true_z).
    That plane follows from geometry: it is where the reconstructed line comes closest to the beam
    line. Electrons have lost some momentum to bremsstrahlung, which no uncertainty covers.

    A track from a decay behind the VELO is reported at the beam line too, though its particle never was
    there. Masses need its slopes at the decay: the same if the propagation was by single kick, other by
    the fringe field in between if it was by Runge-Kutta.

    q/p is what is smeared, as a track fit does: p stays positive, and an Upstream track, of which q/p
    is known to 15-50 %, may get the wrong charge. No track is straighter than one of beam momentum.

    Parameters
    ----------
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet.
    """

    polarity: Literal["MagUp", "MagDown"] = "MagUp"

    @property
    def name(self) -> str:
        """The name of the stage."""
        return "resolution"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """True states of the tracks, and where their pp collisions were."""
        return {
            "tracks": TRACKS.only("event_id", "track_id", "vertex_id", "track_type", "true_pid", *_TRUTH),
            "vertices": VERTICES.only("event_id", "vertex_id", "true_x", "true_y"),
        }

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The reconstructed state, the momentum that it implies, and the fit quality."""
        return {"tracks": TRACKS.only(*_WRITES)}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Reconstruct the tracks of a batch."""
        event_id, track_id, track_type, pid = batch.arrays("tracks", "event_id", "track_id", "track_type", "true_pid")
        rows, shared = draws.rows(event_id, track_id), fluctuations(draws, event_id, track_id)
        values: dict[str, NDArray[Any]] = {**self._state(batch, track_type, pid, rows, shared)}
        values |= momentum(values["tx"], values["ty"], values["qop"])
        values["charge"] = np.sign(values["qop"]).astype(np.int32)
        quality, p = quality_class(track_type, pid), batch.array("tracks", "true_p")
        values["chi2_per_dof"], chi2_normal = draw_chi2_per_dof(quality, p, rows, _CHI2, _CHI2_AGAIN)
        values["ndof"] = degrees_of_freedom(quality, hits_fluctuation(shared))
        values["ghost_prob"] = ghost_probability(quality, chi2_normal, rows.normal(_GHOST))
        return batch.with_columns(self.writes["tracks"], values)

    def _state(
        self,
        batch: EventBatch,
        track_type: NDArray[np.int32],
        pid: NDArray[np.int32],
        rows: RowDraws,
        shared: RowDraws,
    ) -> dict[str, Floats]:
        """The reconstructed state closest to the beam line."""
        x, y, z, tx, ty, qop, p, pt = batch.arrays("tracks", *_TRUTH)
        uncertainty = state_uncertainty(track_type, p, pt, tx, ty, shared, self.polarity)
        dx, dy, dtx, dty, dqop = uncertainty.residuals(rows.normals(_STATE_DRAWS))
        from_beam = _distance_from_beam(batch, x, y)
        dz = _shift_to_closest(from_beam, (tx, ty), (dx, dy), (dtx, dty))
        return {
            "x": x + tx * dz + dx,
            "y": y + ty * dz + dy,
            "z": z + dz,
            "tx": tx + dtx,
            "ty": ty + dty,
            "qop": no_straighter_than_beam(_radiate(qop, pid, rows) + dqop),
        }


def _distance_from_beam(batch: EventBatch, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """True state less the beam line [mm], which runs through the pp collision along z."""
    beam_x, beam_y = beam_lines_of_tracks(batch)
    return x - beam_x, y - beam_y


def _shift_to_closest(
    from_beam: tuple[Floats, Floats],
    slope: tuple[Floats, Floats],
    offset: tuple[Floats, Floats],
    turn: tuple[Floats, Floats],
) -> Floats:
    """How far along z [mm] the point closest to the beam line moves with the residuals, shape (n,).

    The true state, at r from the beam line with slopes t, is the closest one: r t = 0. The
    reconstructed line is closest where (r + t dz + offset) (t + turn) = 0.
    """
    (rx, ry), (tx, ty), (ox, oy), (ux, uy) = from_beam, slope, offset, turn
    sx, sy = tx + ux, ty + uy
    steepness = tx * tx + ty * ty
    along = np.maximum(tx * sx + ty * sy, 0.25 * steepness)  # a turn as large as the slope has no closest point
    return -(ox * sx + oy * sy + rx * ux + ry * uy) / along


def _radiate(qop: Floats, pid: NDArray[np.int32], rows: RowDraws) -> Floats:
    """q/p of the track that is seen: electrons radiate on their way."""
    data = constants("track_state")["bremsstrahlung"]
    electrons = np.flatnonzero(np.abs(pid) == Species.electron)
    seen = qop.copy()
    seen[electrons] *= np.exp(data["theta"] * gammaincinv(data["shape"], rows[electrons].uniform(_BREMSSTRAHLUNG)))
    return seen

"""Primary vertices: which are found, their positions and covariance, a mixture of Gaussians for each axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lamarrpy.constants import constants
from lamarrpy.draws import Draws, RowDraws
from lamarrpy.errors import ConfigError
from lamarrpy.particles import charge
from lamarrpy.tables import EVENTS, PARTICLES, VERTICES, EventBatch, Schema
from lamarrpy.tables.linking import row_of
from lamarrpy.tables.schemas import covariance_columns

AXES = ("x", "y", "z")
_STABLE = 1
"""HepMC status of a particle that leaves the generator undecayed."""
_COVARIANCE = tuple(column.name for column in covariance_columns(AXES, ""))


@dataclass(frozen=True)
class PrimaryVertex:
    """Reconstruct the pp collisions that the detector sees, each as a vertex near its true position.

    A collision needs some charged particles that head into the detector to be found; elastic and most
    diffractive ones have none. This is asked only of collisions that the table has whole, which their
    energy tells. Of others, as from a gun, it has the signal at most: the particles that would make the
    vertex are not simulated, and the vertex is always found.

    Each axis is displaced by one of three Gaussians, drawn with its probability: vertices of many
    tracks are better known than those of few. The covariance reported is that of the Gaussian
    drawn, as a vertex fit knows how good its tracks were; so pulls are standard normal. The axes
    are independent, as in the source (models/parametric/primary_vertex.yaml).

    Parameters
    ----------
    year : int
        Year of data taking.
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet.
    min_tracks : int
        Charged particles with 2 < eta < 5 that a whole collision needs to be found; 0 finds all.

    Raises
    ------
    ConfigError
        If there are no constants for the year and polarity, or the number is negative.
    """

    year: int = 2016
    polarity: Literal["MagUp", "MagDown"] = "MagUp"
    min_tracks: int = 4

    def __post_init__(self) -> None:
        known = constants("primary_vertex")["smearing"]
        if self._conditions not in known:
            raise ConfigError(
                f"expected a year and polarity with constants for primary vertices ({', '.join(known)}),"
                f" got {self._conditions}; choose one of these for the stage primary_vertex"
            )
        if self.min_tracks < 0:
            raise ConfigError(f"expected min_tracks of the stage primary_vertex to be 0 or more, got {self.min_tracks}")

    @property
    def _conditions(self) -> str:
        return f"{self.year} {self.polarity}"

    @property
    def name(self) -> str:
        """The name of the stage."""
        return "primary_vertex"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """True positions, the events they belong to, and the particles that come from them."""
        return {
            "vertices": VERTICES.only("event_id", "vertex_id", "true_x", "true_y", "true_z"),
            "events": EVENTS.only("event_id"),
            "particles": PARTICLES.only("event_id", "vertex_id", "pid", "px", "py", "pz", "status"),
        }

    @property
    def writes(self) -> Mapping[str, Schema]:
        """Which are found, reconstructed positions with covariance, and their number in each event."""
        return {"vertices": VERTICES.only("reconstructed", *AXES, *_COVARIANCE), "events": EVENTS.only("n_pvs")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Find and displace the vertices of a batch."""
        event_id, vertex_id = batch.arrays("vertices", "event_id", "vertex_id")
        rows = draws.rows(event_id, vertex_id)
        smearing = constants("primary_vertex")["smearing"][self._conditions]
        found = self._found(batch)
        values = {name: np.where(found, 0.0, np.nan) for name in _COVARIANCE}
        for at, axis in enumerate(AXES):
            displacement, width = _draw_displacement(smearing[axis], rows, at)
            values[axis] = np.where(found, batch.array("vertices", f"true_{axis}") + displacement, np.nan)
            values[f"cov_{axis}_{axis}"] = np.where(found, width**2, np.nan)
        batch = batch.with_columns(self.writes["vertices"], {"reconstructed": found, **values})
        return batch.with_columns(self.writes["events"], {"n_pvs": _count(batch, found)})

    def _found(self, batch: EventBatch) -> NDArray[np.bool_]:
        """Whether each vertex is found, shape (vertices,)."""
        of, p, charged = _particles_of_vertices(batch)
        n = batch["vertices"].num_rows
        whole = np.bincount(of, weights=p, minlength=n) > constants("primary_vertex")["found"]["whole_collision"]
        return np.asarray(~whole | (np.bincount(of[charged], minlength=n) >= self.min_tracks))


def _particles_of_vertices(batch: EventBatch) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.intp]]:
    """Row of the vertex and momentum [MeV] of each stable particle, and which of them leave a track in the VELO."""
    stable = np.flatnonzero(batch.array("particles", "status") == _STABLE)
    event_id, vertex_id, pid, px, py, pz = (
        batch.array("particles", c)[stable] for c in ("event_id", "vertex_id", "pid", "px", "py", "pz")
    )
    of = row_of([event_id, vertex_id], batch.arrays("vertices", "event_id", "vertex_id"), "vertices")
    p = np.sqrt(px * px + py * py + pz * pz)
    low, high = np.tanh(constants("primary_vertex")["found"]["eta"])
    ahead = np.flatnonzero((pz > low * p) & (pz < high * p))
    return of, p, ahead[charge(pid[ahead]) != 0]


def _draw_displacement(
    mixture: Mapping[str, Any], rows: RowDraws, axis: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Displacement along one axis, and the width of the Gaussian it was drawn from [mm]."""
    component = np.searchsorted(np.cumsum(mixture["fractions"]), rows.uniform(2 * axis))
    width = np.array(mixture["widths"])[component]
    return mixture["mean"] + width * rows.normal(2 * axis + 1), width


def _count(batch: EventBatch, found: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Vertices found in each event, shape (events,)."""
    events = batch.array("events", "event_id")
    row = row_of([batch.array("vertices", "event_id")], [events], "events")
    return np.bincount(row[found], minlength=len(events))

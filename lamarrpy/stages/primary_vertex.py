"""Primary vertices: reconstructed positions and covariance, a mixture of Gaussians for each axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lamarrpy.constants import constants
from lamarrpy.draws import Draws, RowDraws
from lamarrpy.errors import ConfigError
from lamarrpy.stages.linking import row_of
from lamarrpy.tables import EVENTS, VERTICES, EventBatch, Schema
from lamarrpy.tables.schemas import covariance_columns

AXES = ("x", "y", "z")
_COVARIANCE = tuple(column.name for column in covariance_columns(AXES, ""))


@dataclass(frozen=True)
class PrimaryVertex:
    """Reconstruct every pp collision as a vertex near its true position.

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

    Raises
    ------
    ConfigError
        If there are no constants for the year and polarity.
    """

    year: int = 2016
    polarity: Literal["MagUp", "MagDown"] = "MagUp"

    def __post_init__(self) -> None:
        known = constants("primary_vertex")["smearing"]
        if self._conditions not in known:
            raise ConfigError(
                f"expected a year and polarity with constants for primary vertices ({', '.join(known)}),"
                f" got {self._conditions}; choose one of these for the stage primary_vertex"
            )

    @property
    def _conditions(self) -> str:
        return f"{self.year} {self.polarity}"

    @property
    def name(self) -> str:
        """The name of the stage."""
        return "primary_vertex"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """True positions, and the events they belong to."""
        return {
            "vertices": VERTICES.only("event_id", "vertex_id", "true_x", "true_y", "true_z"),
            "events": EVENTS.only("event_id"),
        }

    @property
    def writes(self) -> Mapping[str, Schema]:
        """Reconstructed positions with covariance, and their number in each event."""
        return {"vertices": VERTICES.only(*AXES, *_COVARIANCE), "events": EVENTS.only("n_pvs")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Displace the vertices of a batch."""
        event_id, vertex_id = batch.arrays("vertices", "event_id", "vertex_id")
        rows = draws.rows(event_id, vertex_id)
        smearing = constants("primary_vertex")["smearing"][self._conditions]
        values = {name: np.zeros(len(event_id)) for name in _COVARIANCE}
        for at, axis in enumerate(AXES):
            displacement, width = _draw_displacement(smearing[axis], rows, at)
            values[axis] = batch.array("vertices", f"true_{axis}") + displacement
            values[f"cov_{axis}_{axis}"] = width**2
        batch = batch.with_columns(self.writes["vertices"], values)
        return batch.with_columns(self.writes["events"], {"n_pvs": _count(batch)})


def _draw_displacement(
    mixture: Mapping[str, Any], rows: RowDraws, axis: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Displacement along one axis, and the width of the Gaussian it was drawn from [mm]."""
    component = np.searchsorted(np.cumsum(mixture["fractions"]), rows.uniform(2 * axis))
    width = np.array(mixture["widths"])[component]
    return mixture["mean"] + width * rows.normal(2 * axis + 1), width


def _count(batch: EventBatch) -> NDArray[np.int64]:
    """Vertices in each event, shape (events,)."""
    events = batch.array("events", "event_id")
    row = row_of([batch.array("vertices", "event_id")], [events], "events")
    return np.bincount(row, minlength=len(events))

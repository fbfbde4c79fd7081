"""Efficiency: which charged particles are reconstructed, and as what, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.field import Polarity
from lamarrpy.stages.crossings import READS, crossings
from lamarrpy.stages.reconstruction import (
    OCCUPANCY,
    PARTICLES_READ,
    TRACKS_MADE,
    charged_rows,
    n_tracks_of,
    with_tracks,
)
from lamarrpy.stages.trained import DecidingStage
from lamarrpy.tables import PARTICLES, EventBatch, Schema

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Efficiency(DecidingStage):
    """Reconstruct particles as Long, Upstream or Downstream tracks, or not at all, as the Detailed Simulation would.

    The class is drawn for every propagated electron, muon, pion, kaon and proton, in acceptance or not: most Upstream
    tracks are of particles that the magnet sweeps past the T stations. It depends on the way through the detector, on
    the species, which interact and decay differently, and on how many tracks the event has. Particles of other species
    leave no track.

    Parameters
    ----------
    version : str
        Which model of `models/efficiency/charged`.
    models : str or None
        Folder of models of one's own, laid out as ``models``; the shipped ones if left out.
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet.

    Raises
    ------
    ConfigError
        If there is no such model.
    ArtifactError
        If it is damaged, or no classifier.
    """

    stage: ClassVar[str] = "efficiency"
    parts: ClassVar[tuple[str, ...]] = ("charged",)

    polarity: Polarity = "MagUp"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Propagated particles, their true state, where they cross the stations, and the occupancy."""
        names = dict.fromkeys((*PARTICLES_READ.names, "propagated", *READS, "in_acceptance"))
        return {"particles": PARTICLES.only(*names), "events": OCCUPANCY}

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The class of each particle, and one row for each reconstructed track, with its truth."""
        return {"particles": PARTICLES.only("track_type", "outside_efficiency"), "tracks": TRACKS_MADE}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Make the tracks of a batch."""
        event_id, particle_id = batch.arrays("particles", "event_id", "particle_id")
        rows = charged_rows(batch)
        known = {name: batch.array("particles", name)[rows] for name in (*READS, "in_acceptance")}
        known["n_tracks"] = n_tracks_of(batch, event_id[rows])
        seen, model = conditions(known, self.polarity), self._model(self.parts[0])
        track_type, outside = np.zeros(len(event_id), np.int32), np.zeros(len(event_id), bool)
        track_type[rows] = model(seen, draws.rows(event_id[rows], particle_id[rows]))["track_type"]
        outside[rows] = model.outside(seen)
        values = {"track_type": track_type, "outside_efficiency": outside}
        found = np.flatnonzero(track_type)
        return with_tracks(batch.with_columns(self.writes["particles"], values), found, track_type[found])


def conditions(columns: Columns, polarity: Polarity = "MagUp") -> dict[str, NDArray[Any]]:
    """What the model is told of charged particles.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        `lamarrpy.stages.crossings.READS`, ``in_acceptance`` and ``n_tracks`` of the event.
    polarity : {"MagUp", "MagDown"}
        Of the magnet in which they flew.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Their `crossings`, the flag as 0 and 1, and ``n_tracks``.
    """
    in_acceptance = np.asarray(columns["in_acceptance"], np.float64)
    return {**crossings(columns, polarity), "in_acceptance": in_acceptance, "n_tracks": columns["n_tracks"]}

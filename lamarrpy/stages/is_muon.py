"""IsMuon: whether the muon stations have the hits of a muon, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.particles import Species
from lamarrpy.stages.reconstruction import known_of_tracks
from lamarrpy.stages.track_end import END, END_READS, Columns, muon_depth, muon_frames, way_behind
from lamarrpy.stages.trained import SPECIES, DecidingStage, answers_by_species
from lamarrpy.tables import TRACKS, EventBatch, Schema

LEAST_P = 3000.0
"""Reconstructed momentum [MeV] from which on a track may be a candidate (LHCb, JINST 8 P10020)."""

EDGE = 300.0
"""How far [mm] past the muon system a particle may be on its way whose decay is seen in it."""

_TRACK = ("track_type", "p", "eta", "charge")


@dataclass(frozen=True)
class IsMuon(DecidingStage):
    """Draw which tracks have muon hits, with the probability that the Detailed Simulation shows for their species.

    Tracks without a segment behind the magnet, below 3 GeV, or past the muon system never pass, nor do electrons. Where
    a track goes is taken from the true way of its particle, which the reconstruction knows to some tenths of a
    milliradian.

    Parameters
    ----------
    version : str
        Which models.
    models : str or None
        Folder of models of one's own, laid out as ``models``; the shipped ones if left out.

    Raises
    ------
    ConfigError
        If there is no such model.
    ArtifactError
        If one is damaged, or no classifier.
    """

    stage: ClassVar[str] = "is_muon"
    parts: ClassVar[tuple[str, ...]] = tuple(species.name for species in SPECIES)

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Reconstructed tracks, the occupancy, and the ways of their particles."""
        keys = ("event_id", "track_id", "particle_id", "true_pid")
        return {
            "tracks": TRACKS.only(*keys, *_TRACK),
            **END_READS,
        }

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The flag."""
        return {"tracks": TRACKS.only("is_muon", "outside_is_muon")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Give the tracks of a batch their flag."""
        columns = known_of_tracks(batch, _TRACK, END)
        event_id, track_id, pid = batch.arrays("tracks", "event_id", "track_id", "true_pid")
        seen, rows, flag = conditions(columns), draws.rows(event_id, track_id), np.zeros(len(pid), bool)
        kind = np.where(candidates(seen), np.abs(pid), Species.other)
        outside = answers_by_species(lambda of: self._model(of.name), kind, seen, rows, {"is_muon": flag})
        return batch.with_columns(self.writes["tracks"], {"is_muon": flag, "outside_is_muon": outside})


def conditions(columns: Columns) -> dict[str, NDArray[Any]]:
    """What the models are told.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Of tracks: ``p`` [MeV], ``eta, charge, track_type, n_tracks``, and where their particles go, `track_end.END`.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Besides the columns that it is named after: ``muon_depth``, how far [mm] inside of the muon system the track
        is, and ``muon_octaves``, by how many doublings of the hole it misses the hole of M2: whole numbers from 1 on
        are borders of the regions, whose pads double too.
    """
    way = way_behind(columns)
    same = {name: columns[name] for name in ("p", "eta", "n_tracks", "charge", "track_type")}
    return {**same, "muon_depth": muon_depth(way), "muon_octaves": way.octaves(muon_frames()[1])}


def candidates(seen: Columns) -> NDArray[np.bool_]:
    """Which tracks may pass at all, by their `conditions`; the others never do."""
    return np.asarray((seen["p"] > LEAST_P) & (seen["muon_depth"] > -EDGE))

"""Muon: the likelihoods of the muon system for tracks with isMuon, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.particles import Species
from lamarrpy.stages.muon_likelihoods import muon_likelihoods
from lamarrpy.stages.reconstruction import known_of_tracks
from lamarrpy.stages.track_end import END, END_READS, Columns, muon_frames, way_behind
from lamarrpy.stages.trained import SPECIES, TrainedStage, answers_by_species, empty
from lamarrpy.tables import TRACKS, EventBatch, Schema

Floats = NDArray[np.float64]

LEARNED = ("muon_d2",)
"""What is learned: both likelihoods follow from it."""

_REGIONS = 4

_TRACK = ("track_type", "p", "eta", "charge")


@dataclass(frozen=True)
class Muon(TrainedStage):
    """Draw how near the muon hits of the tracks with isMuon are, and what the likelihoods make of that.

    MuonMuLL and MuonBgLL are both functions of one number in each bin of region and momentum, `muon_likelihoods`. The
    distance is learned, so that both, and muDLL, are to each other as they must be. A track of another species, which
    another stage may have given isMuon, is answered as a pion.

    Parameters
    ----------
    version : str
        Which models: ``distilled`` or ``gan``.
    models : str or None
        Folder of models of one's own, laid out as ``models``; the shipped ones if left out.

    Raises
    ------
    ConfigError
        If there is no such model.
    ArtifactError
        If one is damaged.
    """

    stage: ClassVar[str] = "muon"
    parts: ClassVar[tuple[str, ...]] = tuple(species.name for species in SPECIES)

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Reconstructed tracks with their flag, the occupancy, and the ways of their particles."""
        keys = ("event_id", "track_id", "particle_id", "true_pid")
        return {
            "tracks": TRACKS.only(*keys, *_TRACK, "is_muon"),
            **END_READS,
        }

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The distance and the likelihoods, where there is isMuon."""
        return {"tracks": TRACKS.only("muon_d2", "muon_mu_ll", "muon_bg_ll", "outside_muon")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Give the tracks with isMuon of a batch their likelihoods."""
        event_id, track_id, pid, flag = batch.arrays("tracks", "event_id", "track_id", "true_pid", "is_muon")
        at = np.flatnonzero(flag)
        columns = known_of_tracks(batch, _TRACK, END)
        seen = conditions({name: column[at] for name, column in columns.items()})
        rows, kind = draws.rows(event_id, track_id)[at], np.abs(pid[at])
        kind[~np.isin(kind, SPECIES)] = Species.pion
        said = empty(LEARNED, len(at))
        values, outside = empty(("muon_d2", "muon_mu_ll", "muon_bg_ll"), len(pid)), np.zeros(len(pid), bool)
        outside[at] = answers_by_species(lambda of: self._model(of.name), kind, seen, rows, said)
        for name, column in physical(said, seen).items():
            values[name][at] = column
        return batch.with_columns(self.writes["tracks"], values | {"outside_muon": outside})


def conditions(columns: Columns) -> dict[str, NDArray[Any]]:
    """What the models are told.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Of tracks with isMuon: ``p`` [MeV], ``eta, charge, track_type, n_tracks``, and where their particles go,
        `track_end.END`.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Besides the columns that it is named after: ``muon_octaves``, by how many doublings of the hole the track
        misses the hole of M2, and ``muon_region``, 0 to 3 for R1 to R4, which ends at whole numbers of those.
    """
    octaves = way_behind(columns).octaves(muon_frames()[1])
    same = {name: columns[name] for name in ("p", "eta", "n_tracks", "charge", "track_type")}
    return {**same, "muon_octaves": octaves, "muon_region": np.minimum(np.floor(octaves), _REGIONS - 1.0)}


def physical(said: Columns, seen: Columns) -> dict[str, Floats]:
    """The distance, and the likelihoods that follow from it.

    Parameters
    ----------
    said : mapping of str to ndarray, shape (n,)
        `LEARNED`.
    seen : mapping of str to ndarray, shape (n,)
        ``p`` and ``muon_region`` of `conditions`.
    """
    mu, bg = muon_likelihoods(said["muon_d2"], seen["muon_region"].astype(np.int64), seen["p"])
    return {"muon_d2": said["muon_d2"], "muon_mu_ll": mu, "muon_bg_ll": bg}

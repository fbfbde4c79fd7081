"""Global PID: combined likelihoods and ProbNN of each track, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lamarrpy.draws import Draws
from lamarrpy.stages.identification import CALORIMETER, LOG_RATIOS, conditions, physical
from lamarrpy.stages.reconstruction import known_of_tracks
from lamarrpy.stages.track_end import END, END_READS
from lamarrpy.stages.trained import SPECIES, TrainedStage, answers_by_species, empty
from lamarrpy.tables import TRACKS, EventBatch, Schema

PARTS = {(species, flag): species.name + flag * "_is_muon" for flag in (False, True) for species in SPECIES}
"""Name of the model of each species, without and with isMuon."""

WRITES = (*(f"comb_dll_{h}" for h in ("e", "mu", "k", "p")), *(f"prob_nn_{h}" for h in ("e", "mu", "pi", "k", "p")))

_STATE = ("z", "x", "y", "tx", "ty")
_TRACK = ("track_type", "p", "eta", "charge", "chi2_per_dof", "ndof", "ghost_prob", "in_rich1", "in_rich2", *_STATE)
_SEEN = ("rich_dll_e", "rich_dll_mu", "rich_dll_k", "rich_dll_p", "muon_mu_ll", "muon_bg_ll")


@dataclass(frozen=True)
class GlobalPid(TrainedStage):
    """Draw what all subdetectors together say of each track.

    The combined likelihoods of kaon and proton are those of the RICH, as the calorimeters and the muon system cannot
    tell them from pions; to those of electron and muon the calorimeters add, which is drawn, and to that of the muon
    muDLL. The probabilities are never below zero, and their sum never above one: what is left belongs to ghosts, and
    to muons without isMuon.

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

    stage: ClassVar[str] = "global_pid"
    parts: ClassVar[tuple[str, ...]] = tuple(PARTS.values())

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Reconstructed tracks, what RICH and muon stations say of them, the occupancy, and the ways of particles."""
        keys = ("event_id", "track_id", "particle_id", "true_pid", "identified", "is_muon")
        return {
            "tracks": TRACKS.only(*keys, *_TRACK, *_SEEN),
            **END_READS,
        }

    @property
    def writes(self) -> Mapping[str, Schema]:
        """Combined likelihoods and ProbNN of tracks whose identification is simulated."""
        return {"tracks": TRACKS.only(*WRITES, "outside_global_pid")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Identify the tracks of a batch."""
        names = (*_TRACK, *_SEEN)
        columns = known_of_tracks(batch, names, END)
        event_id, track_id, pid = batch.arrays("tracks", "event_id", "track_id", "true_pid")
        identified, flag = batch.arrays("tracks", "identified", "is_muon")
        values, outside = empty(WRITES, len(pid)), np.zeros(len(pid), bool)
        for passed in (False, True):
            at = np.flatnonzero(identified & (flag == passed))
            own = {name: column[at] for name, column in columns.items()}
            seen, rows, kind = conditions(own, passed), draws.rows(event_id, track_id)[at], np.abs(pid[at])
            models = {species: self._model(PARTS[species, passed]) for species in SPECIES}
            said = empty((*CALORIMETER, *LOG_RATIOS[passed]), len(at))
            outside[at] = answers_by_species(models.__getitem__, kind, seen, rows, said)
            for name, column in physical(said, own, passed).items():
                values[name][at] = column
        return batch.with_columns(self.writes["tracks"], values | {"outside_global_pid": outside})

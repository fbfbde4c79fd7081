"""Conditions and targets of each stage, out of the tables of the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.tables import EventBatch
from lamarrpy.tables.linking import row_of

Values = Mapping[str, NDArray[Any]]
Rows = NDArray[np.intp]

SPECIES = {"muon": 13, "pion": 211, "kaon": 321, "proton": 2212}
"""Species that have samples of their own, and their PDG numbers."""

_PHOTON, _NEUTRAL_PION, _UNDECAYED = 22, 111, 1

_RICH_DLLS = tuple(f"rich_dll_{h}" for h in ("e", "mu", "k", "p"))
_MUON_LLS = ("muon_mu_ll", "muon_bg_ll")
_COMBINED = tuple(f"comb_dll_{h}" for h in ("e", "mu", "k", "p"))
_PROB_NN = tuple(f"prob_nn_{h}" for h in ("e", "pi", "k", "p"))


class StageSample(NamedTuple):
    """What one stage learns from.

    Attributes
    ----------
    conditions : tuple of str
        Columns that it is given.
    targets : tuple of str
        Columns that it is to answer with.
    parts : callable
        Gives the rows of a batch by part: one species, or a class of it.
    """

    conditions: tuple[str, ...]
    targets: tuple[str, ...]
    parts: Callable[[EventBatch], Mapping[str, Values]]

    @property
    def columns(self) -> tuple[str, ...]:
        """Keys, conditions and targets, in this order."""
        return ("event_id", *self.conditions, *self.targets)


_TRACK = ("p", "eta", "n_tracks", "charge", "track_type", "true_p")


def _track_values(batch: EventBatch) -> dict[str, NDArray[Any]]:
    """The tracks of particles, with the number of tracks of their event."""
    tracks = batch["tracks"]
    values = {name: batch.array("tracks", name) for name in tracks.column_names}
    event = row_of((values["event_id"],), (batch.array("events", "event_id"),), "events")
    values["n_tracks"] = batch.array("events", "n_tracks")[event]
    return values


def _by_species(chosen: Callable[[Values], NDArray[np.bool_]]) -> Callable[[EventBatch], Mapping[str, Values]]:
    """The tracks of each species that are chosen."""

    def parts(batch: EventBatch) -> Mapping[str, Values]:
        values = _track_values(batch)
        pid, wanted = np.abs(values["true_pid"]), values["matched"] & chosen(values)
        return {name: _at(values, np.flatnonzero(wanted & (pid == number))) for name, number in SPECIES.items()}

    return parts


def _global_pid(batch: EventBatch) -> Mapping[str, Values]:
    """The tracks of each species without and with isMuon."""
    values = _track_values(batch)
    pid, out = np.abs(values["true_pid"]), {}
    for name, number in SPECIES.items():
        for is_muon, part in ((False, name), (True, f"{name}_is_muon")):
            wanted = values["matched"] & (pid == number) & (values["is_muon"] == is_muon)
            out[part] = _at(values, np.flatnonzero(wanted))
    return out


def _at(values: Values, rows: Rows) -> Values:
    return {name: column[rows] for name, column in values.items()}


_PHOTON_CONDITIONS = ("ecal_x", "ecal_y", "p", "tx", "ty", "x", "y", "z", "from_pi0")


def _photon_values(batch: EventBatch) -> dict[str, NDArray[Any]]:
    """The photons of the generator that end on the calorimeter's cells."""
    event_id, particle_id, mother_id, pid, status, in_ecal = batch.arrays(
        "particles", "event_id", "particle_id", "mother_id", "pid", "status", "in_ecal"
    )
    rows = np.flatnonzero((pid == _PHOTON) & (status == _UNDECAYED) & in_ecal)
    names = ("event_id", "px", "py", "pz", "x", "y", "z", "ecal_x", "ecal_y", "cluster_type", "cluster_id")
    values = {name: batch.array("particles", name)[rows] for name in names}
    values["p"] = np.sqrt(values["px"] ** 2 + values["py"] ** 2 + values["pz"] ** 2)
    values |= {f"t{axis}": values[f"p{axis}"] / values["pz"] for axis in "xy"}
    values["from_pi0"] = np.zeros(len(rows), bool)
    linked = np.flatnonzero(mother_id[rows] >= 0)
    mother = row_of((event_id[rows[linked]], mother_id[rows[linked]]), (event_id, particle_id), "particles")
    values["from_pi0"][linked] = pid[mother] == _NEUTRAL_PION
    return values


def _photon_efficiency(batch: EventBatch) -> Mapping[str, Values]:
    return {"photon": _photon_values(batch)}


def _photon_resolution(batch: EventBatch) -> Mapping[str, Values]:
    """Reconstructed photons, with their cluster less what is true."""
    photons = _photon_values(batch)
    photons = dict(_at(photons, np.flatnonzero(photons["cluster_type"] > 0)))
    keys = batch.arrays("clusters", "event_id", "cluster_id")
    cluster = row_of((photons["event_id"], photons["cluster_id"]), keys, "clusters")
    for axis in "xy":
        photons[f"d{axis}"] = batch.array("clusters", axis)[cluster] - photons[f"ecal_{axis}"]
    photons["de_over_e"] = batch.array("clusters", "e")[cluster] / photons["p"] - 1.0
    photons |= {name: batch.array("clusters", name)[cluster] for name in ("photon_id", "is_not_e", "is_not_h")}
    return {"photon": photons}


STAGES: dict[str, StageSample] = {
    "rich": StageSample(_TRACK, ("in_rich1", "in_rich2", *_RICH_DLLS), _by_species(lambda v: v["matched"])),
    "is_muon": StageSample(_TRACK, ("in_muon", "is_muon"), _by_species(lambda v: v["matched"])),
    "muon": StageSample(_TRACK, _MUON_LLS, _by_species(lambda v: v["is_muon"])),
    "global_pid": StageSample(
        (*_TRACK, "is_muon", *_RICH_DLLS, *_MUON_LLS), (*_COMBINED, *_PROB_NN, "prob_nn_mu"), _global_pid
    ),
    "photon_efficiency": StageSample(_PHOTON_CONDITIONS, ("cluster_type",), _photon_efficiency),
    "photon_resolution": StageSample(
        (*_PHOTON_CONDITIONS, "cluster_type"),
        ("dx", "dy", "de_over_e", "photon_id", "is_not_e", "is_not_h"),
        _photon_resolution,
    ),
}
"""Every stage that learns from particle identification and from photons, by name."""

"""What the checks of particle identification need of a sample: tracks, clusters and photons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.tables.linking import pair_key, row_by_key

SPECIES = {"electron": 11, "muon": 13, "pion": 211, "kaon": 321, "proton": 2212}
"""Species by name, and their PDG numbers."""

MUONS = 2
"""Tracks of muons that an event of collisions hardly has more of."""

_GEV = 1e-3
_PHOTON, _NEUTRAL_PION = 22, 111
_FLAGS = ("in_rich1", "in_rich2", "in_muon", "is_muon")
_DLLS = ("rich_dll_e", "rich_dll_mu", "rich_dll_k", "rich_dll_p", "comb_dll_mu")
_MUON_LLS = ("muon_mu_ll", "muon_bg_ll")
_PROB_NN = tuple(f"prob_nn_{name}" for name in ("e", "mu", "pi", "k", "p"))

TRACKS = ("event_id", "particle_id", "track_type", "true_pid", "p", "eta", *_FLAGS, *_DLLS, *_MUON_LLS, *_PROB_NN)
CLUSTERS = (
    "event_id",
    "cluster_id",
    "particle_id",
    "cluster_type",
    "x",
    "y",
    "e",
    "clone",
    "photon_id",
    "is_not_e",
    "is_not_h",
)
PHOTONS = (
    "event_id", "particle_id", "mother_id", "pid", "status", "px", "py", "pz", "x", "y", "z",
    "in_ecal", "ecal_x", "ecal_y", "cluster_type", "cluster_id",
)  # fmt: skip
"""The columns that are read."""

Blocks = Callable[[str, Sequence[str]], Iterator[Columns]]
"""Gives a table's columns block by block."""


class Identity(NamedTuple):
    """What identifies particles; without rows if the sample is of the tracking system alone.

    Attributes
    ----------
    tracks : Columns
        event_id, pid (absolute, 0 for ghosts), track_type, p [GeV], eta, collisions, few_muons (whether the event
        has few tracks of muons), the columns of ``_FLAGS``, log-likelihoods, mu_dll (MUON likelihoods of muon
        less background, NaN without is_muon) and ProbNN.
    photons : Columns
        Of the generator, that end on the calorimeter's cells: collisions (whether of events of pp collisions), pair
        (same number for the two of one pi0, -1 for others), e, pt [GeV], px, py, pz (of unit length), x, y [mm]
        where they end, cluster_type, cluster (row in ``clusters``, -1 for none).
    clusters : Columns
        event_id, collisions, cluster_id, particle_id, cluster_type, x, y [mm], e [GeV], clone, photon_id,
        is_not_e, is_not_h.
    """

    tracks: Columns
    photons: Columns
    clusters: Columns


def read_identity(blocks: Blocks, whole: bool, collisions: NDArray[np.int64]) -> Identity:
    """Read what identifies particles.

    Parameters
    ----------
    blocks : Blocks
        Where from.
    whole : bool
        Whether the sample has it.
    collisions : ndarray of int
        Events of pp collisions.
    """
    if not whole:
        return Identity(_no_rows(_tracks, TRACKS), _no_photons(), _no_rows(_clusters, CLUSTERS))
    tracks = Columns.joined([_tracks(block) for block in blocks("tracks", TRACKS)])
    tracks = Columns({**tracks, "collisions": np.isin(tracks["event_id"], collisions), "few_muons": _few_muons(tracks)})
    clusters = Columns.joined([_clusters(block) for block in blocks("clusters", CLUSTERS)])
    clusters = Columns({**clusters, "collisions": np.isin(clusters["event_id"], collisions)})
    found = [_photons(block, collisions) for block in blocks("particles", PHOTONS)]
    photons, pions = (Columns.joined([one[i] for one in found]) for i in range(2))
    return Identity(tracks, _paired(photons, pions, clusters), clusters)


def _no_rows(make: Callable[[Columns], Columns], names: Sequence[str]) -> Columns:
    made = make(Columns({name: np.zeros(0) for name in names}))
    return Columns({**made, "collisions": np.zeros(0, bool), "few_muons": np.zeros(0, bool)})


def _few_muons(tracks: Columns) -> NDArray[np.bool_]:
    """Whether the event of each track has at most ``MUONS`` of muons: more lend hadrons their hits."""
    muons = tracks["event_id"][tracks["pid"] == SPECIES["muon"]]
    events, count = np.unique(muons, return_counts=True)
    return ~np.isin(tracks["event_id"], events[count > MUONS])


def _no_photons() -> Columns:
    nothing = Columns({name: np.zeros(0) for name in PHOTONS})
    photons, pions = _photons(nothing, np.zeros(0, np.int64))
    return _paired(photons, pions, _no_rows(_clusters, CLUSTERS))


def _tracks(block: Columns) -> Columns:
    pid = np.where(block["particle_id"] < 0, 0, np.abs(block["true_pid"])).astype(np.int32)
    out: dict[str, NDArray[Any]] = {
        "event_id": block["event_id"].astype(np.int64),
        "pid": pid,
        "track_type": block["track_type"].astype(np.int8),
        "p": (_GEV * block["p"]).astype(np.float32),
        "eta": block["eta"].astype(np.float32),
        "mu_dll": (block["muon_mu_ll"] - block["muon_bg_ll"]).astype(np.float32),
    }
    out |= {name: block[name].astype(bool) for name in _FLAGS}
    return Columns({**out, **{name: block[name].astype(np.float32) for name in (*_DLLS, *_PROB_NN)}})


def _clusters(block: Columns) -> Columns:
    out: dict[str, NDArray[Any]] = {
        name: block[name].astype(np.int64) for name in ("event_id", "cluster_id", "particle_id")
    }
    out |= {"cluster_type": block["cluster_type"].astype(np.int8), "clone": block["clone"].astype(bool)}
    out |= {name: block[name].astype(np.float32) for name in ("x", "y", "photon_id", "is_not_e", "is_not_h")}
    return Columns({**out, "e": (_GEV * block["e"]).astype(np.float32)})


def _photons(block: Columns, collisions: NDArray[np.int64]) -> tuple[Columns, Columns]:
    """The photons of a block that end on the cells, and the neutral pions of it, by key."""
    pions = block.at(block["pid"] == _NEUTRAL_PION)
    generated = (block["pid"] == _PHOTON) & (block["status"] == 1) & block["in_ecal"].astype(bool)
    some = block.at(generated)
    e = np.sqrt(some["px"] ** 2 + some["py"] ** 2 + some["pz"] ** 2)
    out: dict[str, NDArray[Any]] = {
        "collisions": np.isin(some["event_id"], collisions),
        "mother": pair_key(some["event_id"], some["mother_id"]),
        "e": _GEV * e,
        "pt": _GEV * np.hypot(some["px"], some["py"]),
        **{f"p{axis}": some[f"p{axis}"] / np.maximum(e, 1e-9) for axis in "xyz"},
        "x": some["ecal_x"],
        "y": some["ecal_y"],
        **{f"origin_{axis}": some[axis] for axis in "xyz"},
        "cluster_type": some["cluster_type"].astype(np.int8),
        "cluster_key": pair_key(some["event_id"], some["cluster_id"]),
    }
    return Columns(out), Columns({"key": pair_key(pions["event_id"], pions["particle_id"])})


def _paired(photons: Columns, pions: Columns, clusters: Columns) -> Columns:
    """Photons with the number of their pi0, if both of its photons are there, and with their cluster."""
    mother = photons["mother"]
    of_pion = row_by_key(mother, pions["key"]) >= 0
    known, which, count = np.unique(mother, return_inverse=True, return_counts=True)
    both = of_pion & (count[which] == 2) if len(known) else of_pion
    at = row_by_key(photons["cluster_key"], pair_key(clusters["event_id"], clusters["cluster_id"]))
    cluster = np.where(photons["cluster_type"] > 0, at, -1)
    return Columns({**photons, "pair": np.where(both, which, -1), "of_pion": of_pion, "cluster": cluster})

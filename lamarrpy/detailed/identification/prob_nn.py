"""ProbNN: the probability of each species from all that is known of a track."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.classifier import Classifier
from lamarrpy.detailed.reconstruction.candidates import TrackType
from lamarrpy.detailed.rich.expectation import HYPOTHESES, MASSES
from lamarrpy.detailed.rich.radiators import radiators

Columns = Mapping[str, NDArray[Any]]
Array = NDArray[np.float64]

NETWORKS = {False: "prob_nn", True: "prob_nn_muon"}
"""Name of the classifier of tracks without and with isMuon, in models/detailed."""

CLASSES = (*HYPOTHESES, "ghost")
"""What a track can be."""

_CALORIMETER = ("ecal_pid_e", "prs_pid_e", "hcal_pid_e", "brem_pid_e", "ecal_pid_mu", "hcal_pid_mu")
_MUON = ("muon_mu_ll", "muon_bg_ll", "muon_n_shared")


def prob_nn_features(track: Columns, identity: Columns, calorimeter: Columns, is_muon: bool) -> dict[str, Array]:
    """What the classifier looks at: the quantities of thesis table 1.3 that exist here.

    Parameters
    ----------
    track : mapping of str to ndarray, shape (m,)
        p, pt [MeV], chi2_per_dof, ndof, ghost_prob, track_type.
    identity : mapping of str to ndarray, shape (m,)
        in_rich1, in_rich2, the RichDLLs, in_muon, in_calo, and the muon system's columns.
    calorimeter : mapping of str to ndarray, shape (m,)
        Log-likelihoods of the calorimeters.
    is_muon : bool
        Whether they are tracks with isMuon.

    Returns
    -------
    dict of str to ndarray, shape (m,)
        Thresholds count as passed if the track is in acceptance of the RICH and above its threshold.
    """
    p = track["p"]
    out = {name: track[name].astype(float) for name in ("p", "pt", "chi2_per_dof", "ndof", "ghost_prob")}
    for name, kind in (("upstream", TrackType.upstream), ("downstream", TrackType.downstream)):
        out[name] = (track["track_type"] == kind).astype(float)
    for radiator, where in zip(radiators(), ("in_rich1", "in_rich2"), strict=True):
        out[where] = identity[where].astype(float)
        for species in ("mu", "k"):
            above = p > radiator.threshold(MASSES[HYPOTHESES.index(species)])
            out[f"{radiator.name}_above_{species}"] = (above & identity[where]).astype(float)
    out |= {f"rich_dll_{species}": identity[f"rich_dll_{species}"] for species in ("e", "mu", "k", "p")}
    out |= {name: calorimeter[name] for name in _CALORIMETER}
    out |= {name: identity[name].astype(float) for name in ("in_calo", "in_muon")}
    if is_muon:
        out |= {name: identity[name].astype(float) for name in _MUON}
    return out


def prob_nn(track: Columns, identity: Columns, calorimeter: Columns) -> dict[str, Array]:
    """The probability of each species.

    Parameters
    ----------
    track, identity, calorimeter : mapping of str to ndarray, shape (m,)
        As in `prob_nn_features`.

    Returns
    -------
    dict of str to ndarray, shape (m,)
        By species, in [0, 1]; ``mu`` is NaN without isMuon.
    """
    flag = identity["is_muon"]
    out = {species: np.full(len(flag), np.nan) for species in HYPOTHESES}
    for is_muon, name in NETWORKS.items():
        rows = np.flatnonzero(flag == is_muon)
        own, seen, energy = (
            {key: column[rows] for key, column in columns.items()} for columns in (track, identity, calorimeter)
        )
        answer = Classifier.load(name)(prob_nn_features(own, seen, energy, is_muon))
        for number, species in enumerate(HYPOTHESES):
            out[species][rows] = answer[:, number]
    out["mu"][~flag] = np.nan
    return out

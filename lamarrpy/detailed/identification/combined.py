"""Combined log-likelihoods: the sum of what the subsystems say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def combined_dlls(rich: Mapping[str, Array], calorimeter: Mapping[str, Array], muon: Array) -> dict[str, Array]:
    """CombDLL of electron, muon, kaon and proton against the pion.

    The muon system tells muons from all else, and the calorimeters electrons and muons from hadrons: for kaons and
    protons both cancel against the pion, and for electrons the muon system does.

    Parameters
    ----------
    rich : mapping of str to ndarray, shape (m,)
        RichDLL of ``e``, ``mu``, ``k`` and ``p``.
    calorimeter : mapping of str to ndarray, shape (m,)
        ``ecal_pid_e``, ``prs_pid_e``, ``hcal_pid_e``, ``brem_pid_e``, ``ecal_pid_mu``, ``hcal_pid_mu``.
    muon : ndarray, shape (m,)
        MuonMuLL less MuonBgLL, NaN without isMuon.

    Returns
    -------
    dict of str to ndarray, shape (m,)
        By the same names as ``rich``.
    """
    electron = (calorimeter[f"{name}_pid_e"] for name in ("ecal", "prs", "hcal", "brem"))
    muons = (calorimeter[f"{name}_pid_mu"] for name in ("ecal", "hcal"))
    return {
        "e": sum(electron, start=rich["e"]),
        "mu": sum(muons, start=rich["mu"] + np.nan_to_num(muon, nan=0.0)),
        "k": rich["k"],
        "p": rich["p"],
    }

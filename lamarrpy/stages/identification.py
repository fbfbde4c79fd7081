"""What the models of global PID are told and what they learn, and the columns of a table that follow from it.

The combined likelihoods are sums, in which the calorimeters are the only part that is not known already. What they say
follows from energies and the momentum; so energies are learned, which are often exactly none where likelihoods are a
curve of the momentum. The probabilities are shares of one, of which logarithms of ratios are learned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.stages.calorimeter_likelihoods import UNITS, likelihood, scaled, unmatched
from lamarrpy.stages.track_end import Columns, Way, calorimeter_frames, muon_depth, muon_frames, way_behind

Floats = NDArray[np.float64]

CALORIMETER = ("cell", "hcal", "ps", "brem", "match")
"""What is learned of the calorimeters: the energies of the cells on the way, as `calorimeter_likelihoods.scaled`, and
what the match of track and cluster adds to CombDLL(e), 0 where there is none."""

_UNSEEN = -1.0
"""Of the cells, the HCAL or a bremsstrahlung photon, where the track does not get there."""

STORED = {False: ("e", "pi", "k", "p"), True: ("e", "mu", "pi", "k", "p")}
"""The probabilities of a track without and with isMuon."""

LOG_RATIOS = {
    flag: ("log_rest", *(f"log_{h}" for h in reversed(stored) if h != "pi")) for flag, stored in STORED.items()
}
"""Logarithms of probabilities over that of the pion; ``rest`` is what the stored ones leave of one."""

_LEAST, _LEAST_REST = 1e-15, 1e-6
"""Probabilities that are learned for smaller ones: what others leave of one has no more digits in float32."""

_SAME = ("p", "eta", "n_tracks", "charge", "track_type", "chi2_per_dof", "ndof", "ghost_prob", "in_rich1", "in_rich2")
_RICH = ("rich_dll_e", "rich_dll_mu", "rich_dll_k", "rich_dll_p")
_EXACT = 1e-9
"""Difference of sums of the same terms that is none."""


def conditions(columns: Columns, is_muon: bool) -> dict[str, NDArray[Any]]:
    """What the models are told.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Of tracks: ``p`` [MeV], ``eta, n_tracks, charge, track_type, chi2_per_dof, ndof, ghost_prob, in_rich1,
        in_rich2``, the RichDLLs, the state ``z, x, y, tx, ty``, and where their particles go, `track_end.END`; with
        isMuon ``muon_mu_ll`` and ``muon_bg_ll`` too.
    is_muon : bool
        Whether they are tracks with isMuon.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Besides the columns that it is named after: ``ecal_depth``, ``hcal_depth`` and ``muon_depth``, how far [mm]
        inside of the detectors the track is; ``ecal_octaves``, by how many doublings of the hole of the ECAL it misses
        that; and ``photon_depth`` and ``photon_octaves``, the same of its direction before the magnet, where its
        bremsstrahlung goes.
    """
    way, (ecal, hcal) = way_behind(columns), calorimeter_frames()
    before = _before(columns)
    out = {name: np.asarray(columns[name], np.float64) for name in (*_SAME, *_RICH)}
    out |= {"ecal_depth": way.depth(ecal), "hcal_depth": way.depth(hcal), "ecal_octaves": way.octaves(ecal)}
    out |= {"photon_depth": before.depth(ecal), "photon_octaves": before.octaves(ecal)}
    if is_muon:
        out |= {"muon_mu_ll": columns["muon_mu_ll"], "muon_dll": columns["muon_mu_ll"] - columns["muon_bg_ll"]}
        return out | {"muon_octaves": way.octaves(muon_frames()[1])}
    return out | {"muon_depth": muon_depth(way)}


def targets(columns: Columns, is_muon: bool) -> dict[str, Floats]:
    """What is learned: `CALORIMETER` and `LOG_RATIOS`.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Of tracks: ``p``, RichDLLs, combined likelihoods, probabilities, the state, ``in_calo`` and the energies in the
        calorimeters; with isMuon ``muon_mu_ll`` and ``muon_bg_ll`` too.
    is_muon : bool
        Whether they are tracks with isMuon.
    """
    stored = {h: columns[f"prob_nn_{h}"] for h in STORED[is_muon]}
    share = {**stored, "rest": 1.0 - sum(stored.values())}
    log = {h: np.log(np.maximum(values, _LEAST_REST if h == "rest" else _LEAST)) for h, values in share.items()}
    return {**_energies(columns, is_muon), **{n: log[n.removeprefix("log_")] - log["pi"] for n in LOG_RATIOS[is_muon]}}


def _energies(columns: Columns, is_muon: bool) -> dict[str, Floats]:
    """`CALORIMETER`: who got where is read off the combined likelihoods, which are 0 in part where nothing is seen."""
    known_e, known_mu = _known(columns, is_muon)
    electron, muon = columns["comb_dll_e"] - known_e, columns["comb_dll_mu"] - known_mu
    inside, (ecal, _) = columns["in_calo"].astype(bool), calorimeter_frames()
    seen = {name: scaled(columns[f"{'ecal' if name == 'cell' else name}_e"], name) for name in UNITS}
    seen["cell"] = np.where(inside, seen["cell"], _UNSEEN)
    seen["ps"] = np.where(inside, seen["ps"], 0.0)
    nothing = dict.fromkeys(CALORIMETER, np.full(len(electron), _UNSEEN)) | {"match": np.zeros(len(electron))}
    of_cell = _calorimeter(nothing | {"cell": seen["cell"]}, columns["p"])[1]
    seen["hcal"] = np.where(np.abs(muon - of_cell) > _EXACT, seen["hcal"], _UNSEEN)
    but_photon = electron - _calorimeter(nothing | {n: seen[n] for n in ("cell", "hcal", "ps")}, columns["p"])[0]
    photon = np.where(inside, _before(columns).depth(ecal) >= 0.0, np.abs(but_photon) > _EXACT)
    seen["brem"] = np.where(photon, seen["brem"], _UNSEEN)
    match = electron - _calorimeter(nothing | seen, columns["p"])[0]
    seen["match"] = np.where(inside & (np.abs(match) > _EXACT), match, 0.0)
    return seen


def _calorimeter(seen: Columns, p: Floats) -> tuple[Floats, Floats]:
    """What the calorimeters add to CombDLL of electron and muon by `CALORIMETER`, exactly 0 where nothing is seen."""
    inside, in_hcal, photon = (seen[name] > 0.5 * _UNSEEN for name in ("cell", "hcal", "brem"))
    cell, hcal, ps, brem = (np.maximum(seen[name], 0.0) for name in ("cell", "hcal", "ps", "brem"))
    electron = np.where(inside, unmatched(p) + seen["match"] + likelihood("prs_pid_e", p, ps), 0.0)
    electron += np.where(in_hcal, likelihood("hcal_pid_e", p, hcal), 0.0)
    electron += np.where(photon, likelihood("brem_pid_e", p, brem), 0.0)
    muon = np.where(inside, likelihood("ecal_pid_mu", p, cell), 0.0)
    return electron, muon + np.where(in_hcal, likelihood("hcal_pid_mu", p, hcal), 0.0)


def physical(said: Columns, columns: Columns, is_muon: bool) -> dict[str, Floats]:
    """The combined likelihoods and the probabilities, from what was learned in their place: the inverse of `targets`.

    Parameters
    ----------
    said : mapping of str to ndarray, shape (n,)
        `CALORIMETER` and `LOG_RATIOS`.
    columns : mapping of str to ndarray, shape (n,)
        Of tracks: ``p``, RichDLLs, with isMuon ``muon_mu_ll`` and ``muon_bg_ll`` too.
    is_muon : bool
        Whether they are tracks with isMuon.
    """
    added = _calorimeter(said, np.asarray(columns["p"], np.float64))
    electron, muon = (known + more for known, more in zip(_known(columns, is_muon), added, strict=True))
    combined = {"e": electron, "mu": muon, "k": columns["rich_dll_k"], "p": columns["rich_dll_p"]}
    log = {"pi": np.zeros(len(electron)), **{name.removeprefix("log_"): said[name] for name in LOG_RATIOS[is_muon]}}
    highest = np.max([*log.values()], axis=0, initial=0.0)
    share = {h: np.exp(values - highest) for h, values in log.items()}
    total = sum(share.values())
    out = {f"comb_dll_{h}": values for h, values in combined.items()}
    return out | {f"prob_nn_{h}": share[h] / total for h in STORED[is_muon]}


def _before(columns: Columns) -> Way:
    """The ways of tracks before the magnet."""
    return Way(*(np.asarray(columns[name], np.float64) for name in ("z", "x", "y", "tx", "ty")))


def _known(columns: Columns, is_muon: bool) -> tuple[Floats, Floats]:
    """CombDLL of electron and muon but for the calorimeters, added up in the order of the Detailed Simulation."""
    electron, muon = columns["rich_dll_e"], columns["rich_dll_mu"]
    return electron, muon + (columns["muon_mu_ll"] - columns["muon_bg_ll"]) if is_muon else muon

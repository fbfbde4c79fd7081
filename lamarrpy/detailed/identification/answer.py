"""All that the detectors behind and around the tracking system say of a batch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed import calorimeter, muon, rich
from lamarrpy.detailed.approach import Approach
from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.identification.combined import combined_dlls
from lamarrpy.detailed.identification.prob_nn import prob_nn
from lamarrpy.detailed.tables import number_in_event
from lamarrpy.detailed.tracking import Tracks
from lamarrpy.draws import Draws

Columns = dict[str, NDArray[Any]]
Ids = NDArray[np.int64]


class Observed(NamedTuple):
    """What is measured of m tracks and of the neutral clusters, before anything trained looks at it.

    Attributes
    ----------
    tracks : dict of str to ndarray, each of shape (m,)
        Columns of ``tracks`` that follow from RICH, muon stations and calorimeters.
    likelihoods : dict of str to ndarray, each of shape (m,)
        Log-likelihoods of the calorimeters.
    calorimeter : CalorimeterAnswer
        With the clusters.
    hits : dict of str to ndarray, each of shape (events,)
        Columns of ``events``.
    """

    tracks: Columns
    likelihoods: Columns
    calorimeter: calorimeter.CalorimeterAnswer
    hits: Columns


class Identified(NamedTuple):
    """What is known in the end, as columns.

    Attributes
    ----------
    tracks : dict of str to ndarray, each of shape (m,)
        What identifies the tracks.
    clusters : dict of str to ndarray, each of shape (k,)
        The neutral clusters, with the photon that each stands for.
    photons : dict of str to ndarray, each of shape (l,)
        The true photons that end on the calorimeter's cells, and as what they are found.
    hits : dict of str to ndarray, each of shape (events,)
        Hits of each event.
    """

    tracks: Columns
    clusters: Columns
    photons: Columns
    hits: Columns


def observe(where: Approach, events: Ids, draws: Draws) -> Observed:
    """Let RICH, calorimeters and muon stations see the events.

    Parameters
    ----------
    where : Approach
        What comes to them.
    events : ndarray of int, shape (events,)
        All events of the batch.
    draws : Draws
        The random numbers of the run.
    """
    light = rich.observe((where.truth, where.pairs), where.paths, lhcb_detector(), events, draws.stage("rich"))
    muons = muon.observe(where.arrivals, where.paths, events, draws.stage("muon"))
    energy = calorimeter.observe(where.arrivals, where.paths, events, draws.stage("calorimeter"))
    mu_ll, bg_ll = muon.likelihoods(muons)
    charged = energy.charged
    tracks: Columns = {
        "identified": np.ones(len(muons.is_muon), bool),
        "in_rich1": light.used[:, 0],
        "in_rich2": light.used[:, 1],
        **{f"rich_dll_{species}": dll for species, dll in light.dll.items()},
        "in_muon": muons.in_acceptance,
        "is_muon": muons.is_muon,
        "muon_d2": np.where(muons.is_muon, muons.d2, np.nan),
        "muon_mu_ll": mu_ll,
        "muon_bg_ll": bg_ll,
        "muon_n_shared": muons.n_shared,
        "in_calo": charged.in_acceptance,
        **{name: getattr(charged, name) for name in ("ecal_e", "ps_e", "hcal_e", "brem_e")},
    }
    hits = {f"n_rich{number + 1}_hits": light.hits[:, number] for number in range(2)}
    hits["n_spd_hits"] = energy.spd_hits
    return Observed(tracks, calorimeter.charged_dlls(energy, where.paths), energy, hits)


def identify(where: Approach, tracks: Tracks, ghost_prob: NDArray[np.float64], seen: Observed) -> Identified:
    """Draw conclusions: combined likelihoods, ProbNN, identified clusters and the photons they stand for.

    Parameters
    ----------
    where : Approach
        With the true photons.
    tracks : Tracks
        m tracks.
    ghost_prob : ndarray, shape (m,)
        Of each.
    seen : Observed
        What is measured.
    """
    known = seen.tracks
    dlls = {species: known[f"rich_dll_{species}"] for species in ("e", "mu", "k", "p")}
    combined = combined_dlls(dlls, seen.likelihoods, known["muon_mu_ll"] - known["muon_bg_ll"])
    probability = prob_nn(track_columns(tracks, ghost_prob), known, seen.likelihoods)
    identity = {
        **known,
        **{f"comb_dll_{species}": dll for species, dll in combined.items()},
        **{f"prob_nn_{species}": values for species, values in probability.items()},
    }
    return Identified(identity, *_photons(where, seen), seen.hits)


def track_columns(tracks: Tracks, ghost_prob: NDArray[np.float64]) -> Columns:
    """What the track fit says to ProbNN, as `prob_nn.prob_nn_features` wants it."""
    state, fitted = tracks.fitted.state, tracks.fitted
    p, slope = 1.0 / np.abs(state.qop), np.hypot(state.tx, state.ty)
    return {
        "p": p,
        "pt": p * slope / np.sqrt(1.0 + slope**2),
        "chi2_per_dof": fitted.chi2 / np.maximum(fitted.ndof, 1),
        "ndof": fitted.ndof,
        "ghost_prob": ghost_prob,
        "track_type": tracks.track_type,
    }


def _photons(where: Approach, seen: Observed) -> tuple[Columns, Columns]:
    """The clusters with their photons, and the photons with their clusters."""
    clusters = seen.calorimeter.clusters
    true = calorimeter.true_photons(where.photons)
    match = calorimeter.match_photons(clusters, true)
    cluster_id = number_in_event(clusters.event_id)
    own: Columns = {name: getattr(clusters, name) for name in ("event_id", "cluster_type", "x", "y", "e")}
    own |= {"cluster_id": cluster_id, "particle_id": _linked(true.particle_id, match.photon), "clone": match.clone}
    ends: Columns = {"event_id": true.event_id, "particle_id": true.particle_id, "ecal_x": true.x, "ecal_y": true.y}
    ends |= {"cluster_type": match.photon_class, "cluster_id": _linked(cluster_id, match.cluster)}
    return {**own, **calorimeter.identify_clusters(seen.calorimeter)}, ends


def _linked(ids: Ids, at: Ids) -> Ids:
    """The ids at some positions, -1 where the position is -1."""
    found = at >= 0
    out = np.full(len(at), -1, np.int64)
    out[found] = ids[at[found]]
    return out

"""What a toy detector says of the species of its tracks, and of photons, as the public figures have it."""

from __future__ import annotations

import numpy as np

from lamarrpy.detailed.report.identity import SPECIES
from lamarrpy.detailed.report.sections.prob_nn import public_histograms
from lamarrpy.detailed.rich.expectation import MASSES
from lamarrpy.detailed.rich.radiators import radiators

ECAL = 12_500.0
PION_MASS = 134.98


def of_tracks(rng, pid, p, separation=1.0, punch_through=1.0):
    """Columns of identification of tracks of PDG numbers (0 for ghosts) and momenta [MeV].

    ``separation`` scales how seldom RICH is wrong; ``punch_through`` how many hadrons have isMuon.
    """
    n, pid, gev = len(pid), np.abs(pid), 1e-3 * p
    muon = _is_muon(pid, gev, punch_through)
    mu_ll = np.where(muon, np.where(pid == 13, 2.0, 0.0) + rng.normal(size=n), np.nan)
    out = {name: np.ones(n, bool) for name in ("in_rich1", "in_rich2", "in_muon")}
    out |= _rich(rng, pid, gev, separation)
    out |= {"is_muon": muon, "muon_mu_ll": mu_ll, "muon_bg_ll": np.where(muon, 0.0, np.nan)}
    out["comb_dll_mu"] = out["rich_dll_mu"]
    return out | _prob_nn(rng, pid, gev, muon)


def _rich(rng, pid, gev, separation):
    edges = [10.0, 40.0, 60.0, 80.0]
    at = np.searchsorted(edges, gev)
    right = np.array([0.95, 0.965, 0.93, 0.90, 0.85])[at]
    wrong = np.array([0.12, 0.05, 0.10, 0.16, 0.25])[at]
    as_kaon = np.where(pid == 321, 1.0 - (1.0 - right) / separation, wrong / separation)
    k = _signed(rng, as_kaon, np.where(pid == 321, 0.89, 0.30))
    p = _signed(rng, np.where(pid == 2212, 0.95, 0.05), np.full(len(pid), 0.8))
    other = np.where(rng.uniform(size=len(pid)) < 0.9, 1.0, -1.0) * rng.exponential(10.0, len(pid))
    p = np.where(pid == 321, k - other, np.where(pid == 2212, np.maximum(p, k + other), p))
    first, _ = radiators()
    pion, kaon = (1e-3 * first.threshold(MASSES[i]) for i in (2, 3))
    p = np.where(gev <= kaon, k, p)
    silent = gev <= pion
    both = {"rich_dll_k": k, "rich_dll_p": p, "rich_dll_e": -np.abs(k), "rich_dll_mu": 0.1 * k}
    return {name: np.where(silent, 0.0, dll) for name, dll in both.items()}


def _signed(rng, positive, beyond_five):
    """Numbers of which such a share is positive, and such a share of these above 5."""
    n = len(positive)
    above = np.where(rng.uniform(size=n) < beyond_five, 5.1 + rng.exponential(15.0, n), rng.uniform(0.01, 4.9, n))
    return np.where(rng.uniform(size=n) < positive, above, -0.1 - rng.exponential(15.0, n))


def _is_muon(pid, gev, punch_through):
    """As many as there should be, evenly spread over momenta, so that few need no luck."""
    at = np.searchsorted([40.0, 80.0], gev)
    rates = {13: (0.965,) * 3, 211: (0.019, 0.0059, 0.0031), 321: (0.025, 0.012, 0.007), 2212: (0.0126, 0.0025, 0.002)}
    out = np.zeros(len(pid), bool)
    for species, values in rates.items():
        scale = 1.0 if species == 13 else punch_through
        rows = np.flatnonzero((pid == species) & (gev > 3.0))
        rows = rows[np.argsort(gev[rows], kind="stable")]
        due = np.floor(np.cumsum(scale * np.array(values)[at[rows]]))
        out[rows] = np.diff(due, prepend=0.0) > 0.0
    return out


def _prob_nn(rng, pid, gev, muon):
    known = public_histograms()
    at = np.clip(gev // 40.0, 0, 2).astype(int) * 40
    out = {}
    for variable in ("e", "mu", "pi", "k", "p"):
        values = rng.uniform(0.0, 0.1, len(pid))
        for species, number in SPECIES.items():
            for low in (0, 40, 80):
                rows = np.flatnonzero((pid == number) & (at == low))
                shares = np.clip(known[species, variable, low], 0.0, None)
                bins = rng.choice(10, len(rows), p=shares / shares.sum())
                values[rows] = 0.1 * (bins + rng.uniform(size=len(rows)))
        out[f"prob_nn_{variable}"] = values
    out["prob_nn_mu"] = np.where(muon, out["prob_nn_mu"], np.nan)
    return out


def photons_and_clusters(rng, event, resolution=1.0, found=0.3):
    """Neutral pions, their photons and clusters: columns of the two photons of each pi0, of the pi0, of clusters.

    ``event`` has the event of each pi0, ``resolution`` scales the error of the energy, ``found`` is the share found.
    """
    n = len(event)
    energy = np.exp(rng.uniform(np.log(2e3), np.log(120e3), n))
    flat, steep = np.arange(n) % 5 == 0, np.arange(n) % 2 == 0
    energy = np.where(flat, rng.uniform(95e3, 110e3, n), energy)
    slope = 0.15 * rng.uniform(0.1, 1.0, (2, n)) ** np.where(steep, 1, 2)
    slope = np.where(flat, rng.uniform(0.006, 0.010, (2, n)), slope)
    tx, ty = slope * np.where(rng.uniform(size=(2, n)) < 0.5, -1, 1)
    momentum = np.sqrt(energy**2 - PION_MASS**2)
    w = 1.0 / np.sqrt(1.0 + tx**2 + ty**2)
    axis = np.stack([tx * w, ty * w, w], axis=1)
    cosine, phi = rng.uniform(-1, 1, n), rng.uniform(-np.pi, np.pi, n)
    photons = []
    for sign in (1.0, -1.0):
        along = 0.5 * (momentum + sign * cosine * energy)
        across = sign * 0.5 * PION_MASS * np.sqrt(1.0 - cosine**2)
        first = np.stack([w, np.zeros(n), -tx * w], axis=1) / np.hypot(w, tx * w)[:, None]
        second = np.cross(axis, first)
        side = np.cos(phi)[:, None] * first + np.sin(phi)[:, None] * second
        photons.append(along[:, None] * axis + across[:, None] * side)
    p = np.stack(photons, axis=1).reshape(-1, 3)
    e = np.linalg.norm(p, axis=1)
    x, y = (ECAL * p[:, i] / p[:, 2] for i in (0, 1))
    seen = np.repeat(rng.uniform(size=n) < found, 2)
    of_pion = np.repeat(np.hypot(*(p[::2, i] + p[1::2, i] for i in (0, 1))), 2)
    kind = np.where(seen, np.where(of_pion > 2e3 * np.exp(0.3 * np.repeat(rng.normal(size=n), 2)), 2, 1), 0)
    percent = 100.0 * np.sqrt(0.096**2 / (1e-3 * e) + 0.02**2 + (0.2e3 / e) ** 2)
    rows = np.flatnonzero(seen)
    background = rng.choice(rows, len(rows) // 5)
    rows = np.concatenate([rows, background])
    clusters = {
        "event_id": np.repeat(event, 2)[rows], "cluster_type": kind[rows],
        "x": x[rows], "y": y[rows], "clone": np.zeros(len(rows), bool),
        "e": e[rows] * np.maximum(1.0 + 0.01 * resolution * percent[rows] * rng.normal(size=len(rows)), 0.05),
        "photon_id": rng.uniform(0.4, 1.0, len(rows)), "is_not_e": rng.uniform(size=len(rows)),
        "is_not_h": rng.uniform(size=len(rows)),
    }  # fmt: skip
    clusters["particle_id"] = np.where(np.arange(len(rows)) < len(rows) - len(background), 0, -1)
    momenta = {f"p{a}": p[:, i] for i, a in enumerate("xyz")}
    return {**momenta, "ecal_x": x, "ecal_y": y, "cluster_type": kind}, clusters, rows

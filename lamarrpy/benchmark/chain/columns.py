"""What is compared, as columns: what is known of a particle, a track, a photon or an event, and what became of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.report.columns import Columns
from lamarrpy.particles import Species, charge, species
from lamarrpy.stages.flavour import flavour_of_events
from lamarrpy.tables import EventBatch
from lamarrpy.tables.linking import pair_key, row_by_key, row_of
from lamarrpy.tables.schemas import STATE

SPECIES = {kind.name: int(kind) for kind in Species if kind is not Species.other}
IDENTIFIED = {name: number for name, number in SPECIES.items() if name != "electron"}
"""Species that leave tracks, and those of them whose identification is simulated, by name; as ``species`` has them."""

TRACK_TYPES = {0: "lost", 3: "long", 4: "upstream", 5: "downstream"}
CLUSTER_TYPES = {0: "lost", 1: "single", 2: "split"}
"""Classes by their numbers."""

RESIDUALS = ("dx", "dy", "dz", "dtx", "dty", "dq_over_p")
QUALITY = ("chi2_per_dof", "ndof", "ghost_prob")
SIGMAS = tuple(f"log_sigma_{name}" for name in STATE)
CORRELATIONS = tuple(f"rho_{a}_{b}" for i, a in enumerate(STATE) for b in STATE[i + 1 :])
RICH = tuple(f"rich_dll_{h}" for h in ("e", "mu", "k", "p"))
MUON = ("muon_mu_ll", "muon_bg_ll")
COMBINED = (*(f"comb_dll_{h}" for h in ("e", "mu", "k", "p")), *(f"prob_nn_{h}" for h in ("e", "mu", "pi", "k", "p")))
CLUSTER = ("cluster_dx", "cluster_dy", "cluster_de_over_e", "photon_id", "is_not_e", "is_not_h")
"""What the stages say, by columns of `of_tracks` and `of_photons`."""

_AS_THEY_ARE = (
    *(
        "event_id",
        "particle_id",
        "true_x",
        "true_y",
        "true_z",
        "true_p",
        "true_pt",
        "true_eta",
        "true_phi",
        "track_type",
    ),
    *("p", "eta", "charge", *QUALITY, "is_muon", *RICH, *MUON, *COMBINED),
)
_PHOTON = 22

Values = NDArray[Any]


def of_particles(batch: EventBatch) -> Columns:
    """Charged particles that a pipeline follows, and as what they are found."""
    pid, propagated = batch.arrays("particles", "pid", "propagated")
    rows = np.flatnonzero(propagated & (species(pid) != Species.other))
    names = ("event_id", "particle_id", "x", "y", "z", "p", "eta", "phi", "ctb_x", "ctb_y", "ctb_z")
    known = {name: batch.array("particles", name)[rows] for name in names}
    known |= {"species": species(pid[rows]), "charge": charge(pid[rows])}
    known["n_tracks"] = _of_events(batch, "n_tracks", known["event_id"])
    if "in_acceptance" in batch["particles"].column_names:
        known["in_acceptance"] = batch.array("particles", "in_acceptance")[rows]
    if "tracks" in batch:
        track = row_by_key(
            pair_key(known["event_id"], known["particle_id"]),
            pair_key(*batch.arrays("tracks", "event_id", "particle_id")),
        )
        known["track_type"] = np.where(track >= 0, np.append(batch.array("tracks", "track_type"), 0)[track], 0)
    return Columns(known)


def of_tracks(batch: EventBatch) -> Columns:
    """Tracks of particles: truth, residuals at the z of the reconstructed state, covariance, identification.

    Columns that the batch does not have are left out; ``log_sigma_*`` are decimal logarithms.
    """
    there = batch["tracks"].column_names
    known = {name: batch.array("tracks", name) for name in _AS_THEY_ARE if name in there}
    known["species"] = species(batch.array("tracks", "true_pid"))
    known["n_tracks"] = _of_events(batch, "n_tracks", known["event_id"])
    known["true_charge"] = np.sign(batch.array("tracks", "true_qop"))
    keys = batch.arrays("tracks", "event_id", "particle_id")
    particle = row_of(keys, batch.arrays("particles", "event_id", "particle_id"), "particles")
    known["z"] = batch.array("particles", "z")[particle]
    if "qop" in there:
        known |= _residuals(batch)
    if "cov_x_x" in there:
        known |= _uncertainties(batch)
    return Columns(known)


def _residuals(batch: EventBatch) -> dict[str, Values]:
    """Reconstructed less true, at the same z."""
    x, y, z, tx, ty, qop = batch.arrays("tracks", "x", "y", "z", "tx", "ty", "qop")
    true = dict(
        zip(("x", "y", "z", "tx", "ty", "qop"), batch.arrays("tracks", *(f"true_{n}" for n in _STATE)), strict=True)
    )
    dz = z - true["z"]
    residuals = {"dx": x - true["x"] - true["tx"] * dz, "dy": y - true["y"] - true["ty"] * dz, "dz": dz}
    residuals |= {"dtx": tx - true["tx"], "dty": ty - true["ty"], "dqop": qop - true["qop"]}
    return residuals | {"dq_over_p": qop / true["qop"] - 1.0, "dp_over_p": np.abs(true["qop"] / qop) - 1.0}


_STATE = ("x", "y", "z", "tx", "ty", "qop")


def _uncertainties(batch: EventBatch) -> dict[str, Values]:
    sigma = {name: np.sqrt(batch.array("tracks", f"cov_{name}_{name}")) for name in STATE}
    known: dict[str, Values] = {f"sigma_{name}": value for name, value in sigma.items()}
    known |= {f"log_sigma_{name}": np.log10(value) for name, value in sigma.items()}
    pairs = [(a, b) for i, a in enumerate(STATE) for b in STATE[i + 1 :]]
    return known | {f"rho_{a}_{b}": batch.array("tracks", f"cov_{a}_{b}") / (sigma[a] * sigma[b]) for a, b in pairs}


def of_photons(batch: EventBatch) -> Columns:
    """Photons that end on the calorimeter's cells, and their own clusters, NaN without one."""
    pid, in_ecal = batch.arrays("particles", "pid", "in_ecal")
    rows = np.flatnonzero((pid == _PHOTON) & in_ecal)
    names = ("event_id", "particle_id", "z", "ecal_x", "ecal_y", "px", "py", "pz", "cluster_type")
    there = batch["particles"].column_names
    known = {name: batch.array("particles", name)[rows] for name in names if name in there}
    px, py, pz = (known.pop(name) for name in ("px", "py", "pz"))
    known["p"] = np.sqrt(px**2 + py**2 + pz**2)
    known["eta"] = np.arcsinh(pz / np.hypot(px, py))
    known["n_tracks"] = _of_events(batch, "n_tracks", known["event_id"])
    if "clusters" in batch:
        known |= _clusters(batch, known)
    return Columns(known)


def _clusters(batch: EventBatch, photons: dict[str, Values]) -> dict[str, Values]:
    """The cluster that is the photon's own."""
    keys = (pair_key(*pair) for pair in (_keys(photons), batch.arrays("clusters", "event_id", "particle_id")))
    at = row_by_key(*keys)
    names = ("x", "y", "e", "photon_id", "is_not_e", "is_not_h")
    there = [name for name in names if name in batch["clusters"].column_names]
    found = {name: np.append(batch.array("clusters", name), np.nan)[at] for name in there}
    if "e" in found:
        x, y, e = (found.pop(name) for name in ("x", "y", "e"))
        found |= {"cluster_dx": x - photons["ecal_x"], "cluster_dy": y - photons["ecal_y"]}
        found["cluster_de_over_e"] = e / photons["p"] - 1.0
    return found


def _keys(rows: dict[str, Values]) -> tuple[Values, Values]:
    return rows["event_id"], rows["particle_id"]


def of_events(batch: EventBatch) -> Columns:
    """Events: flavour, charged particles in the window, tracks."""
    event_id, n_tracks = batch.arrays("events", "event_id", "n_tracks")
    of, pid, propagated = batch.arrays("particles", "event_id", "pid", "propagated")
    charged = propagated & (species(pid) != Species.other)
    at = row_of((of[charged],), (event_id,), "events")
    counted = np.bincount(at, minlength=len(event_id))
    flavour = flavour_of_events(event_id, of, pid)
    return Columns({"event_id": event_id, "flavour": flavour, "n_charged": counted, "n_tracks": n_tracks})


def _of_events(batch: EventBatch, column: str, event_id: Values) -> Values:
    return batch.array("events", column)[row_of((event_id,), (batch.array("events", "event_id"),), "events")]

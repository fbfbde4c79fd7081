"""Small samples of known answers, in the tables of the Detailed Simulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from toy_identity import of_tracks, photons_and_clusters

STATE = ("x", "y", "tx", "ty", "qop")
EVENTS, PER_EVENT = 400, 120
HADRON_LOSS = 0.18


@dataclass(frozen=True)
class Toy:
    """What a toy detector does; the defaults meet every target.

    Attributes
    ----------
    momentum, position, pulls, losses : float
        Factors on the resolutions of momentum and position, the widths of pulls, and the inefficiency.
    ghosts : float
        Share of ghosts among Long tracks.
    vertex : float
        Factor on the resolution of vertices.
    photons : int
        Undecayed photons of each event, an even number.
    separation, punch_through, energy, found : float
        Factors on what RICH tells apart, on hadrons with isMuon, on the resolution of photons; share of photons found.
    identification : bool
        Whether there is any.
    kaon_muons_long : float
        Share of kaons and pions with a muon from beyond the VELO that are Long.
    """

    momentum: float = 1.0
    position: float = 1.0
    pulls: float = 1.0
    losses: float = 1.0
    ghosts: float = 0.12
    vertex: float = 1.0
    photons: int = 40
    kaon_muons_long: float = 0.9
    separation: float = 1.0
    punch_through: float = 1.0
    energy: float = 1.0
    found: float = 0.3
    identification: bool = True

    def tables(self, seed=1):
        """The four tables, or five with identification."""
        rng = np.random.default_rng(seed)
        vertices = self._vertices(rng)
        particles, truth = self._particles(rng, vertices)
        tracks = self._tracks(rng, particles, truth)
        events = {"event_id": np.arange(EVENTS), "n_tracks": np.full(EVENTS, 150), "n_pvs": np.full(EVENTS, 2)}
        tables = {"events": events, "vertices": vertices, "particles": particles, "tracks": tracks}
        if not self.identification:
            return tables
        tracks |= of_tracks(rng, tracks["true_pid"], tracks["p"], self.separation, self.punch_through)
        tracks["eta"] = np.nan_to_num(tracks["true_eta"], nan=3.0)
        return {**tables, **self._calorimeter(rng, particles)}

    def _calorimeter(self, rng, particles):
        """The photons of the particles as those of pi0, and the clusters that they make."""
        at = np.flatnonzero(particles["pid"] == 22)
        event = particles["event_id"][at[::2]]
        photons, clusters, rows = photons_and_clusters(rng, event, self.energy, self.found)
        n = len(particles["pid"])
        full = dict(particles)
        full |= {name: np.zeros(n) for name in ("px", "py", "pz", "ecal_x", "ecal_y")}
        full |= {"cluster_type": np.zeros(n, int), "in_ecal": particles["pid"] == 22}
        full["cluster_id"] = np.full(n, -1)
        for name, values in photons.items():
            full[name][at] = values
        full["mother_id"] = full["mother_id"].copy()
        number = 5000 + np.arange(len(event))
        full["mother_id"][at] = np.repeat(number, 2)
        for axis in "xyz":
            full[axis] = full[axis].copy()
            full[axis][at] = 0.0
        pions = {name: column[at[::2]].copy() for name, column in full.items()}
        pions |= {"particle_id": number, "pid": 0 * number + 111, "status": 0 * number + 2}
        pions |= {"mother_id": 0 * number - 1, "in_ecal": np.zeros(len(number), bool)}
        true = clusters["particle_id"] >= 0
        clusters["cluster_id"] = np.arange(len(rows))
        full["cluster_id"][at[rows[true]]] = clusters["cluster_id"][true]
        clusters["particle_id"] = np.where(true, full["particle_id"][at][rows], -1)
        return {"particles": {name: np.concatenate([full[name], pions[name]]) for name in full}, "clusters": clusters}

    def write(self, folder, seed=1):
        """Write the tables as Parquet; the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, columns in self.tables(seed).items():
            pq.write_table(pa.table(columns), folder / f"{name}.parquet")
        return folder

    def _vertices(self, rng):
        n = 2 * EVENTS
        true = {f"true_{axis}": scale * rng.normal(size=n) for axis, scale in (("x", 0.03), ("y", 0.03), ("z", 40.0))}
        tracks = rng.integers(5, 45, n)
        sigma = self.vertex * np.sqrt(25.0 / tracks)
        found = {
            axis: true[f"true_{axis}"] + 1e-3 * s * sigma * rng.normal(size=n)
            for axis, s in (("x", 13.0), ("y", 13.0), ("z", 71.0))
        }
        ids = {"event_id": np.repeat(np.arange(EVENTS), 2), "vertex_id": np.tile([0, 1], EVENTS)}
        return {**ids, **true, "reconstructed": np.ones(n, bool), **found, "n_tracks": tracks}

    def _particles(self, rng, vertices):
        n, k = EVENTS * PER_EVENT, PER_EVENT
        event, number = np.repeat(np.arange(EVENTS), k), np.tile(np.arange(k), EVENTS)
        pid = rng.choice([211, -211, 321, -321, 2212], n)
        of_muons = (event % 6 == 0) & (rng.uniform(size=n) < 0.9)  # others have none, to lend hadrons their hits
        pid = np.where(of_muons, rng.choice([13, -13], n), pid)
        p, eta = 1.5e3 * (265.0 / 1.5) ** rng.uniform(size=n), rng.uniform(1.8, 5.0, n)
        wanted = rng.uniform(size=n)
        p = np.where(wanted < 0.4, rng.choice([2e3, 3e3, 10e3, 50e3], n) * rng.uniform(0.9, 1.1, n), p)
        eta = np.where(wanted < 0.4, rng.uniform(2.9, 3.1, n), eta)
        eta = np.where((wanted > 0.8) & (p > 10e3), rng.uniform(4.1, 4.65, n), eta)
        first = 2 * event
        x, y, z = (vertices[f"true_{axis}"][first] for axis in "xyz")
        displaced = rng.uniform(size=n) < 0.1
        z = np.where(displaced, rng.uniform(900.0, 2200.0, n), z)
        mesons = np.flatnonzero(np.isin(np.abs(pid), (211, 321)) & (rng.uniform(size=n) < 0.1) & ~displaced)
        kind = self._classes(rng, pid, p, eta, displaced)
        kind[mesons] = np.where(rng.uniform(size=len(mesons)) < self.kaon_muons_long, 3, 4)
        rows = {
            "event_id": event, "particle_id": number, "mother_id": np.full(n, -1), "vertex_id": np.zeros(n, int),
            "pid": pid, "x": x, "y": y, "z": z, "status": np.ones(n, int), "propagated": np.ones(n, bool),
            "p": p, "eta": eta, "in_acceptance": np.ones(n, bool), "track_type": kind,
        }  # fmt: skip
        muons = {name: column[mesons] for name, column in rows.items()}
        muons |= {
            "particle_id": muons["particle_id"] + k,
            "mother_id": muons["particle_id"],
            "status": muons["pid"] * 0 + 3,
        }
        muons |= {"pid": np.full(len(mesons), 13), "z": np.full(len(mesons), 1500.0), "track_type": muons["pid"] * 0}
        muons |= {name: np.zeros(len(mesons), bool) for name in ("propagated", "in_acceptance")}
        photons = {name: np.repeat(column[::k], self.photons) for name, column in rows.items()}
        photons |= {"particle_id": np.tile(1000 + np.arange(self.photons), EVENTS), "pid": photons["pid"] * 0 + 22}
        photons |= {name: np.zeros(EVENTS * self.photons, bool) for name in ("propagated", "in_acceptance")}
        photons |= {"track_type": photons["pid"] * 0}
        parts = (rows, muons, photons)
        return {name: np.concatenate([part[name] for part in parts]) for name in rows}, rows

    def _classes(self, rng, pid, p, eta, displaced):
        efficiency = np.interp(np.log(1e-3 * p), np.log([2.0, 10.0, 50.0]), [0.82, 0.93, 0.96])
        loss = HADRON_LOSS * np.interp(np.log(1e-3 * p), np.log([3.0, 10.0]), [1.6, 1.0])
        loss = np.where((eta > 4.3) & (eta < 4.5), 2.0 * loss, loss)
        efficiency = np.where(np.abs(pid) == 13, efficiency, efficiency * (1.0 - loss))
        found = rng.uniform(size=len(p)) < 1.0 - self.losses * (1.0 - efficiency)
        upstream = rng.uniform(size=len(p)) < 0.7
        return np.where(found, np.where(displaced, 5, 3), np.where(upstream & ~displaced, 4, 0))

    def _tracks(self, rng, particles, truth):
        rows = np.flatnonzero(truth["track_type"] > 0)
        of = {name: column[rows] for name, column in truth.items()}
        n, kind, p, eta = len(rows), of["track_type"], of["p"], of["eta"]
        phi, slope = rng.uniform(-np.pi, np.pi, n), 1.0 / np.sinh(eta)
        true = {"x": of["x"], "y": of["y"], "z": of["z"], "tx": slope * np.cos(phi), "ty": slope * np.sin(phi)}
        true["qop"] = np.where(rng.uniform(size=n) < 0.5, 1.0, -1.0) / p
        pt = p / np.cosh(eta)
        sigma = self._sigma(kind, p, pt, phi)
        noise = {name: sigma[name] * rng.normal(size=n) for name in STATE}
        z = true["z"] + rng.normal(size=n)
        out = {name: true[name] + noise[name] for name in STATE}
        for axis in "xy":
            out[axis] = out[axis] + true[f"t{axis}"] * (z - true["z"])
        ndof = rng.poisson(np.choose(np.searchsorted([3, 4, 5], kind), [33, 12, 20]))
        tracks = {
            "event_id": of["event_id"], "particle_id": of["particle_id"], "track_type": kind, "true_pid": of["pid"],
            **{f"true_{name}": column for name, column in true.items()},
            "true_p": p, "true_pt": pt, "true_eta": eta, "true_phi": phi,
            **out, "z": z, "p": 1.0 / np.abs(out["qop"]),
            **{f"cov_{name}_{name}": (sigma[name] / self.pulls) ** 2 for name in STATE},
            **{f"cov_{a}_t{a}": -0.95 * sigma[a] * sigma[f"t{a}"] / self.pulls**2 for a in "xy"},
            "chi2_per_dof": rng.chisquare(ndof) / ndof * 1.02, "ndof": ndof,
            "ghost_prob": np.where(rng.uniform(size=n) < 0.01, 0.7, 0.02),
        }  # fmt: skip
        return _with_ghosts(rng, tracks, self.ghosts)

    def _sigma(self, kind, p, pt, phi):
        percent = np.interp(np.log(1e-3 * p), np.log([5, 10, 20, 50, 100, 235]), [0.36, 0.35, 0.38, 0.48, 0.60, 0.80])
        percent = np.choose(np.searchsorted([3, 4, 5], kind), [percent, 20.0 + 0 * percent, 0.75 + 0 * percent])
        position = 1e-3 * self.position * np.hypot(12.0, 29e3 / pt)
        position = position * np.where(np.abs(np.abs(phi) - np.pi / 2) < 0.25, 1.12, 1.0)
        slope = 3e-4 * np.sqrt(1e3 / pt)
        return {"x": position, "y": position, "tx": slope, "ty": slope, "qop": 0.01 * self.momentum * percent / p}


def _with_ghosts(rng, tracks, share):
    """Some Long tracks again, as tracks of no particle."""
    long = np.flatnonzero(tracks["track_type"] == 3)
    copied = rng.choice(long, int(share / (1.0 - share) * len(long)))
    ghosts = {name: column[copied] for name, column in tracks.items()}
    ghosts |= {name: np.full(len(copied), np.nan) for name in tracks if name.startswith("true_") and name != "true_pid"}
    ghosts |= {"particle_id": np.full(len(copied), -1), "true_pid": np.zeros(len(copied), int)}
    ghosts |= {"ghost_prob": np.where(rng.uniform(size=len(copied)) < 0.5, 0.8, 0.2)}
    return {name: np.concatenate([tracks[name], ghosts[name]]) for name in tracks}

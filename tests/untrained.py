"""Tracks with every column that identification looks at, and models on disk that have learned nothing."""

from __future__ import annotations

import numpy as np
from tiny_models import generator_network, node, onnx_network, plain_transforms, write_model

from lamarrpy.parameterization.folder import MODEL
from lamarrpy.parameterization.manifest import Condition, Target
from lamarrpy.parameterization.transforms import fit_columns
from lamarrpy.tables import EVENTS, PARTICLES, TRACKS, EventBatch

PER_EVENT = 30


def track_columns(n=2400, seed=1):
    """Columns of tracks that fly behind the magnet, at its edges, past it and through its hole; a mapping."""
    random = np.random.default_rng(seed)
    eta, phi = random.uniform(1.8, 5.0, n), random.uniform(-np.pi, np.pi, n)
    slope = 1 / np.sinh(eta)
    tx, ty = slope * np.cos(phi), slope * np.sin(phi)
    track_type = random.choice(np.array([3, 4, 5], np.int32), n)
    known = (track_type != 4) | (random.random(n) < 0.5)
    far = {"x_ecal": 12490.0 * tx, "y_ecal": 12490.0 * ty, "tx_ecal": tx + random.normal(0, 0.05, n), "ty_ecal": ty}
    is_muon = random.random(n) < 0.3
    likelihoods = {
        name: np.where(is_muon, -random.exponential(1.0, n), np.nan) for name in ("muon_mu_ll", "muon_bg_ll")
    }
    dlls = {f"rich_dll_{h}": random.normal(0, 20.0, n) for h in ("e", "mu", "k", "p")}
    return {
        "event_id": 5 + 2 * (np.arange(n) // PER_EVENT),
        "track_id": np.arange(n) % PER_EVENT,
        "particle_id": np.arange(n)[::-1] % PER_EVENT,
        "true_pid": random.choice(np.array([11, -13, 211, -321, 2212], np.int32), n),
        "track_type": track_type,
        **dict(zip(("z", "x", "y"), random.normal(0, (50.0, 0.1, 0.1), (n, 3)).T, strict=True)),
        "tx": tx,
        "ty": ty,
        "p": np.exp(random.uniform(np.log(1e3), np.log(2e5), n)),
        "eta": eta,
        "charge": random.choice(np.array([-1, 1], np.int32), n),
        "chi2_per_dof": random.gamma(10.0, 0.1, n),
        "ndof": random.integers(5, 40, n).astype(np.int32),
        "ghost_prob": random.uniform(0.0, 0.4, n),
        "in_rich1": random.random(n) < 0.9,
        "in_rich2": random.random(n) < 0.6,
        **dlls,
        "is_muon": is_muon,
        **likelihoods,
        "n_tracks": np.full(n, 150, np.int32),
        **{name: np.where(known, values, np.nan) for name, values in far.items()},
        "reaches_ecal": known,
    }


def track_batch(n=2400, seed=1):
    """The same as a batch; electrons are not identified."""
    columns = track_columns(n, seed)
    columns["identified"] = np.abs(columns["true_pid"]) != 11
    columns["is_muon"] &= columns["identified"]
    events = np.unique(columns["event_id"])
    occupancy = {"event_id": events, "n_tracks": np.full(len(events), 150, np.int32)}
    batch = EventBatch({}).with_table(EVENTS.only(*occupancy), occupancy)
    ends = ("event_id", "particle_id", "reaches_ecal", "x_ecal", "y_ecal", "tx_ecal", "ty_ecal")
    batch = batch.with_table(PARTICLES.only(*ends), {name: columns[name] for name in ends})
    known = {name: values for name, values in columns.items() if name in TRACKS.names}
    return batch.with_table(TRACKS.only(*known), known)


def untrained_generator(folder, seen, targets, low=-4.0, high=4.0, seed=0):
    """A generator of standard normal numbers that depend on the conditions, in a folder."""
    described, given = _described(seen)
    answers = tuple(Target(name=name, low=low, high=high) for name in targets)
    stored = {"conditions": given, "targets": plain_transforms(*targets)}
    network = generator_network(len(targets), len(seen), len(targets), seed=seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return write_model(
        folder, "generator", answers, {MODEL: network}, stored, conditions=described, latents=len(targets)
    )


def untrained_classifier(folder, seen, target, seed=0):
    """A classifier whose two probabilities depend on the conditions, in a folder."""
    described, given = _described(seen)
    matrix = 0.5 * np.random.default_rng(seed).normal(size=(len(seen), 2))
    nodes = [node("MatMul", "conditions matrix", "y"), node("Softmax", "y", "probabilities")]
    network = onnx_network(nodes, {"matrix": matrix}, {"conditions": len(seen)}, {"probabilities": 2})
    answer = Target(name=target, dtype="bool", integer=True, masses=(0.0, 1.0), low=0.0, high=1.0)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return write_model(
        folder,
        "classifier",
        (answer,),
        {MODEL: network},
        {"conditions": given},
        conditions=described,
        latents=1,
        classes=(0.0, 1.0),
    )


def _described(seen):
    described = tuple(
        Condition(name=name, dtype=values.dtype.name, low=float(values.min()), high=float(values.max()))
        for name, values in seen.items()
    )
    return described, fit_columns(dict.fromkeys(seen, "standard"), seen)

"""Photons, most of them of neutral pions, and photon models by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tiny_models import generator_network, node, onnx_network, plain_transforms, write_classifier, write_model

from lamarrpy.parameterization.manifest import Condition, Target
from lamarrpy.parameterization.transforms import Identity, PerColumn, fit_columns
from lamarrpy.stages.photon_conditions import photons
from lamarrpy.stages.photon_efficiency import CONDITIONS
from lamarrpy.stages.photon_resolution import PROBABILITIES, conditions
from lamarrpy.tables import PARTICLES, EventBatch

Z = 12689.0
"""mm, of the plane of the cells."""

LEARNED = ("right", "above", "energy", *PROBABILITIES)


def photon_events(events: int = 12, pions: int = 25, seed: int = 1, reach: float = 2500.0) -> EventBatch:
    """Neutral pions with two photons each that point near each other, among them some that miss the calorimeter."""
    random = np.random.default_rng(seed)
    n = events * pions
    x = random.uniform(-reach, reach, n)[:, None] + random.normal(0.0, 100.0, (n, 3))
    y = random.uniform(-reach, reach, n)[:, None] + random.normal(0.0, 100.0, (n, 3))
    p = np.exp(random.uniform(np.log(200.0), np.log(5e4), (n, 3)))
    particle_id = 3 * np.tile(np.arange(pions), events)[:, None] + np.arange(3)
    mother_id = np.where(np.arange(3) == 0, -1, particle_id[:, :1])
    return particles(
        event_id=np.repeat(4 + 3 * np.arange(events), 3 * pions),
        particle_id=particle_id.ravel(),
        mother_id=mother_id.ravel(),
        pid=np.tile([111, 22, 22], n),
        status=np.tile([2, 1, 1], n),
        at=(x.ravel(), y.ravel()),
        p=p.ravel(),
    )


def particles(at: Any, p: Any, **columns: Any) -> EventBatch:
    """A table of particles from the collision point to points of the plane of the cells; photons if nothing is said."""
    x, y, p = np.broadcast_arrays(np.asarray(at[0], float), np.asarray(at[1], float), np.asarray(p, float))
    n = len(p)
    usual = {
        "event_id": np.zeros(n),
        "particle_id": np.arange(n),
        "mother_id": np.full(n, -1),
        "pid": np.full(n, 22),
        "status": np.ones(n),
        "z": np.zeros(n),
    }
    values = {name: np.asarray(column) for name, column in (usual | columns).items()}
    steps = np.stack([x, y, Z - values["z"]]) / np.sqrt(x**2 + y**2 + (Z - values["z"]) ** 2)
    values |= {"x": np.zeros(n), "y": np.zeros(n), "px": p * steps[0], "py": p * steps[1], "pz": p * steps[2]}
    schema = PARTICLES.only(*values)
    return EventBatch({}).with_table(schema, {c.name: values[c.name].astype(c.dtype) for c in schema})


def write_efficiency(models: Path, lost_below: float = 0.0) -> str:
    """Split if the sibling is hard, single otherwise; not found if its ET [MeV] is below a number."""
    target = Target(name="cluster_type", dtype="int32", integer=True, masses=(0.0, 1.0, 2.0), low=0.0, high=2.0)
    transforms = PerColumn({name: Identity(1) for name in CONDITIONS})
    matrix, offset = np.zeros((transforms.width_out, 3)), np.array([lost_below, 0.0, -1e4])
    matrix[transforms.slices["et"], 0] = -1.0
    matrix[transforms.slices["sibling_p"], 2] = 1.0
    nodes = [
        node("MatMul", "conditions matrix", "h"),
        node("Add", "h offset", "y"),
        node("Softmax", "y", "probabilities"),
    ]
    width = {"conditions": transforms.width_out}
    network = onnx_network(nodes, {"matrix": matrix, "offset": offset}, width, {"probabilities": 3})
    seen = tuple(Condition(name=name, low=-1e5, high=4e4 if name == "p" else 1e5) for name in CONDITIONS)
    path = models / "photon_efficiency" / "photon" / "classifier"
    path.parent.mkdir(parents=True)
    write_classifier(path, network, target, (0.0, 1.0, 2.0), transforms={"conditions": transforms}, conditions=seen)
    return str(models)


def write_resolution(models: Path) -> str:
    """A network that has learned nothing."""
    _, columns = photons(photon_events())
    seen = conditions(columns | {"cluster_type": np.ones(len(columns["p"]), np.int32)})
    described = tuple(Condition(name=name, low=-1e5, high=4e4 if name == "p" else 1e5) for name in seen)
    answers = tuple(Target(name=name, low=-50.0, high=50.0) for name in LEARNED)
    given = {"conditions": fit_columns(dict.fromkeys(seen, "standard"), seen), "targets": plain_transforms(*LEARNED)}
    squash = [node("Tanh", "y", "targets")]
    network = generator_network(len(LEARNED), len(seen), len(LEARNED), squash)
    path = models / "photon_resolution" / "photon" / "distilled"
    path.parent.mkdir(parents=True)
    write_model(path, "generator", answers, {"model.onnx": network}, given, described, latents=len(LEARNED))
    return str(models)

"""Made-up particles after propagation and acceptance, with momenta and directions of one's choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field
from lamarrpy.particles import charge
from lamarrpy.propagation import SharedSteps, State
from lamarrpy.tables import EVENTS, PARTICLES, TRACKS, VERTICES, EventBatch

PLANES = {"mid_tt": 2485.0, "mid_t": 8520.0}
PER_EVENT = 40
READ = (
    *("event_id", "particle_id", "vertex_id", "pid", "x", "y", "z", "propagated", "p", "pt", "eta", "phi"),
    *("tx", "ty", "ctb_x", "ctb_y", "ctb_z", "ctb_tx", "ctb_ty"),
    *(f"{what}_{plane}" for plane in PLANES for what in ("reaches", "x", "y", "tx", "ty")),
    "in_acceptance",
)

TRUTH = ("true_x", "true_y", "true_z", "true_tx", "true_ty", "true_qop", "true_p", "true_pt", "true_eta", "true_phi")

Gun = Callable[..., EventBatch]


def make_particles(
    n: int,
    p: Any = (2e3, 100e3),
    eta: Any = (2.0, 5.0),
    pids: Sequence[int] = (211, -211, 321, -321, 2212, -2212, 13, -13, 11, -11),
    decay_z: float | None = None,
    seed: int = 1,
    n_tracks: int = 155,
) -> EventBatch:
    """Particles from pp collisions, bent by the field of LHCb, MagUp.

    Parameters
    ----------
    n : int
        Number of particles, 40 an event.
    p : pair of float or float
        Range of momentum [MeV], flat in its logarithm, or the one value.
    eta : pair of float or float
        Range of pseudorapidity, flat, or the one value.
    pids : sequence of int
        Species, each as often.
    decay_z : float, optional
        z [mm] of the decay that the particles come from; of the collision if not given.
    seed : int
        Other seeds give other particles.
    n_tracks : int
        Occupancy of every event.
    """
    event_id = 11 + 2 * (np.arange(n) // PER_EVENT)
    particle_id = np.arange(n) % PER_EVENT
    events = np.unique(event_id)
    rows = Draws(seed, "particles").rows(event_id, particle_id)
    low, high = np.log(np.broadcast_to(p, 2))
    momentum = np.exp(low + (high - low) * rows.uniform(0))
    low, high = np.broadcast_to(eta, 2)
    pseudorapidity = low + (high - low) * rows.uniform(1)
    phi = np.pi * (2 * rows.uniform(2) - 1)
    pid = np.array(pids)[(rows.uniform(3) * len(pids)).astype(int)] if n else np.zeros(0, int)
    vertex = Draws(seed, "vertices").rows(events)
    vx, vy, vz = 0.8 + 0.03 * vertex.normal(0), -0.2 + 0.03 * vertex.normal(1), 40 * vertex.normal(2)
    of = np.searchsorted(events, event_id)
    steep = 1 / np.sinh(pseudorapidity)
    tx, ty = steep * np.cos(phi), steep * np.sin(phi)
    origin = {"x": vx[of], "y": vy[of], "z": vz[of]}
    if decay_z is not None:  # a displaced origin away from the beam line
        origin = {"x": vx[of] + 20 * rows.normal(4), "y": vy[of] + 20 * rows.normal(5), "z": np.full(n, decay_z)}
    dz = -((origin["x"] - vx[of]) * tx + (origin["y"] - vy[of]) * ty) / steep**2
    values: dict[str, Any] = {
        "event_id": event_id,
        "particle_id": particle_id,
        "vertex_id": np.zeros(n, int),
        "pid": pid.astype(np.int32),
        **origin,
        "propagated": np.ones(n, bool),
        "p": momentum,
        "pt": momentum / np.cosh(pseudorapidity),
        "eta": pseudorapidity,
        "phi": phi,
        "tx": tx,
        "ty": ty,
        "ctb_x": origin["x"] + tx * dz,
        "ctb_y": origin["y"] + ty * dz,
        "ctb_z": origin["z"] + dz,
        "ctb_tx": tx,
        "ctb_ty": ty,
        "in_acceptance": np.ones(n, bool),
    }
    start = State(origin["x"], origin["y"], origin["z"], tx, ty, charge(pid) / momentum)
    crossings = SharedSteps(magnetic_field("lhcb", "MagUp"))(start, list(PLANES.values()))
    for at, (plane, z) in enumerate(PLANES.items()):
        reaches = crossings.reaches[at] & (start.z <= z)
        values[f"reaches_{plane}"] = reaches
        for name, column in zip(("x", "y", "tx", "ty"), crossings[:4], strict=True):
            values[f"{name}_{plane}"] = np.where(reaches, column[at], np.nan)
    batch = EventBatch({}).with_table(
        EVENTS.only("event_id", "n_tracks"), {"event_id": events, "n_tracks": np.full(len(events), n_tracks, np.int32)}
    )
    batch = batch.with_table(
        VERTICES.only("event_id", "vertex_id", "true_x", "true_y", "true_z"),
        {"event_id": events, "vertex_id": np.zeros(len(events), int), "true_x": vx, "true_y": vy, "true_z": vz},
    )
    return batch.with_table(PARTICLES.only(*READ), values)


def make_tracks(n: int, track_type: int = 3, **particles: Any) -> EventBatch:
    """Particles of `make_particles`, all of them reconstructed as tracks of one type."""
    batch = make_particles(n, **particles)
    values: dict[str, Any] = {name: batch.array("particles", name) for name in ("event_id", "particle_id", "vertex_id")}
    values["track_id"] = values["particle_id"]
    values["track_type"] = np.full(n, track_type, np.int32)
    values["true_pid"] = batch.array("particles", "pid")
    for name in TRUTH:
        what = name.removeprefix("true_")
        if what != "qop":
            column = what if what in ("p", "pt", "eta", "phi") else f"ctb_{what}"
            values[name] = batch.array("particles", column)
    values["true_qop"] = charge(values["true_pid"]) / values["true_p"]
    keys = ("event_id", "track_id", "particle_id", "vertex_id", "track_type", "true_pid")
    return batch.with_table(TRACKS.only(*keys, *TRUTH), values)


@pytest.fixture(scope="session")
def tracks() -> Gun:
    """`make_tracks`."""
    return make_tracks


@pytest.fixture(scope="session")
def gun() -> Gun:
    """`make_particles`."""
    return make_particles

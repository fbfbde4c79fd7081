"""A handful of made-up events that visit the corners of the input: all species, charges, origins."""

from __future__ import annotations

import numpy as np

from lamarrpy.draws import Draws
from lamarrpy.tables import EventBatch, generator_level

_PIDS = np.array([211, -211, 321, -321, 2212, -2212, 13, -13, 11, -11, 22, 2112, 310, 5122, 3112])


def example_events(events: int = 40, seed: int = 1) -> EventBatch:
    """Generator-level events for tests.

    Parameters
    ----------
    events : int
        Number of events, with up to 60 particles each; the first has none, every third one has
        two primary vertices.
    seed : int
        Other seeds give other events.

    Returns
    -------
    EventBatch
        The tables events, vertices and particles. A third of the particles come from displaced
        origins, some fly backwards, some are below 1 GeV, hadrons with b quarks are decayed.
    """
    event_ids = 7 + 3 * np.arange(events)
    sizes = (np.arange(events) * 37) % 60
    event_id = np.repeat(event_ids, sizes)
    particle_id = np.arange(len(event_id)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = Draws(seed, "example_events").rows(event_id, particle_id)
    n_vertices = 1 + (np.arange(events) % 3 == 2)
    vertex_event = np.repeat(event_ids, n_vertices)
    vertex_id = np.arange(len(vertex_event)) - np.repeat(np.cumsum(n_vertices) - n_vertices, n_vertices)
    at = Draws(seed, "example_vertices").rows(vertex_event, vertex_id)
    position = {"true_x": 0.8 + 0.03 * at.normal(0), "true_y": -0.2 + 0.03 * at.normal(1), "true_z": 40 * at.normal(2)}
    of = (rows.uniform(0) * np.repeat(n_vertices, sizes)).astype(np.int64)
    vertex_row = np.repeat(np.cumsum(n_vertices) - n_vertices, sizes) + of

    p = 400.0 * 500.0 ** rows.uniform(1)
    eta, phi = 1.2 + 4.5 * rows.uniform(2), 2 * np.pi * rows.uniform(3)
    pt, backward = p / np.cosh(eta), rows.uniform(4) < 0.1
    pz = np.where(backward, -1.0, 1.0) * pt * np.sinh(eta)
    flight = np.where(rows.uniform(5) < 1 / 3, 300.0 * rows.exponential(6), 0.0)
    px, py = pt * np.cos(phi), pt * np.sin(phi)
    pid = _PIDS[(rows.uniform(7) * len(_PIDS)).astype(np.int64)]
    batch = EventBatch({})
    batch = batch.with_table(generator_level("events"), {"event_id": event_ids, "weight": np.ones(events)})
    batch = batch.with_table(
        generator_level("vertices"), {"event_id": vertex_event, "vertex_id": vertex_id, **position}
    )
    schema = generator_level("particles").only(*(c.name for c in generator_level("particles") if not c.optional))
    return batch.with_table(
        schema,
        {
            "event_id": event_id,
            "particle_id": particle_id,
            "mother_id": np.full(len(pid), -1),
            "vertex_id": of,
            "pid": pid,
            "px": px,
            "py": py,
            "pz": pz,
            "x": position["true_x"][vertex_row] + flight * px / p,
            "y": position["true_y"][vertex_row] + flight * py / p,
            "z": position["true_z"][vertex_row] + flight * pz / p,
            "status": np.where(np.isin(pid, [310, 5122]), 2, 1),
        },
    )

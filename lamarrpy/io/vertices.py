"""The true positions of the pp collisions, where an input does not give them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lamarrpy.io.index import pair_keys
from lamarrpy.tables.arrow import to_numpy


def derive_vertices(
    event: NDArray[np.int64], particles: pa.Table, usable: NDArray[np.bool_]
) -> dict[str, NDArray[np.int64] | NDArray[np.float64]]:
    """Take the position of each pp collision from the first particle that comes straight from it.

    That is, of the particles of one (event_id, vertex_id) whose mother is not in the event, the
    origin of the one with the smallest particle_id.

    Parameters
    ----------
    event : ndarray of int64, shape (n,)
        Position of each particle's event in the batch.
    particles : pyarrow.Table, n rows
        event_id, particle_id, mother_id, vertex_id, x, y, z [mm].
    usable : ndarray of bool, shape (n,)
        Rows whose ids and origin are sound; others are not taken as the origin of a collision, but
        still count as mothers.

    Returns
    -------
    dict
        event_id, vertex_id, true_x, true_y, true_z [mm], in the order of the events and by
        vertex_id within one; no row for a collision without a usable such particle.
    """
    particle, mother, vertex = (to_numpy(particles.column(name)) for name in ("particle_id", "mother_id", "vertex_id"))
    key, mother_key = pair_keys(event, particle, mother)
    rows = np.flatnonzero(usable & ~np.isin(mother_key, key))
    order = rows[np.lexsort((particle[rows], vertex[rows], event[rows]))]
    new = (np.diff(event[order], prepend=-1) != 0) | (np.diff(vertex[order], prepend=0) != 0)
    first = order[new]
    values = {name: to_numpy(particles.column(name))[first] for name in ("event_id", "vertex_id", "x", "y", "z")}
    return {name if name.endswith("_id") else f"true_{name}": column for name, column in values.items()}

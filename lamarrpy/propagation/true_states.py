"""The true states of generator-level particles: at their origins, and closest to the beam line."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.particles import charge
from lamarrpy.propagation.beam_line import BeamLine
from lamarrpy.propagation.state import Array, State
from lamarrpy.tables.batch import EventBatch
from lamarrpy.tables.linking import row_of

KINEMATICS = ("p", "pt", "eta", "phi", "tx", "ty")
"""Columns of ``particles`` that follow from the momentum alone."""

CLOSEST = ("ctb_x", "ctb_y", "ctb_z", "ctb_tx", "ctb_ty")
"""Columns of ``particles`` for the state closest to the beam line."""

LARGEST_ETA = 100.0
"""The pseudorapidity of what flies along the z axis: a number, where the formula gives none."""

Rows = NDArray[np.intp]


def origins(batch: EventBatch, rows: Rows) -> tuple[State, dict[str, Array]]:
    """The states of particles where they are born, and their kinematics.

    Parameters
    ----------
    batch : EventBatch
        With the generator-level columns of ``particles``.
    rows : ndarray of int, shape (k,)
        Which of them; all with pz > 0.

    Returns
    -------
    State, dict of str to ndarray
        k states, and the columns of `KINEMATICS`, each of shape (k,).
    """
    px, py, pz, x, y, z, pid = (
        batch.array("particles", column)[rows] for column in ("px", "py", "pz", "x", "y", "z", "pid")
    )
    square = px * px + py * py
    p, pt = np.sqrt(square + pz * pz), np.sqrt(square)
    with np.errstate(divide="ignore", over="ignore"):
        eta = np.minimum(np.arcsinh(pz / pt), LARGEST_ETA)
    tx, ty = px / pz, py / pz
    columns = (p, pt, eta, np.arctan2(py, px), tx, ty)
    return State(x, y, z, tx, ty, charge(pid) / p), dict(zip(KINEMATICS, columns, strict=True))


def beam_lines(batch: EventBatch, rows: Rows) -> BeamLine:
    """The line parallel to the z axis through the true collision of each particle, arrays of shape (k,).

    Parameters
    ----------
    batch : EventBatch
        With ``particles`` and ``vertices``.
    rows : ndarray of int, shape (k,)
        Which particles.

    Raises
    ------
    SchemaError
        If a particle's vertex is not in the table.
    """
    wanted = [batch.array("particles", key)[rows] for key in ("event_id", "vertex_id")]
    vertex = row_of(wanted, batch.arrays("vertices", "event_id", "vertex_id"), "vertices")
    x, y = batch.arrays("vertices", "true_x", "true_y")
    return BeamLine(x[vertex], y[vertex])


def closest_columns(state: State) -> dict[str, Array]:
    """States closest to the beam line as the columns of `CLOSEST`."""
    return dict(zip(CLOSEST, (state.x, state.y, state.z, state.tx, state.ty), strict=True))


def scatter(values: NDArray[Any], rows: Rows, size: int, elsewhere: Any) -> NDArray[Any]:
    """A column of so many rows that has these values in some and one value elsewhere."""
    column = np.full(size, elsewhere, np.asarray(values).dtype)
    column[rows] = values
    return column

"""Particles made on the way through the detector: bremsstrahlung photons, charged daughters of decays in flight."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.transport import Truth
from lamarrpy.detailed.transport.flight import LIGHT
from lamarrpy.particles import mass
from lamarrpy.tables import EventBatch

MADE_IN_DETECTOR = 3
"""Status of these particles."""

_PHOTON = 22

Columns = dict[str, NDArray[Any]]


def secondaries(batch: EventBatch, truth: Truth, rows: NDArray[np.intp]) -> Columns:
    """The particles that others have made in the detector, as rows of ``particles``.

    Photons keep the energy that the electron lost to them, daughters the momentum that the decay gave
    them. What is not followed is not there: neutrinos, neutral pions, photons below the least energy.

    Parameters
    ----------
    batch : EventBatch
        Generator-level events.
    truth : Truth
        What happened to the n particles that were followed.
    rows : ndarray of int, shape (n,)
        Their rows in ``particles``.

    Returns
    -------
    dict of str to ndarray, each of shape (k,)
        The generator-level columns that the batch has. Numbers go on after the largest of the event, mother by
        mother and along z; status is 3; origin and time are those of the emission, the vertex is the mother's.
    """
    made = _made(truth)
    mother = rows[made.pop("row")]
    event_id, mother_id = (batch.array("particles", name)[mother] for name in ("event_id", "particle_id"))
    order = np.lexsort((made["z"], mother_id, event_id))
    made = {name: column[order] for name, column in made.items()}
    event_id, mother_id, mother = event_id[order], mother_id[order], mother[order]
    values: Columns = {
        "event_id": event_id,
        "particle_id": _next_numbers(batch, event_id),
        "mother_id": mother_id,
        "vertex_id": batch.array("particles", "vertex_id")[mother],
        "status": np.full(len(mother), MADE_IN_DETECTOR),
        **made,
    }
    if "t" in batch["particles"].column_names:
        values["t"] = batch.array("particles", "t")[mother] + _time_of_flight(batch, mother, made)
    return values


def _made(truth: Truth) -> Columns:
    """Photons and daughters, with the row of their mother in the truth."""
    photons, daughters = truth.photons, truth.daughters
    forward = photons.energy / np.sqrt(1.0 + photons.tx**2 + photons.ty**2)
    light: Columns = {
        "row": photons.row,
        "pid": np.full(len(photons.row), _PHOTON, np.int64),
        **{name: getattr(photons, name) for name in ("x", "y", "z")},
        "px": forward * photons.tx,
        "py": forward * photons.ty,
        "pz": forward,
    }
    return {name: np.concatenate([column, getattr(daughters, name)]) for name, column in light.items()}


def _next_numbers(batch: EventBatch, event_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers after the largest of each event, for rows whose events stand together."""
    ids, numbers = batch.arrays("particles", "event_id", "particle_id")
    events, which = np.unique(ids, return_inverse=True)
    largest = np.full(len(events), -1, np.int64)
    np.maximum.at(largest, which, numbers)
    _, first, count = np.unique(event_id, return_index=True, return_counts=True)
    rank = np.arange(len(event_id)) - np.repeat(first, count)
    return largest[np.searchsorted(events, event_id)] + 1 + rank


def _time_of_flight(batch: EventBatch, mother: NDArray[np.intp], made: Columns) -> NDArray[np.float64]:
    """Time [ns] from the mother's origin to here, along a straight line and with the mother's first momentum."""
    x, y, z, px, py, pz = (batch.array("particles", name)[mother] for name in ("x", "y", "z", "px", "py", "pz"))
    distance = np.sqrt((made["x"] - x) ** 2 + (made["y"] - y) ** 2 + (made["z"] - z) ** 2)
    p2 = px**2 + py**2 + pz**2
    beta = np.sqrt(p2 / (p2 + mass(batch.array("particles", "pid")[mother]) ** 2))
    return np.asarray(distance / (beta * LIGHT))

"""Acceptance: which particles cross enough of the tracking system to be reconstructed at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from lamarrpy.constants import constants
from lamarrpy.draws import Draws
from lamarrpy.particles import charge
from lamarrpy.tables import PARTICLES, EventBatch, Schema
from lamarrpy.tables.schemas import PLANES

Floats = NDArray[np.float64]

_BETWEEN = PLANES["mid_t"] - PLANES["mid_tt"]


class Trajectory(NamedTuple):
    """Where charged particles that get to the TT station cross the tracking system, each of shape (n,).

    Attributes
    ----------
    tx, ty : ndarray
        Slopes at the origin, before the magnet.
    x_mid_tt, y_mid_tt : ndarray, mm
        Position in the middle of the TT station.
    x_mid_t, y_mid_t : ndarray, mm
        Position in the middle of the T stations; NaN where they are not reached.
    tx_mid_t : ndarray
        Slope there; NaN where they are not reached.
    reaches_mid_t : ndarray of bool
        Whether they are.
    """

    tx: Floats
    ty: Floats
    x_mid_tt: Floats
    y_mid_tt: Floats
    x_mid_t: Floats
    y_mid_t: Floats
    tx_mid_t: Floats
    reaches_mid_t: NDArray[np.bool_]


@dataclass(frozen=True)
class Acceptance:
    """Decide whether a charged particle stays inside the tracking system.

    It has to pass the TT station between the beam pipe and the edge of the acceptance. Particles that
    the magnet sweeps aside are judged by that alone, for they may still be Upstream tracks; stiff ones
    are lost more often where they miss the T stations, outside or in the hole around the pipe. Edges
    are soft, as multiple scattering makes them (models/parametric/acceptance.yaml). Hits and track
    types are the matter of the efficiency.
    """

    @property
    def name(self) -> str:
        """The name of the stage."""
        return "acceptance"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Slopes at the origin, and the states at the TT and T stations."""
        return {"particles": PARTICLES.only("event_id", "particle_id", "pid", "reaches_mid_tt", *Trajectory._fields)}

    @property
    def writes(self) -> Mapping[str, Schema]:
        """Probability and flag; 0 and false for neutral particles and those that do not get to the TT."""
        return {"particles": PARTICLES.only("acceptance", "in_acceptance")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Find the particles of a batch that are in acceptance."""
        event_id, particle_id, pid = batch.arrays("particles", "event_id", "particle_id", "pid")
        rows = np.flatnonzero(batch.array("particles", "reaches_mid_tt"))
        rows = rows[charge(pid[rows]) != 0.0]
        trajectory = Trajectory(*(column[rows] for column in batch.arrays("particles", *Trajectory._fields)))
        probability = np.zeros(len(pid))
        probability[rows] = acceptance_probability(trajectory, constants("acceptance"))
        accepted = np.zeros(len(pid), bool)
        accepted[rows] = draws.rows(event_id[rows], particle_id[rows]).uniform(0) < probability[rows]
        return batch.with_columns(self.writes["particles"], {"acceptance": probability, "in_acceptance": accepted})


def acceptance_probability(at: Trajectory, numbers: Mapping[str, Any]) -> Floats:
    """Probability that a charged particle is in acceptance.

    With logistic edges: plateau * outside the pipe * inside the opening * (1 - loss), where the loss
    of a particle that misses the T stations is damped by exp(-|change of tx| / swept).

    Parameters
    ----------
    at : Trajectory
        n particles.
    numbers : mapping
        The content of models/parametric/acceptance.yaml.

    Returns
    -------
    ndarray of float64, shape (n,)
        Between 0 and 1.
    """
    tt, t, hole = numbers["tt"], numbers["t_stations"], numbers["t_hole"]
    radius = np.hypot(at.x_mid_tt, at.y_mid_tt)
    probability: Floats = numbers["plateau"] * expit((radius - tt["pipe"]) / tt["pipe_edge"])
    probability *= expit((tt["opening"] - radius) / tt["opening_edge"])
    beyond = np.maximum(np.abs(at.x_mid_t) - t["half_x"], np.abs(at.y_mid_t) - t["half_y"])
    unbent = np.hypot(at.x_mid_tt + at.tx * _BETWEEN, at.y_mid_tt + at.ty * _BETWEEN)
    loss = t["loss"] * expit(beyond / t["edge"]) + hole["loss"] * expit((hole["radius"] - unbent) / hole["edge"])
    loss *= np.exp(-np.abs(at.tx_mid_t - at.tx) / numbers["swept"])
    return probability * np.where(at.reaches_mid_t, 1.0 - loss, 1.0)

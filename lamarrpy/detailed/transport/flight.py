"""A block of particles on their way: what changes from plane to plane."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.geometry.detector import MOST_LAYERS
from lamarrpy.detailed.transport.nodes import Track
from lamarrpy.draws import RowDraws
from lamarrpy.particles import Species, lifetime, species
from lamarrpy.propagation.motion import KAPPA

Array = NDArray[np.float64]

LIGHT = 299.792458
"""Speed of light [mm/ns]."""

DEPTH_DRAW, LIFE_DRAW, CHANNEL_DRAW, POLAR_DRAW, AZIMUTH_DRAW, ELASTIC_DRAW, TRANSFER_DRAW, TURN_DRAW = range(8)
"""Indices of the random numbers that a particle needs once; those of a node follow from NODE_DRAWS on."""

NODE_DRAWS, DRAWS_PER_LAYER = 16, 8
DRAWS_PER_NODE = DRAWS_PER_LAYER * (MOST_LAYERS + 1)
"""Index of the first random number of node 0, and how many a layer of material and a node have."""


def layer_draw(node: int, layer: int) -> int:
    """Index of the first random number of a layer of material: 0 the wall before a node, 1 ... its regions."""
    return NODE_DRAWS + DRAWS_PER_NODE * node + DRAWS_PER_LAYER * layer


@dataclass
class Flight:
    """n particles in flight, each array of shape (n,).

    Attributes
    ----------
    row : ndarray of int
        Their rows in the input.
    entry : ndarray of int
        The node where each comes in.
    draws : RowDraws
        Their random numbers.
    x, y : ndarray, mm
        Position, at the z of the node.
    u, v : ndarray
        Direction cosines px/p and py/p.
    p, mass : ndarray, MeV
        Momentum and mass.
    charge : ndarray
        +1 or -1.
    origin_z : ndarray, mm
        Where each starts.
    seen, depth : ndarray
        Radiation lengths, and interaction lengths of a proton, that it has been through.
    depth_limit : ndarray
        Interaction lengths of a proton at which it interacts; infinite for leptons.
    elastic, elastic_limit : ndarray
        The same for elastic scattering: lengths of a proton so far, and at which it scatters.
    life : ndarray, mm
        c times the proper time it has left; infinite if it does not decay, as hardly any muon does.
    electron, alive : ndarray of bool
        Whether it radiates; whether it is still on its way.
    """

    row: NDArray[np.intp]
    entry: NDArray[np.intp]
    draws: RowDraws
    x: Array
    y: Array
    u: Array
    v: Array
    p: Array
    mass: Array
    charge: Array
    origin_z: Array
    seen: Array
    depth: Array
    depth_limit: Array
    elastic: Array
    elastic_limit: Array
    life: Array
    electron: NDArray[np.bool_]
    alive: NDArray[np.bool_]

    @property
    def track(self) -> Track:
        """Position and direction, which stepping changes in place."""
        return self.x, self.y, self.u, self.v

    @property
    def bend(self) -> Array:
        """Curvature in one Tesla [1/mm]."""
        return KAPPA * self.charge / self.p

    def select(self, rows: Any) -> Flight:
        """Some of the particles; a slice gives views, through which they can be changed."""
        return Flight(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def interaction_scale(pid: NDArray[np.int64], scale: tuple[tuple[int, float], ...]) -> Array:
    """How much longer the interaction length of each particle is than a proton's; infinite for leptons.

    Hadrons that are not listed (hyperons, nuclei of hydrogen) interact like protons.
    """
    longer = np.where(np.abs(pid) > 100, 1.0, np.inf)
    for hadron, times in scale:
        longer[pid == hadron] = times
    return longer


def proper_life(pid: NDArray[np.int64], draws: RowDraws) -> Array:
    """c times the proper time [mm] after which each particle decays; infinite for stable ones and muons."""
    decays = np.isfinite(lifetime(pid)) & (species(pid) != Species.muon)
    life = np.full(len(pid), np.inf)
    life[decays] = LIGHT * lifetime(pid[decays]) * draws[decays].exponential(LIFE_DRAW)
    return life

"""The history of a HepMC event: who is kept, whose child one is, which pp collision one comes from.

Kept are the particles that a detector could meet or that decay into such ones: those the generator
leaves undecayed (status 1) and those it decays (status 2). Left out are beams (status 4), other status
codes, what is no particle by itself (quarks, gluons, diquarks, generator-internal objects), and decayed
resonances that generators make but the PDG tables do not list, such as the Sigma_b0. Mother links skip
over them to the nearest kept ancestor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import InputError
from lamarrpy.particles import is_known

if TYPE_CHECKING:
    import pyhepmc

LEFT_OUT = (
    "",
    "beam particles",
    "particles with a status other than 1, 2 and 4",
    "partons and generator internals",
    "decayed particles that the PDG tables do not list",
)
"""Why a particle is left out, by the code that `kept_particles` gives; 0 is kept."""

UNDECAYED, DECAYED, BEAM = 1, 2, 4

GAUSS_STATUS = {777: DECAYED, 888: DECAYED, 889: DECAYED, 999: UNDECAYED}
"""Codes of LHCb's Gauss (HepMCUser/StatusCode.h): decayed by the decay generator (777), also after
production by the generator (888), signal in the laboratory frame (889), stable in the decay generator (999)."""

_REGGEON, _POMERON = 110, 990
_LONGEST_HISTORY = 64
"""Doublings of the path length after which a history must have reached its end, unless it is a loop."""


def _is_parton_or_internal(pid: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Quarks, gluons, diquarks, pomerons and codes 81-99 (PDG Monte Carlo numbering scheme, points 4, 9, 10)."""
    size = np.abs(pid.astype(np.int64))
    diquark = (size >= 1000) & (size < 10000) & (size // 10 % 10 == 0)
    internal = (size > 80) & (size < 100)
    parton: NDArray[np.bool_] = (
        (size <= 9) | (size == 21) | diquark | internal | (size == _REGGEON) | (size == _POMERON)
    )
    return parton


def kept_particles(
    pid: NDArray[np.integer[Any]], status: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Say of each particle whether it is kept.

    Parameters
    ----------
    pid, status : ndarray of int, shape (n,)
        PDG numbers and HepMC status codes.

    Returns
    -------
    status : ndarray of int32, shape (n,)
        1 undecayed, 2 decayed, with Gauss's codes translated.
    reason : ndarray of int64, shape (n,)
        0 for kept, else an index into `LEFT_OUT`.
    """
    plain = np.asarray(status, np.int32).copy()
    for code, meaning in GAUSS_STATUS.items():
        plain[plain == code] = meaning
    physical = (plain == UNDECAYED) | (plain == DECAYED)
    reason = np.where(physical, np.where(_is_parton_or_internal(pid), 3, 0), np.where(plain == BEAM, 1, 2))
    decayed = np.flatnonzero((reason == 0) & (plain == DECAYED))
    reason[decayed[~is_known(pid[decayed])]] = 4
    return plain, reason


@dataclass(frozen=True)
class Graph:
    """Particles, vertices and the links between them; particles and vertices count from 1, 0 is none.

    Attributes
    ----------
    particles : ndarray, shape (n,)
        pyhepmc's records with pid, status, px, py, pz in the event's units.
    vertices : ndarray, shape (m,)
        Its records with x, y, z, t.
    origin : ndarray of int64, shape (n + 1,)
        Production vertex of each particle.
    incoming : ndarray of int64, shape (2, k)
        Particle and vertex of every link into a vertex.
    event_position : tuple of four floats
        Where particles without a vertex start.
    number : int
        Event number, for messages.
    """

    particles: NDArray[Any]
    vertices: NDArray[Any]
    origin: NDArray[np.int64]
    incoming: NDArray[np.int64]
    event_position: tuple[float, float, float, float]
    number: int

    @classmethod
    def of(cls, event: pyhepmc.GenEvent) -> Graph:
        """Take the graph out of an event."""
        import pyhepmc

        data = pyhepmc.GenEventData()
        event.write_data(data)
        a, b = np.array(data.links1, np.int64), np.array(data.links2, np.int64)
        out = a < 0  # vertex -> particle; else particle -> vertex
        origin = np.zeros(len(data.particles) + 1, np.int64)
        origin[b[out]] = -a[out]
        position = event.event_pos()
        return cls(
            np.array(data.particles),
            np.array(data.vertices),
            origin,
            np.stack([a[~out], -b[~out]]),
            (position.x, position.y, position.z, position.t),
            event.event_number,
        )

    @property
    def pid(self) -> NDArray[np.int32]:
        """PDG numbers, shape (n,)."""
        return self.particles["pid"]

    @property
    def status(self) -> NDArray[np.int32]:
        """HepMC status codes, shape (n,)."""
        return self.particles["status"]

    def _leading(self, preferred: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The particle that speaks for those entering each vertex: the first preferred one, else the first."""
        particle, vertex = self.incoming
        order = np.lexsort((particle, ~preferred[particle - 1], vertex))
        vertices, first = np.unique(vertex[order], return_index=True)
        leading = np.zeros(len(self.vertices) + 1, np.int64)
        leading[vertices] = particle[order[first]]
        return leading

    def _jump(self, link: NDArray[np.int64], stop: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Follow links until they point to an end, doubling the step each time."""
        for _ in range(_LONGEST_HISTORY):
            moving = ~stop[link]
            if not moving.any():
                return link
            link = np.where(moving, link[link], link)
        raise InputError(f"event {self.number}: expected a history without loops, but a particle is its own ancestor")

    def mothers(self, keep: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Nearest kept ancestor of each particle, shape (n,), -1 for none.

        Where several particles enter a vertex, a kept one comes before others, then the first.
        """
        parent = self._leading(keep)[self.origin]
        mother = self._jump(parent, np.concatenate([[True], keep]))[1:]
        return np.where(mother == 0, -1, mother)

    def collisions(self) -> NDArray[np.int64]:
        """Number of the pp collision that each particle comes from, shape (n,).

        Collisions are the parts of the event that are not connected with one another and have beam
        particles, numbered by their first beam particle; particles of parts without beams are in 0.
        """
        n = len(self.particles)
        beams = np.flatnonzero(self.status == BEAM)
        if len(beams) <= 2:
            return np.zeros(n, np.int64)
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        produced = np.flatnonzero(self.origin)
        particle = np.concatenate([self.incoming[0], produced]) - 1
        vertex = np.concatenate([self.incoming[1], self.origin[produced]]) - 1 + n
        size = n + len(self.vertices)
        links = coo_array((np.ones(len(particle)), (particle, vertex)), shape=(size, size))
        part = connected_components(links, directed=False)[1]
        number = np.zeros(size, np.int64)
        with_beams, first = np.unique(part[beams], return_index=True)
        number[with_beams[np.argsort(first)]] = np.arange(len(with_beams))
        return number[part[:n]]

    def origins(self) -> NDArray[np.float64]:
        """Production points (x, y, z, c t) of all particles in the event's unit, shape (4, n).

        A vertex without a position of its own stands where the first particle that enters it was
        produced, as in HepMC3's ``GenVertex::position``.
        """
        here = np.zeros((4, len(self.vertices) + 1))
        here[:, 0] = self.event_position
        here[:, 1:] = [self.vertices[name] for name in ("x", "y", "z", "t")]
        placed = (here != 0).any(axis=0)
        placed[0] = True
        entering = np.zeros(len(self.vertices) + 1, np.int64)
        entering[1:] = self._leading(np.zeros(len(self.particles), bool))[1:]
        before = self._jump(np.where(placed, np.arange(len(placed)), self.origin[entering]), placed)
        return here[:, before[self.origin[1:]]]

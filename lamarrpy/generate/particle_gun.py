"""Particle gun: single particles of chosen species with chosen spectra."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lamarrpy.draws import Draws, RowDraws
from lamarrpy.generate.batch import to_batch
from lamarrpy.generate.displacement import Displacement, displaced
from lamarrpy.generate.kinematics import Kinematics, draw_momenta
from lamarrpy.generate.names import pid_of
from lamarrpy.generate.primary_vertices import Vertices, draw_vertices, poisson
from lamarrpy.generate.recipe import Gun
from lamarrpy.generate.spectra import Constant, Spectrum
from lamarrpy.strict import Strict
from lamarrpy.tables import EventBatch

_SPECIES, _X, _Y, _Z, _MOMENTUM = range(5)
"""The draws of a particle; the momentum takes the last one and those after it."""

_AT_VERTEX = Constant(value=0.0)


class PoissonNumber(Strict):
    """A number of particles that varies from event to event."""

    poisson: float = Field(ge=0, le=10_000, description="its mean")


class ParticleGun(Gun, Kinematics):
    """Single stable particles, each independent of the others."""

    kind: Literal["particle_gun"]
    species: dict[int | str, float] = Field(min_length=1, description="share of each species, by name or PDG number")
    particles_per_event: int | PoissonNumber = Field(1, description="how many")
    x: Spectrum = Field(_AT_VERTEX, description="origin relative to the primary vertex [mm]")
    y: Spectrum = Field(_AT_VERTEX, description="origin relative to the primary vertex [mm]")
    z: Spectrum = Field(_AT_VERTEX, description="origin relative to the primary vertex [mm]")
    displacement: Displacement | None = Field(None, description="origins along the way of an unseen mother")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.p is None and self.pt is None) or self.eta is None:
            raise ValueError("expected spectra of eta and of p or pt")
        if min(self.species.values()) < 0 or sum(self.species.values()) <= 0:
            raise ValueError(f"species: expected shares that are not negative and not all 0, got {self.species}")
        if isinstance(self.particles_per_event, int) and not 0 <= self.particles_per_event <= 10_000:
            raise ValueError(f"particles_per_event: expected 0 to 10000, got {self.particles_per_event}")
        for name in self.species:
            pid_of(name)
        return self

    def sample(self, event_id: NDArray[np.int64], draws: Draws) -> EventBatch:
        """Shoot the particles of some events."""
        vertices = draw_vertices(event_id, self.primary_vertices, draws)
        particles = _shoot(self, event_id, vertices, draws.stage("generate.particle_gun"))
        return to_batch(event_id, vertices, particles, significant_bits=self.significant_bits)


def _shoot(
    recipe: ParticleGun, event_id: NDArray[np.int64], vertices: Vertices, draws: Draws
) -> dict[str, NDArray[Any]]:
    count = _number(recipe.particles_per_event, draws.rows(event_id))
    event = np.repeat(np.arange(len(event_id)), count)
    particle_id = np.arange(len(event)) - np.repeat(np.cumsum(count) - count, count)
    streams = draws.rows(event_id[event], particle_id)
    momenta = draw_momenta(recipe, streams, _MOMENTUM)
    origin = vertices.position[:, vertices.first[event]]
    spectra = ((recipe.x, _X), (recipe.y, _Y), (recipe.z, _Z))
    origin = origin + np.stack([spectrum.quantile(streams.uniform(draw)) for spectrum, draw in spectra])
    if recipe.displacement is not None:
        flights = draws.stage("generate.displacement").rows(event_id[event], particle_id)
        origin = displaced(origin, np.stack(momenta), recipe.displacement, flights)
    x, y, z = origin
    nothing = np.zeros(len(event), np.int64)
    return {
        "event_id": event_id[event],
        "particle_id": particle_id,
        "mother_id": nothing - 1,
        "vertex_id": nothing,
        "pid": _species(recipe.species, streams.uniform(_SPECIES)),
        **momenta._asdict(),
        "x": x,
        "y": y,
        "z": z,
        "t": np.zeros(len(event)),
        "status": nothing + 1,
    }


def _number(wanted: int | PoissonNumber, streams: RowDraws) -> NDArray[np.int64]:
    if isinstance(wanted, int):
        return np.full(len(streams), wanted)
    return poisson(streams.uniform(0), wanted.poisson)


def _species(shares: dict[int | str, float], u: NDArray[np.float64]) -> NDArray[np.int64]:
    """Species out of uniform numbers, PDG numbers of shape (n,)."""
    below = np.cumsum(list(shares.values()))
    which = np.searchsorted(below[:-1] / below[-1], u, side="right")
    return np.array([pid_of(name) for name in shares])[which]

"""What a particle is: mass, charge and species by PDG number, from the `particle` package."""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import DomainError


class Species(IntEnum):
    """The five species that the tracking system tells stories about, and the rest."""

    other = 0
    electron = 11
    muon = 13
    pion = 211
    kaon = 321
    proton = 2212


class _Properties(NamedTuple):
    """What the PDG says of one particle; NaN if it knows none of that number."""

    mass: float
    charge: float
    lifetime: float


@cache
def _properties(pid: int) -> _Properties:
    from particle import InvalidParticle, Particle, ParticleNotFound

    try:
        found = Particle.from_pdgid(pid)
    except (ParticleNotFound, InvalidParticle):
        return _Properties(np.nan, np.nan, np.nan)
    lifetime = np.inf if found.lifetime is None else found.lifetime
    return _Properties(found.mass or 0.0, float(found.charge or 0.0), lifetime)


def _look_up(pid: NDArray[np.integer[Any]]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Properties of the particles that occur, shape (k, 3), and the row there of each one, shape (n,)."""
    ids, row = np.unique(np.asarray(pid), return_inverse=True)
    return np.array([_properties(i) for i in ids.tolist()], np.float64).reshape(-1, 3), row


def is_known(pid: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Whether each PDG number stands in the tables of the `particle` package, shape (n,)."""
    properties, row = _look_up(pid)
    known: NDArray[np.bool_] = ~np.isnan(properties[:, 0])
    return known[row]


def _quantity(pid: NDArray[np.integer[Any]], name: str) -> NDArray[np.float64]:
    properties, row = _look_up(pid)
    values = properties[:, _Properties._fields.index(name)]
    if np.isnan(values).any():
        unknown = np.unique(np.asarray(pid)[np.isnan(values)[row]])
        raise DomainError(f"expected PDG particle numbers, got {unknown[:5].tolist()}, which are not in the PDG tables")
    return values[row]


def mass(pid: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Mass [MeV] by PDG number, shape (n,); DomainError for an unknown number."""
    return _quantity(pid, "mass")


def charge(pid: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Charge [e] by PDG number, shape (n,); DomainError for an unknown number."""
    return _quantity(pid, "charge")


def lifetime(pid: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Mean lifetime [ns] by PDG number, shape (n,), infinite if stable or not measured."""
    return _quantity(pid, "lifetime")


def species(pid: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """The `Species` of each PDG number, particle and antiparticle alike, shape (n,)."""
    size = np.abs(np.asarray(pid, np.int64))
    known = np.isin(size, [s.value for s in Species if s])
    return np.where(known, size, Species.other)

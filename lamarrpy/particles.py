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


class _Table(NamedTuple):
    pid: NDArray[np.int64]
    mass: NDArray[np.float64]
    charge: NDArray[np.float64]
    lifetime: NDArray[np.float64]


@cache
def _table() -> _Table:
    from particle import Particle

    rows = sorted(
        (
            int(p.pdgid),
            p.mass or 0.0,
            float(p.charge or 0.0),
            p.lifetime if p.lifetime is not None else np.inf,
        )
        for p in Particle.all()
    )
    pid, mass, charge, lifetime = (np.array(column) for column in zip(*rows, strict=True))
    return _Table(pid.astype(np.int64), mass, charge, lifetime)


def _rows(pid: NDArray[np.integer[Any]]) -> tuple[_Table, NDArray[np.intp], NDArray[np.bool_]]:
    table = _table()
    ids, inverse = np.unique(np.asarray(pid, np.int64), return_inverse=True)
    row = np.minimum(np.searchsorted(table.pid, ids), len(table.pid) - 1)
    return table, row[inverse], (table.pid[row] == ids)[inverse]


def is_known(pid: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Whether each PDG number stands in the tables of the `particle` package, shape (n,)."""
    return _rows(pid)[2]


def _look_up(pid: NDArray[np.integer[Any]], quantity: str) -> NDArray[np.float64]:
    table, row, known = _rows(pid)
    if not known.all():
        unknown = np.unique(np.asarray(pid)[~known])
        raise DomainError(f"expected PDG particle numbers, got {unknown[:5].tolist()}, which are not in the PDG tables")
    values: NDArray[np.float64] = getattr(table, quantity)
    return values[row]


def mass(pid: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Mass [MeV] by PDG number, shape (n,); DomainError for an unknown number."""
    return _look_up(pid, "mass")


def charge(pid: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Charge [e] by PDG number, shape (n,); DomainError for an unknown number."""
    return _look_up(pid, "charge")


def lifetime(pid: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Mean lifetime [ns] by PDG number, shape (n,), infinite if stable or not measured."""
    return _look_up(pid, "lifetime")


def species(pid: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """The `Species` of each PDG number, particle and antiparticle alike, shape (n,)."""
    size = np.abs(np.asarray(pid, np.int64))
    known = np.isin(size, [s.value for s in Species if s])
    return np.where(known, size, Species.other)

"""The event record of a generator to rows of the table particles: what is kept, and whose daughter it is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lamarrpy.particles import is_known, lifetime

SHORTEST_KEPT_LIFETIME = 1e-8
"""ns (3 nm of flight): decayed particles that live longer are kept; weak decays do, and the pi0."""

_GEV = 1000.0
_MM_PER_NS = 299.792458


class Entry(Protocol):
    """One line of a Pythia 8 event record."""

    def id(self) -> int: ...
    def isFinal(self) -> bool: ...
    def mother1(self) -> int: ...
    def px(self) -> float: ...
    def py(self) -> float: ...
    def pz(self) -> float: ...
    def xProd(self) -> float: ...
    def yProd(self) -> float: ...
    def zProd(self) -> float: ...
    def tProd(self) -> float: ...


class Record(NamedTuple):
    """An event record as arrays, each of shape (n,) or (3, n).

    Attributes
    ----------
    pid : ndarray of int64
        PDG numbers.
    final : ndarray of bool
        Whether the particle leaves the generator undecayed.
    mother : ndarray of int64
        Position of the mother in the record, 0 for none (position 0 is the event as a whole).
    momentum, origin : ndarray of float64, shape (3, n)
        In MeV and mm.
    time : ndarray of float64
        At the origin [ns].
    """

    pid: NDArray[np.int64]
    final: NDArray[np.bool_]
    mother: NDArray[np.int64]
    momentum: NDArray[np.float64]
    origin: NDArray[np.float64]
    time: NDArray[np.float64]


def read_record(event: Iterable[Entry]) -> Record:
    """Copy a Pythia 8 event record, in GeV, mm and mm/c, into arrays.

    Parameters
    ----------
    event : iterable of Entry
        ``pythia.event``.
    """
    lines = [
        (e.id(), e.isFinal(), e.mother1(), e.px(), e.py(), e.pz(), e.xProd(), e.yProd(), e.zProd(), e.tProd())
        for e in event
    ]
    columns = np.array(lines, dtype=np.float64).reshape(-1, 10).T
    pid, final, mother = columns[0].astype(np.int64), columns[1] == 1, columns[2].astype(np.int64)
    # partons of the initial state stand before their mothers; nothing that is kept descends through them
    mother[mother >= np.arange(len(mother))] = 0
    return Record(pid, final, mother, columns[3:6] * _GEV, columns[6:9], columns[9] / _MM_PER_NS)


def kept(record: Record) -> NDArray[np.bool_]:
    """Which particles become rows, shape (n,): the undecayed ones, and the decayed ones worth a name.

    These are hadrons with b or c quarks and whatever lives longer than 1e-8 ns (tau, K_S0, hyperons,
    pi0). A copy, whose daughter is the same particle with changed momentum, is not kept.
    """
    pids, where = np.unique(record.pid, return_inverse=True)
    worth_a_name = np.array([_is_worth_a_name(int(pid)) for pid in pids], bool)[where]
    copied = np.zeros(len(record.pid), bool)
    copied[record.mother[record.pid == record.pid[record.mother]]] = True
    return record.final | (worth_a_name & ~copied)


@cache
def _is_worth_a_name(pid: int) -> bool:
    from particle.pdgid import has_bottom, has_charm, is_hadron

    if not is_known(np.array([pid]))[0]:
        return False
    heavy = is_hadron(pid) and (has_bottom(pid) or has_charm(pid))
    return bool(heavy) or SHORTEST_KEPT_LIFETIME <= float(lifetime(np.array([pid]))[0]) < np.inf


def nearest_kept(mother: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Position of the nearest ancestor that is kept, 0 for none, shape (n,).

    Parameters
    ----------
    mother : ndarray of int64, shape (n,)
        Position of each mother, smaller than its own, 0 for none.
    chosen : ndarray of bool, shape (n,)
        Which particles are kept.
    """
    ancestor = mother.copy()
    while (lost := np.flatnonzero((ancestor > 0) & ~chosen[ancestor])).size:
        ancestor[lost] = mother[ancestor[lost]]
    return ancestor


def to_rows(
    record: Record, event_id: int, vertex_id: int, position: NDArray[np.float64], first_id: int
) -> dict[str, NDArray[Any]]:
    """Rows of the table particles out of one pp collision.

    A particle without a kept ancestor starts exactly at the collision: what lies between them, such
    as an eta or a K0 before it is K_S0 or K_L0, flies by micrometres at most.

    Parameters
    ----------
    record : Record
        The collision, at the origin.
    event_id, vertex_id : int
        The event, and which of its collisions this is.
    position : ndarray, shape (3,)
        Where the collision is [mm].
    first_id : int
        The particle_id of the first row.
    """
    chosen = kept(record)
    number = first_id + np.cumsum(chosen) - 1
    ancestor = nearest_kept(record.mother, chosen)[chosen]
    descends = ancestor > 0
    px, py, pz = record.momentum[:, chosen]
    x, y, z = record.origin[:, chosen] * descends + position[:, None]
    n = len(px)
    return {
        "event_id": np.full(n, event_id),
        "particle_id": number[chosen],
        "mother_id": np.where(descends, number[ancestor], -1),
        "vertex_id": np.full(n, vertex_id),
        "pid": record.pid[chosen],
        "px": px,
        "py": py,
        "pz": pz,
        "x": x,
        "y": y,
        "z": z,
        "t": record.time[chosen] * descends,
        "status": np.where(record.final[chosen], 1, 2),
    }


def pseudorapidity(momentum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pseudorapidity of momenta of shape (3, n); infinite along the beams."""
    px, py, pz = momentum
    with np.errstate(divide="ignore", invalid="ignore"):
        eta: NDArray[np.float64] = np.arcsinh(pz / np.hypot(px, py))
    return eta

"""What the calorimeters' energies say of a track: differences of log-likelihoods, electron or muon less hadron.

The tables, one an observable, are those of the Detailed Simulation, models/detailed/calorimeter, of which the models
that learn the energies hold.
"""

from __future__ import annotations

import json
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.shipped import shipped

Floats = NDArray[np.float64]

UNITS = {"cell": 50.0, "ps": 1.0, "hcal": 100.0, "brem": 100.0}
"""Energies [MeV] at which the logarithmic scale of each observable starts."""

_UNMATCHED = 2
"""Kind of the table of E / p for tracks without a cluster."""


class Table(NamedTuple):
    """A difference of log-likelihoods on a grid.

    Attributes
    ----------
    log_p : ndarray, shape (a,)
        Natural logarithms of momenta [MeV], increasing.
    value : ndarray, shape (b,)
        Values of the observable, increasing.
    dll : ndarray, shape (a, b)
        There.
    """

    log_p: Floats
    value: Floats
    dll: Floats

    def __call__(self, log_p: Floats, value: Floats) -> Floats:
        """Of n tracks, linear between the points, shape (n,)."""
        i, u = _between(log_p, self.log_p)
        j, v = _between(value, self.value)
        low = (1.0 - v) * self.dll[i, j] + v * self.dll[i, j + 1]
        high = (1.0 - v) * self.dll[i + 1, j] + v * self.dll[i + 1, j + 1]
        return np.asarray((1.0 - u) * low + u * high)


def scaled(energy: Floats, name: str) -> Floats:
    """An energy [MeV] on the logarithmic scale of an observable of `UNITS`; noise below zero is 0."""
    return np.asarray(np.log1p(np.maximum(energy, 0.0) / UNITS[name]))


def likelihood(name: str, p: Floats, value: Floats) -> Floats:
    """The difference that an observable makes.

    Parameters
    ----------
    name : str
        ``prs_pid_e``, ``hcal_pid_e``, ``brem_pid_e``, ``ecal_pid_mu`` or ``hcal_pid_mu``.
    p : ndarray, shape (n,), MeV
        Reconstructed momentum.
    value : ndarray, shape (n,)
        As `scaled`.
    """
    return tables()[name](np.log(p), value)


def unmatched(p: Floats) -> Floats:
    """The difference for electrons that the ECAL makes where no cluster is at the track, shape (n,)."""
    return tables()["ecal_pid_e"](np.log(p), np.zeros(len(p)))


@cache
def tables() -> dict[str, Table]:
    """The tables by name; of E / p the one for tracks without a cluster."""
    stored = json.loads((shipped("models", "detailed", "calorimeter") / "tables.json").read_text(encoding="utf-8"))
    found = {}
    for name, entry in stored["tables"].items():
        log_p, value, dll = (np.array(entry[key], np.float64) for key in ("log_p", "value", "dll"))
        found[name] = Table(log_p, value, dll[_UNMATCHED if name == "ecal_pid_e" else 0])
    return found


def _between(values: Floats, points: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The point before each value, and how far it is to the next one; the ends outside."""
    at = np.clip(np.searchsorted(points, values, "right") - 1, 0, len(points) - 2)
    part = np.clip((values - points[at]) / (points[at + 1] - points[at]), 0.0, 1.0)
    return at.astype(np.int64), part

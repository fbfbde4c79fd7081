"""Electrons, muons and hadrons by what their tracks find in the calorimeters: differences of log-likelihoods."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.calorimeter.answer import CalorimeterAnswer, ChargedEnergies
from lamarrpy.detailed.hashed_tables import read_tables, remedy_of
from lamarrpy.detailed.reconstruction.paths import Paths
from lamarrpy.errors import ArtifactError
from lamarrpy.shipped import shipped

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

TABLES = "tables.json"

CHI2_EDGES = (4.0, 25.0)
"""Of the match of track and cluster: E / p says something else in each of the three ranges."""


class Observable(NamedTuple):
    """What is looked at: of m tracks, where it is known, its value, and which of the tables of likelihoods is asked.

    Attributes
    ----------
    known : ndarray of bool, shape (m,)
        Tracks that have it.
    value : ndarray, shape (m,)
        On a scale on which bins of equal width make sense.
    kind : ndarray of int, shape (m,)
        Number of the table.
    """

    known: Mask
    value: Array
    kind: NDArray[np.int64]


def _log(energy: Array, unit: float) -> Array:
    """Logarithm of an energy [MeV] that starts at a unit: all below and negative ones, which are noise, are 0."""
    return np.asarray(np.log1p(np.maximum(energy, 0.0) / unit))


def observables(charged: ChargedEnergies, paths: Paths) -> dict[str, Observable]:
    """What is known of m tracks, by name."""
    kind = np.digitize(charged.match_chi2, CHI2_EDGES)
    e_over_p = np.where(kind < len(CHI2_EDGES), charged.cluster_e / paths.p, 0.0)
    one = np.zeros(len(paths.p), np.int64)
    inside = charged.in_acceptance
    return {
        "ecal": Observable(inside, np.minimum(e_over_p, 2.0), kind),
        "ps": Observable(inside, _log(charged.ps_e, 1.0), one),
        "hcal": Observable(charged.in_hcal, _log(charged.hcal_e, 100.0), one),
        "brem": Observable(charged.in_brem, _log(charged.brem_e, 100.0), one),
        "cell": Observable(inside, _log(charged.ecal_e, 50.0), one),
    }


DLLS = {
    "ecal_pid_e": ("ecal", "electron"),
    "prs_pid_e": ("ps", "electron"),
    "hcal_pid_e": ("hcal", "electron"),
    "brem_pid_e": ("brem", "electron"),
    "ecal_pid_mu": ("cell", "muon"),
    "hcal_pid_mu": ("hcal", "muon"),
}
"""The observable of each difference of log-likelihoods, and the species that it sets against hadrons."""


class Table(NamedTuple):
    """A difference of log-likelihoods, tabulated.

    Attributes
    ----------
    log_p : ndarray, shape (a,)
        Natural logarithms of momenta [MeV], increasing.
    value : ndarray, shape (b,)
        Values of the observable, increasing.
    dll : ndarray, shape (kinds, a, b)
        There.
    """

    log_p: Array
    value: Array
    dll: Array

    def __call__(self, p: Array, seen: Observable) -> Array:
        """The difference of each of m tracks, linear between the points, 0 where nothing is known, shape (m,)."""
        i, u = _between(np.log(p), self.log_p)
        j, v = _between(seen.value, self.value)
        k = seen.kind
        low = (1.0 - v) * self.dll[k, i, j] + v * self.dll[k, i, j + 1]
        high = (1.0 - v) * self.dll[k, i + 1, j] + v * self.dll[k, i + 1, j + 1]
        return np.where(seen.known, (1.0 - u) * low + u * high, 0.0)


def _between(values: Array, points: Array) -> tuple[NDArray[np.int64], Array]:
    """The point before each value, and how far it is to the next one; the ends outside."""
    at = np.clip(np.searchsorted(points, values, "right") - 1, 0, len(points) - 2)
    part = np.clip((values - points[at]) / (points[at + 1] - points[at]), 0.0, 1.0)
    return at.astype(np.int64), part


def charged_dlls(answer: CalorimeterAnswer, paths: Paths) -> dict[str, Array]:
    """Differences of log-likelihoods of m tracks, electron or muon less hadron.

    Parameters
    ----------
    answer : CalorimeterAnswer
        Of the calorimeters to these tracks.
    paths : Paths
        The m tracks.

    Returns
    -------
    dict of str to ndarray of shape (m,)
        ``ecal_pid_e`` from E / p and the match of cluster and track, ``prs_pid_e`` from the PS, ``hcal_pid_e`` from
        the HCAL, ``brem_pid_e`` from bremsstrahlung before the magnet, ``ecal_pid_mu`` and ``hcal_pid_mu`` from the
        cells on the way; 0 where the track does not get there.

    Raises
    ------
    ArtifactError
        If the tables are not there or damaged.
    """
    tables, seen = shipped_tables(), observables(answer.charged, paths)
    return {name: tables[name](paths.p, seen[what]) for name, (what, _) in DLLS.items()}


@cache
def shipped_tables() -> dict[str, Table]:
    """The shipped tables, read once."""
    return load_tables(shipped("models", "detailed", "calorimeter") / TABLES)


def load_tables(path: Path) -> dict[str, Table]:
    """The tables of likelihoods in a file.

    Raises
    ------
    ArtifactError
        If it is not there, damaged, or lacks a table.
    """
    tables = read_tables(path)
    if set(tables) != set(DLLS):
        wanted, got = ", ".join(DLLS), ", ".join(tables)
        raise ArtifactError(f"{path}: expected the tables {wanted}, got {got}; {remedy_of(path)}")
    return {
        name: Table(*(np.array(entry[key], np.float64) for key in ("log_p", "value", "dll")))
        for name, entry in tables.items()
    }

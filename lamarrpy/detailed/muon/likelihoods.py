"""How like those of a muon, and of other particles, the distances of the hits are.

Both likelihoods come from tables of this simulation's own muons and protons: models/detailed/muon/make_tables.py.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.hashed_tables import read_tables, remedy_of
from lamarrpy.detailed.muon.observation import MuonAnswer
from lamarrpy.detailed.muon.stations import REGIONS, description
from lamarrpy.errors import ArtifactError
from lamarrpy.shipped import shipped

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

TABLES = ("models", "detailed", "muon", "tables.json")
"""Where the tables are."""


class Tables(NamedTuple):
    """Distributions of the distance in b bins of region and momentum, in the order of `bins`.

    Attributes
    ----------
    scale : ndarray, shape (b,)
        S, the D^2 at which t = tanh(atanh(0.5) D^2 / S) is one half: the 90 % quantile of muons.
    muon, other : ndarray, shape (b, points)
        Shares of muons and protons with isMuon whose t is at most 0 ... 1, in equal steps.
    """

    scale: Array
    muon: Array
    other: Array


def edges() -> list[Array]:
    """Inner edges [MeV] of the momentum bins of each region."""
    return [np.array(inner) for inner in description()["likelihood_p"]["value"]]


def bins(region: Counts, p: Array) -> Counts:
    """Number of the bin of each track, shape (n,); -1 where there is no region."""
    out, first = np.full(len(p), -1), 0
    for number, inner in enumerate(edges()):
        here = region == number
        out[here] = first + np.searchsorted(inner, p[here], side="right")
        first += len(inner) + 1
    return out


def number_of_bins() -> int:
    """How many there are in all."""
    return sum(len(inner) + 1 for inner in edges())


def closeness(d2: Array, scale: Array) -> Array:
    """t = tanh(atanh(0.5) D^2 / S): 0 for hits in the middle of the track, 1 far off."""
    return np.asarray(np.tanh(np.arctanh(0.5) * d2 / scale))


def likelihoods(answer: MuonAnswer) -> tuple[Array, Array]:
    """MuonMuLL and MuonBgLL of m tracks: logarithms of the shares of muons and of protons that are as close.

    Parameters
    ----------
    answer : MuonAnswer
        What the muon system says of them.

    Returns
    -------
    MuonMuLL, MuonBgLL : ndarray, shape (m,)
        NaN without isMuon. Their difference muDLL is large for small distances and goes to 0 for large ones.
    """
    tables, at = load_tables(), bins(answer.region, answer.p)
    chosen = np.flatnonzero(answer.is_muon & (at >= 0))
    t = closeness(answer.d2[chosen], tables.scale[at[chosen]])
    out = [np.full(len(at), np.nan) for _ in range(2)]
    for values, table in zip(out, (tables.muon, tables.other), strict=True):
        values[chosen] = np.log(_share(table, at[chosen], t))
    return out[0], out[1]


def _share(table: Array, row: Counts, t: Array) -> Array:
    """Linear between the points of the table, and never less than half way to the first: its logarithm is finite."""
    last = table.shape[1] - 1
    at = np.clip(t * last, 0.5, float(last))
    below = np.minimum(at.astype(np.int64), last - 1)
    low, high = table[row, below], table[row, below + 1]
    return np.asarray(low + (at - below) * (high - low))


@cache
def load_tables(path: Path | None = None) -> Tables:
    """The tables that ship with lamarrpy.

    Parameters
    ----------
    path : Path, optional
        Others.

    Raises
    ------
    ArtifactError
        If the file is not what make_tables.py wrote, or has not the bins of the description.
    """
    path = path or shipped(*TABLES)
    data = read_tables(path)
    if set(data) != set(Tables._fields):
        wanted, got = ", ".join(Tables._fields), ", ".join(data)
        raise ArtifactError(f"{path}: expected the tables {wanted}, got {got}; {remedy_of(path)}")
    tables = Tables(*(np.array(data[name], np.float64) for name in Tables._fields))
    if len(tables.scale) != number_of_bins():
        raise ArtifactError(
            f"{path}: expected tables for the {number_of_bins()} bins of {REGIONS} regions in stations.yaml,"
            f" got {len(tables.scale)}; {remedy_of(path)}"
        )
    return tables

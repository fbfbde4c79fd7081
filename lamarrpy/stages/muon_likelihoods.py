"""MuonMuLL and MuonBgLL of a mean square distance of muon hits: logarithms of the shares of muons and protons as near.

LHCb, JINST 8 P10020 (arXiv:1306.0249), section 4. The tables, one a bin of region and momentum, are those of the
Detailed Simulation, models/detailed/muon, of which the models of the stage hold.
"""

from __future__ import annotations

import json
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.shipped import shipped
from lamarrpy.yaml_file import read_yaml

Floats = NDArray[np.float64]


class Tables(NamedTuple):
    """Distributions of the distance in b bins of region and momentum.

    Attributes
    ----------
    first : ndarray of int, shape (regions,)
        The bin of each region with the lowest momenta.
    edges : ndarray, shape (regions, most), MeV
        Inner edges of its momentum bins, infinite where there are no more.
    scale : ndarray, shape (b,)
        Distance S at which t = tanh(atanh(0.5) D^2 / S) is one half.
    muon, other : ndarray, shape (b, points)
        Shares of muons and of protons whose t is at most 0 ... 1, in equal steps.
    """

    first: NDArray[np.int64]
    edges: Floats
    scale: Floats
    muon: Floats
    other: Floats


def muon_likelihoods(d2: Floats, region: NDArray[np.int64], p: Floats) -> tuple[Floats, Floats]:
    """MuonMuLL and MuonBgLL.

    Parameters
    ----------
    d2 : ndarray, shape (n,)
        Mean square distance of the hits from the track, in half pads.
    region : ndarray of int, shape (n,)
        0 to 3 for R1 to R4 of M2.
    p : ndarray, shape (n,), MeV
        Reconstructed momentum.

    Returns
    -------
    ndarray, ndarray : shape (n,)
        At most 0.
    """
    tables = _tables()
    row = tables.first[region] + (p[:, None] >= tables.edges[region]).sum(axis=1)
    t = np.tanh(np.arctanh(0.5) * d2 / tables.scale[row])
    last = tables.muon.shape[1] - 1
    at = np.clip(t * last, 0.5, float(last))  # half way to the first point at least: logarithms are finite
    below = np.minimum(at.astype(np.int64), last - 1)
    part = at - below
    mu, bg = (
        np.log(table[row, below] + part * (table[row, below + 1] - table[row, below]))
        for table in (tables.muon, tables.other)
    )
    return mu, bg


@cache
def _tables() -> Tables:
    folder = shipped("models", "detailed", "muon")
    inner = read_yaml(folder / "stations.yaml")["likelihood_p"]["value"]
    edges = np.full((len(inner), max(map(len, inner))), np.inf)
    for own, region in zip(edges, inner, strict=True):
        own[: len(region)] = region
    first = np.cumsum([0, *(len(region) + 1 for region in inner[:-1])])
    stored = json.loads((folder / "tables.json").read_text(encoding="utf-8"))["tables"]
    return Tables(first, edges, *(np.array(stored[name], np.float64) for name in ("scale", "muon", "other")))

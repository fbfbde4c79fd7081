"""A made-up detector: five conditions, eight targets that are as awkward as those of a real one.

Heavy tails, skewed and bimodal shapes, two integers, a point mass whose size depends on the conditions (74 % overall),
a probability, correlations that change over phase space. Anyone can draw as much of it as wanted, so what a
perfect model would reach is known: a second sample.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.float64]]

CONDITIONS = {"p": "MeV", "eta": "", "n_tracks": "", "charge": "", "z": "mm"}
TARGETS = {
    "dx": "mm",
    "dp_over_p": "",
    "chi2_per_dof": "",
    "ndof": "",
    "n_hits": "",
    "dll": "",
    "prob": "",
    "energy": "MeV",
}
"""Names and units."""

INTEGERS = ("ndof", "n_hits")
MASS = "dll"
"""Exactly zero for most of the rows."""


def draw_sample(rows: int, seed: int) -> Columns:
    """Conditions and targets of some particles.

    Parameters
    ----------
    rows : int
        Number of them.
    seed : int
        Other seeds give independent samples of the same distribution.

    Returns
    -------
    dict of str to ndarray of float64, shape (rows,)
        The columns `CONDITIONS`, then `TARGETS`; whole numbers are int32.
    """
    random = np.random.default_rng(seed)
    conditions = _conditions(rows, random)
    return conditions | _targets(conditions, random)


def _conditions(rows: int, random: np.random.Generator) -> Columns:
    p = 2000.0 * 100.0 ** random.beta(1.6, 3.5, rows)
    return {
        "p": p,
        "eta": np.clip(random.normal(3.2 + 0.12 * np.log(p / 10_000.0), 0.7, rows), 1.8, 5.0),
        "n_tracks": np.maximum(np.rint(random.lognormal(5.1, 0.45, rows)), 5.0).astype(np.int32),
        "charge": random.choice(np.array([-1, 1], np.int32), rows),
        "z": random.normal(0.0, 50.0, rows) + random.exponential(60.0, rows),
    }


def _targets(conditions: Columns, random: np.random.Generator) -> Columns:
    rows = len(conditions["p"])
    gev, busy = conditions["p"] / 1000.0, conditions["n_tracks"] / 200.0
    forward = (conditions["eta"] - 3.2) / 0.7
    shared = random.normal(size=rows)  # scattering, which several targets feel
    tail = np.sqrt(4.0 / random.chisquare(4.0, rows))  # makes them Student's t with four degrees of freedom
    sigma = 0.015 + 0.25 / gev + 0.01 * busy
    dx = sigma * (shared * 0.8 + 0.6 * random.normal(size=rows)) * tail + 0.02 * conditions["charge"] / gev
    worse = 0.004 + 0.00004 * gev + 0.002 * np.exp(0.5 * forward)
    dp = worse * (0.5 * shared * np.tanh(forward) + random.normal(size=rows)) * tail - 0.004 * (
        random.random(rows) < 0.1
    )
    n_hits = random.binomial(30, 1.0 / (1.0 + np.exp(-1.2 - 0.4 * forward + 0.2 * busy)))
    ndof = np.maximum(2 * n_hits - 5 - random.poisson(2.0 + busy), 1)
    chi2 = random.gamma(0.5 * ndof, 2.0 / ndof) * (1.0 + 0.15 * tail + 0.1 * np.abs(shared))
    above = 1.0 / (1.0 + np.exp(-(np.log(gev / 9.5) + 0.3 * shared) / 0.3))
    seen = random.random(rows) < above * (0.73 - 0.19 * np.tanh(busy))
    separation = 45.0 * np.exp(-gev / 40.0) + 2.0
    dll = np.where(
        seen, separation * random.choice([-1.0, 1.0], rows, p=[0.8, 0.2]) + 6.0 * random.normal(size=rows), 0.0
    )
    score = 0.08 * dll + 1.5 - 0.8 * (chi2 - 1.2) + (1.0 + 0.5 * busy) * random.logistic(size=rows)
    energy = conditions["p"] * np.exp(0.3 * random.normal(size=rows)) * random.beta(0.6 + 0.2 * gev / 10.0, 1.5, rows)
    return {
        "dx": dx,
        "dp_over_p": dp,
        "chi2_per_dof": chi2,
        "ndof": ndof.astype(np.int32),
        "n_hits": n_hits.astype(np.int32),
        "dll": dll,
        "prob": 1.0 / (1.0 + np.exp(-score)),
        "energy": energy,
    }

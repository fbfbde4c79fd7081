"""Global particle identification: the ProbNN of each hypothesis, from all subdetectors together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from lamarrpy.constants import constants
from lamarrpy.draws import Draws
from lamarrpy.errors import DomainError
from lamarrpy.particles import Species
from lamarrpy.tables import TRACKS, EventBatch, Schema

Floats = NDArray[np.float64]

HYPOTHESES = {
    "e": Species.electron,
    "mu": Species.muon,
    "pi": Species.pion,
    "k": Species.kaon,
    "p": Species.proton,
}
"""Suffix of each ProbNN column and the species it stands for; also the order of the true species."""
_GEV = 1e3
_QUALITY = len(HYPOTHESES)
"""Index of the draw that the five hypotheses share."""


@dataclass(frozen=True)
class GlobalPid:
    """Draw the ProbNN values of each track from what calibration tracks of its species show.

    Each value has the distribution that was fitted to background-subtracted histograms at the
    track's momentum and pseudorapidity (models/parametric/global_pid.yaml, made by fit_probnn.py).
    The histograms do not say how the values of one track go together: they share one latent
    quality of identification, so that a kaon with a high prob_nn_k has a low prob_nn_pi. Outside
    the range of the fit, 20 to 220 GeV and 2.3 < eta < 4.7, its edge is used; tracks that are not
    Long are treated as if they were.
    """

    @property
    def name(self) -> str:
        """The name of the stage."""
        return "global_pid"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Species and reconstructed kinematics, and the muon flag."""
        return {"tracks": TRACKS.only("event_id", "track_id", "true_pid", "p", "eta", "is_muon")}

    @property
    def writes(self) -> Mapping[str, Schema]:
        """The five ProbNN; that of the muon only where the muon stations have hits."""
        return {"tracks": TRACKS.only(*(f"prob_nn_{h}" for h in HYPOTHESES))}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Identify the tracks of a batch."""
        event_id, track_id, pid, p, eta = batch.arrays("tracks", "event_id", "track_id", "true_pid", "p", "eta")
        rows, true = draws.rows(event_id, track_id), _position(pid)
        cells, weights = _surrounding_cells(true, p / _GEV, eta)
        quality, model, values = rows.normal(_QUALITY), _model(), {}
        for at, hypothesis in enumerate(HYPOTHESES):
            chosen: Any = np.flatnonzero(batch.array("tracks", "is_muon")) if hypothesis == "mu" else slice(None)
            loading = np.where(true[chosen] == at, model.own_loading, model.other_loading)
            g = loading * quality[chosen] + np.sqrt(1 - loading**2) * rows[chosen].normal(at)
            around = [(weight[chosen], cell[chosen]) for weight, cell in zip(weights, cells, strict=True)]
            coefficients = [sum(w * column.take(cell) for w, cell in around) for column in model.coefficients[at]]
            values[f"prob_nn_{hypothesis}"] = drawn = np.full(len(pid), np.nan)
            drawn[chosen] = expit(rising(g, coefficients, model.steps, model.sharpness))
        return batch.with_columns(self.writes["tracks"], values)


def basis(g: Floats, steps: Sequence[float], sharpness: float) -> list[Floats]:
    """Functions of a standard normal whose sum with positive weights, but for the first, rises.

    They are 1, g, and a smooth step tanh(sharpness (g - s)) for each s of ``steps``.
    """
    return [np.ones_like(g), g, *(np.tanh(sharpness * (g - step)) for step in steps)]


def rising(g: Floats, coefficients: Sequence[Any], steps: Sequence[float], sharpness: float) -> Floats:
    """The logarithm of v / (1 - v), shape (n,), that belongs to the normal quantile g of v.

    Parameters
    ----------
    g : ndarray of float64, shape (n,)
        Standard normal numbers.
    coefficients : sequence of ndarray of float64, each of shape (n,)
        One of each function of `basis`, all but the first above zero.
    steps : sequence of float
        Where the steps are.
    sharpness : float
        How steep they are.
    """
    terms = basis(g, steps, sharpness)
    total = coefficients[0] + coefficients[1] * g
    for coefficient, term in zip(coefficients[2:], terms[2:], strict=True):
        total += coefficient * term
    return np.asarray(total)


class _Model(NamedTuple):
    """Constants of global_pid.yaml; coefficients[hypothesis, coefficient, cell], the nodes of each species in turn."""

    coefficients: NDArray[np.float64]
    p_nodes: Floats
    eta_nodes: Floats
    steps: list[float]
    sharpness: float
    own_loading: float
    other_loading: float


@cache
def _model() -> _Model:
    data = constants("global_pid")
    names = [species.name for species in HYPOTHESES.values()]
    size = len(data["p_nodes"]) * len(data["eta_nodes"])
    tables = [
        [np.array(data["coefficients"][true][h].split(), float).reshape(size, -1) for true in names] for h in HYPOTHESES
    ]
    return _Model(
        coefficients=np.moveaxis(np.array(tables), -1, 1).reshape(len(HYPOTHESES), -1, len(names) * size),
        p_nodes=np.array(data["p_nodes"], float),
        eta_nodes=np.array(data["eta_nodes"], float),
        steps=data["steps"],
        sharpness=data["sharpness"],
        own_loading=data["correlation"]["own"],
        other_loading=data["correlation"]["other"],
    )


def _position(pid: NDArray[np.integer]) -> NDArray[np.int64]:
    """Position of each true species in HYPOTHESES, shape (n,)."""
    size = np.abs(pid)
    at = np.full(len(size), -1)
    for position, species in enumerate(HYPOTHESES.values()):
        at[size == species] = position
    if (at < 0).any():
        raise DomainError(
            f"expected electrons, muons, pions, kaons and protons in tracks.true_pid, got {int(pid[at < 0][0])}"
        )
    return at


def _surrounding_cells(true: NDArray[np.int64], p: Floats, eta: Floats) -> tuple[list[NDArray[np.int64]], list[Floats]]:
    """The four nodes around each track, and their weights: linear in p [GeV] and eta, constant outside."""
    model = _model()
    p_low, p_part = _between(p, model.p_nodes)
    eta_low, eta_part = _between(eta, model.eta_nodes)
    next_p = len(model.eta_nodes)
    first = (true * len(model.p_nodes) + p_low) * next_p + eta_low
    cells = [first, first + 1, first + next_p, first + next_p + 1]
    weights = [
        (1 - p_part) * (1 - eta_part),
        (1 - p_part) * eta_part,
        p_part * (1 - eta_part),
        p_part * eta_part,
    ]
    return cells, weights


def _between(x: Floats, nodes: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The node below each number, and how far it is towards the next one; nodes are equally spaced."""
    steps = np.clip((x - nodes[0]) / (nodes[1] - nodes[0]), 0, len(nodes) - 1)
    low = np.minimum(steps.astype(np.int64), len(nodes) - 2)
    return low, steps - low

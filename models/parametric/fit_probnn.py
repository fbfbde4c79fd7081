"""Fit the ProbNN coefficients of `global_pid.yaml` to histograms of calibration tracks.

    python models/parametric/fit_probnn.py HISTOGRAMS.csv [global_pid.yaml]

The CSV has one row a bin: species, variable, p_min_MeV, p_max_MeV, eta_min, eta_max, value_min,
value_max, weight. The weights are background-subtracted, so some are negative. They are not
clipped, which would bias every tail: a density that is positive by construction is fitted by least
squares to the weights as they are, each with the error that the model and the size of the negative
weights beside it imply.

For each true species and variable the value is v = 1 / (1 + exp(-f(g))) with g a standard normal
and f a rising sum of a line and smooth steps (lamarrpy.stages.parametric.global_pid.rising). The coefficients
live on nodes in (p, eta) and are interpolated linearly between them, under which f keeps rising. A
fitted bin is the average over the (p, eta) inside it, with the falling momentum spectrum that the
sample itself shows. Differences between neighbouring nodes are penalised, so that thin bins borrow
from their neighbours.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import logit, ndtr

from lamarrpy.stages.parametric.global_pid import HYPOTHESES, basis

VARIABLES = {"e": "ProbNNe", "mu": "ProbNNmu", "pi": "ProbNNpi", "k": "ProbNNk", "p": "ProbNNp"}
BIN_P, BIN_ETA = 40.0, 0.6
P_NODES = np.array([20.0, 60.0, 100.0, 140.0, 180.0, 220.0])
"""GeV: the middles of the momentum bins; the last node also stands for all higher momenta."""
ETA_NODES = np.array([2.3, 2.9, 3.5, 4.1, 4.7])
NODES = len(P_NODES) * len(ETA_NODES)
EDGES = logit(np.linspace(0.1, 0.9, 9))
STEPS, SHARPNESS = [-2.0, -1.0, 0.0, 1.0, 2.0], 2.5
COEFFICIENTS = 2 + len(STEPS)
GRID = np.linspace(-4.5, 4.5, 181)
LOWEST_P = 4.0
"""GeV: below are hardly any calibration tracks."""
SUB_P, SUB_ETA = 8, 3
"""Points a bin, over which its average is taken."""
OVERDISPERSION = 2.0
"""Variance of a background-subtracted weight over that of a plain count; the histograms carry none."""
MODEL_ERROR = 0.003
"""Accuracy that the fit aims at, as a fraction of the tracks of a bin."""
USUAL = np.array([-2.0, np.log(1.5), *[np.log(0.3)] * len(STEPS)])
USUAL_WIDTH = np.array([8.0, 1.0, *[1.5] * len(STEPS)])
SMOOTHNESS = np.array([0.6, 0.3, *[0.6] * len(STEPS)])
"""Typical second difference between nodes of the first coefficient and the logarithms of the others."""
ENOUGH_TRACKS = 500

Floats = NDArray[np.float64]


def read_histograms(path: Path) -> dict[tuple[str, str], Floats]:
    """Weights by (species, variable), shape (p node, eta node, value bin)."""
    bins: dict[tuple[str, str], Floats] = defaultdict(lambda: np.zeros((len(P_NODES), len(ETA_NODES), 10)))
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            p = min(round(float(row["p_min_MeV"]) / (BIN_P * 1e3)), len(P_NODES) - 1)
            eta = round((float(row["eta_min"]) + BIN_ETA / 2 - ETA_NODES[0]) / BIN_ETA)
            value = round(float(row["value_min"]) * 10)
            bins[row["species"], row["variable"]][p, eta, value] += float(row["weight"])
    return dict(bins)


def points_in_bins(tracks: Floats) -> tuple[Floats, Floats, Floats]:
    """p [GeV], eta and weight of points that stand for the tracks in each bin, shape (bins, points).

    Within a bin the momenta fall exponentially, as steeply as the neighbouring bins tell.
    """
    slope = np.clip(-np.gradient(np.log(np.maximum(tracks, 1)), P_NODES, axis=0), 0.0, 0.1)
    low = np.maximum(P_NODES - BIN_P / 2, LOWEST_P)
    part = (np.arange(SUB_P) + 0.5) / SUB_P
    p = low[:, None] + (P_NODES + BIN_P / 2 - low)[:, None] * part
    eta = ETA_NODES[:, None] + BIN_ETA * ((np.arange(SUB_ETA) + 0.5) / SUB_ETA - 0.5)
    weight = np.exp(-slope[:, :, None] * (p - p[:, :1])[:, None, :])
    weight /= SUB_ETA * weight.sum(axis=2, keepdims=True)
    shape = (len(P_NODES), len(ETA_NODES), SUB_P, SUB_ETA)
    points = p[:, None, :, None], eta[None, :, None, :], weight[:, :, :, None]
    all_p, all_eta, all_weight = (np.broadcast_to(a, shape).reshape(NODES, -1) for a in points)
    return all_p, all_eta, all_weight


def node_weights(p: Floats, eta: Floats) -> Floats:
    """Weight of every node for every point, shape (points, nodes): bilinear, constant outside."""

    def hats(x: Floats, nodes: Floats) -> Floats:
        return np.stack([np.interp(x.ravel(), nodes, row) for row in np.eye(len(nodes))], axis=-1)

    return (hats(p, P_NODES)[:, :, None] * hats(eta, ETA_NODES)[:, None, :]).reshape(p.size, NODES)


def penalties() -> tuple[Floats, Floats]:
    """Matrix and target of the linear penalties: smooth over nodes, not far from usual values."""
    unit = np.eye(COEFFICIENTS * NODES).reshape(COEFFICIENTS, len(P_NODES), len(ETA_NODES), -1)
    smooth = SMOOTHNESS[:, None, None, None]
    parts = [np.diff(unit, order, axis=axis) * size / smooth for order, size in ((2, 1.0), (1, 0.3)) for axis in (1, 2)]
    parts.append(unit / USUAL_WIDTH[:, None, None, None])
    matrix = np.concatenate([part.reshape(-1, unit.shape[-1]) for part in parts])
    target = np.zeros(len(matrix))
    target[-unit.shape[-1] :] = np.repeat(USUAL / USUAL_WIDTH, NODES)
    return matrix, target


def rising_coefficients(parameters: Floats) -> Floats:
    """Coefficients of the rising form, shape (coefficients, nodes): all but the first are exponentials."""
    first, *others = parameters.reshape(COEFFICIENTS, NODES)
    return np.stack([first, *np.exp(others)])


def normal_at_edges(coefficients: Floats) -> Floats:
    """Where f reaches the inner bin edges, shape (points, 9), from coefficients of shape (coefficients, points)."""
    f = coefficients.T @ np.stack(basis(GRID, STEPS, SHARPNESS))
    rows, step = np.arange(len(f)), GRID[1] - GRID[0]
    at_edges = []
    for edge in EDGES:
        above = np.clip((f < edge).sum(axis=1), 1, len(GRID) - 1)
        low, high = f[rows, above - 1], f[rows, above]
        at_edges.append(GRID[above] - step * (high - edge) / (high - low))
    return np.clip(np.stack(at_edges, axis=1), -6, 6)


class Fit:
    """The fit of one variable of one species.

    Parameters
    ----------
    weights : ndarray of float64, shape (p node, eta node, value bin)
        The histograms.
    nodes : ndarray of float64, shape (bins * points, nodes)
        Weights of the nodes at the points of each bin.
    points : ndarray of float64, shape (bins, points)
        Weights of the points of each bin.
    """

    def __init__(self, weights: Floats, nodes: Floats, points: Floats) -> None:
        self.weights = weights.reshape(NODES, 10)
        self.tracks = self.weights.sum(axis=1)
        self.nodes, self.points = nodes, points
        self.matrix, self.target = penalties()
        negative = (weights < 0).sum(axis=(1, 2), keepdims=True)
        noise = (np.minimum(weights, 0) ** 2).sum(axis=(1, 2), keepdims=True) / np.maximum(negative, 1)
        self.noise = np.broadcast_to(noise, weights.shape).reshape(NODES, 10)
        self.expect(np.maximum(self.weights, 0) + 0.02 * np.abs(self.tracks)[:, None])

    def expect(self, counts: Floats) -> None:
        """Set the errors that belong to these expected counts."""
        model = MODEL_ERROR * np.abs(self.tracks)[:, None]
        self.error = np.sqrt(OVERDISPERSION * (counts + 1) + self.noise + model**2)

    def cdf(self, parameters: Floats) -> Floats:
        """Probability to lie below each inner bin edge, shape (bins, 9)."""
        normal = normal_at_edges(rising_coefficients(parameters) @ self.nodes.T)
        below: Floats = (ndtr(normal).reshape(*self.points.shape, -1) * self.points[:, :, None]).sum(axis=1)
        return below

    def fractions(self, parameters: Floats) -> Floats:
        """Probability of each value bin, shape (bins, 10)."""
        return np.diff(self.cdf(parameters), axis=1, prepend=0.0, append=1.0)

    def residuals(self, parameters: Floats) -> Floats:
        """Differences over errors, then penalties."""
        miss = (self.weights - self.tracks[:, None] * self.fractions(parameters)) / self.error
        return np.concatenate([miss.ravel(), self.matrix @ parameters - self.target])

    def jacobian(self, parameters: Floats) -> Floats:
        """Derivatives of `residuals`: a coefficient moves an edge by its function over the slope of f."""
        at_nodes = rising_coefficients(parameters)
        coefficients = at_nodes @ self.nodes.T
        normal = normal_at_edges(coefficients)
        terms = np.stack(basis(normal, STEPS, SHARPNESS))
        steps = [SHARPNESS * (1 - term**2) for term in terms[2:]]
        slope = coefficients[1][:, None] + sum(c[:, None] * s for c, s in zip(coefficients[2:], steps, strict=True))
        density = np.exp(-(normal**2) / 2) / np.sqrt(2 * np.pi) / slope
        moved = (-terms * density * self.points.ravel()[:, None]).reshape(COEFFICIENTS, *self.points.shape, -1)
        nodes = self.nodes.reshape(*self.points.shape, NODES)
        by_node = np.einsum("jbqk,bqn->bkjn", moved, nodes, optimize=True)
        by_node[:, :, 1:] *= at_nodes[1:]
        fractions = np.diff(by_node.reshape(NODES, len(EDGES), -1), axis=1, prepend=0.0, append=0.0)
        miss = -fractions * (self.tracks[:, None] / self.error)[:, :, None]
        return np.concatenate([miss.reshape(-1, parameters.size), self.matrix])

    def run(self) -> Floats:
        """Fit thrice, each time with the errors that the last fit implies."""
        total = np.maximum(self.weights.sum(axis=0), 0) + 1
        median = np.clip(np.cumsum(total / total.sum())[4], 0.01, 0.99)
        parameters = np.repeat([-2 * logit(median), *USUAL[1:]], NODES)
        for _ in range(3):
            parameters = least_squares(self.residuals, parameters, jac=self.jacobian, max_nfev=200).x
            self.expect(np.maximum(self.tracks, 0)[:, None] * self.fractions(parameters))
        return parameters

    def goodness(self, parameters: Floats) -> tuple[float, float]:
        """Largest difference of the CDF in bins with enough tracks: its mean over tracks, and the worst."""
        enough = self.tracks > ENOUGH_TRACKS
        if not enough.any():
            return float("nan"), float("nan")
        measured = np.cumsum(self.weights[enough], axis=1)[:, :-1] / self.tracks[enough, None]
        miss = np.abs(measured - self.cdf(parameters)[enough]).max(axis=1)
        return float(np.average(miss, weights=self.tracks[enough])), float(miss.max())


HEADER = """\
# ProbNN of calibration tracks: coefficients of their distributions. Written by fit_probnn.py.
#
# v = 1 / (1 + exp(-f(g))), g a standard normal,
# f(g) = c0 + c1 g + c2 tanh(s (g - steps[0])) + ... , s the sharpness; c1 and further are positive, so f rises.
# The coefficients are linear in p and eta between the nodes, constant outside.
source: >
  RapidSim (MIT), rootfiles/pid: histograms of calibration data with the background subtracted, in
  bins of 40 GeV, 0.6 in eta and 0.1 in the value. ProbNNmu is that of tracks with isMuon.
confidence: high in bins with many tracks; below 20 GeV only the average over the bin from 0 is known
correlation: # of the normals of one track: a common one with these weights, and independent ones
  own: 0.85 # the hypothesis that is true
  other: -0.6
  source: >
    none, the histograms carry no correlations. Set: a well identified track is high in its own
    hypothesis and low in the others.
  confidence: low
goodness: # largest difference of the CDF in bins of (p, eta) with more than 500 tracks: mean over tracks, worst
"""


def write(path: Path, fits: dict[tuple[str, str], tuple[Floats, tuple[float, float]]]) -> None:
    """Write the coefficients of all fits."""
    text = [HEADER]
    for species in HYPOTHESES.values():
        figures = [
            f"{h}: [{mean:.4f}, {worst:.4f}]" if mean == mean else f"{h}: null"
            for h, (_, (mean, worst)) in ((h, fits[species.name, h]) for h in HYPOTHESES)
        ]
        text.append(f"  {species.name}: {{{', '.join(figures)}}}\n")
    text.append(f"p_nodes: {P_NODES.tolist()} # GeV\neta_nodes: {ETA_NODES.tolist()}\n")
    text.append(f"steps: {STEPS}\nsharpness: {SHARPNESS}\n")
    text.append("# one row a node, eta fastest: c0, c1, ...\ncoefficients:\n")
    for species in HYPOTHESES.values():
        text.append(f"  {species.name}:\n")
        for hypothesis in HYPOTHESES:
            rows = rising_coefficients(fits[species.name, hypothesis][0]).T
            lines = (" ".join(f"{c:.3f}" for c in row) for row in rows)
            text.append(f"    {hypothesis}: |\n" + "".join(f"      {line}\n" for line in lines))
    path.write_text("".join(text), encoding="utf-8")


def main(histograms: Path, out: Path) -> None:
    """Fit every variable of every species."""
    weights = read_histograms(histograms)
    tracks = weights["kaon", "ProbNNpi"].sum(axis=2) + weights["pion", "ProbNNpi"].sum(axis=2)
    p, eta, points = points_in_bins(tracks)
    nodes = node_weights(p, eta)
    fits = {}
    for species in HYPOTHESES.values():
        for hypothesis, variable in VARIABLES.items():
            fit = Fit(weights[species.name, variable], nodes, points)
            parameters = fit.run()
            fits[species.name, hypothesis] = parameters, fit.goodness(parameters)
            print(f"{species.name:9} {variable:9} {fit.goodness(parameters)}")
    write(out, fits)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name("global_pid.yaml"))

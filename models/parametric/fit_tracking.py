"""Derive the coefficients in efficiency.yaml, track_state.yaml and track_quality.yaml from their points.

    python models/parametric/fit_tracking.py

prints them as YAML; the files carry what it prints. The points are published figures, each with
its source, and the least-squares fits below are all that lies between them and the stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.polynomial.polynomial import polyfit, polyval
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, curve_fit, least_squares
from scipy.special import expit
from scipy.stats import norm

from lamarrpy.field import magnetic_field
from lamarrpy.propagation import SharedSteps, State
from lamarrpy.stages.parametric.efficiency import inside_stations
from lamarrpy.tables.schemas import PLANES

HERE = Path(__file__).parent
AT_MOST = 0.98
"""Probability of a Long track that no particle which crosses everything exceeds."""
LOW_ORDER = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)]
HADRON_ORDER = [(0, 0), (1, 0), (2, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (2, 1)]

Floats = NDArray[np.float64]


def load(name: str) -> dict[str, Any]:
    """The content of one of the YAML files beside this script."""
    content: dict[str, Any] = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


def rounded(values: ArrayLike) -> list[float]:
    """Five significant digits, enough for figures known to per cent."""
    return [float(f"{value:.5g}") for value in np.atleast_1d(np.asarray(values, float))]


@cache
def in_t_stations(p: float, eta: float) -> float:
    """Fraction of prompt particles of a momentum [GeV] and any azimuth that hit the T stations.

    Carried through the field by Runge-Kutta; the other charge is the mirror image.
    """
    phi, origin = 2 * np.pi * (np.arange(720) + 0.5) / 720, np.zeros(720)
    slope = np.array([np.cos(phi), np.sin(phi)]) / np.sinh(eta)
    start = State(origin, origin, origin, *slope, np.full(720, 1e-3 / p))
    crossing = SharedSteps(magnetic_field("lhcb", "MagUp"))(start, [PLANES["mid_t"]])
    return float(np.mean(inside_stations("t_stations", crossing.x[0], crossing.y[0])))


def species_loss(p: Floats, eta: float, data: Mapping[str, Any]) -> Floats:
    """What decays and interactions leave of the mixture of hadrons that the points average over."""
    tau = np.interp(eta, data["interaction"]["eta"], data["interaction"]["tau"])
    species, total = data["species"], np.zeros(len(p))
    for name, weight in species["weights"].items():
        length = species["decay_length"].get(name, np.inf)
        excess = (species["cross_section"][name] - 1) * tau + species["decay_path"]["value"] / (length * p)
        total += weight * np.exp(-excess)
    return total


def polynomial_terms(p: Floats, h: Floats, order: list[tuple[int, int]]) -> Floats:
    """The products l^i h^j, shape (points, terms), with l = ln(p / 10 GeV)."""
    log_p = np.log(p / 10)
    return np.stack([log_p**i * h**j for i, j in order], axis=1)


class LongPoints(NamedTuple):
    """Points of the probability of a Long track, each array of shape (points,).

    `loss` is what interactions and decays leave that the curve has not, `reach` what the edges of
    the T stations leave.
    """

    p: Floats
    h: Floats
    value: Floats
    reach: Floats
    loss: Floats

    def fitted(self, coefficients: ArrayLike, order: list[tuple[int, int]], offset: ArrayLike = 0.0) -> Floats:
        """What a logistic polynomial gives at the points."""
        logit = polynomial_terms(self.p, self.h, order) @ np.asarray(coefficients) + offset
        return np.asarray(expit(logit) * self.loss * self.reach)

    def fit(self, order: list[tuple[int, int]], offset: ArrayLike = 0.0) -> Floats:
        """Coefficients of least squares.

        Points that the edges of the T stations cut into count less, since it is mostly they that
        such points are about, and none can be higher than the edges allow.
        """
        goal = np.minimum(self.value, AT_MOST * self.reach)
        found = least_squares(lambda c: (self.fitted(c, order, offset) - goal) * self.reach**1.5, np.zeros(len(order)))
        return np.asarray(found.x)


def long_points(kind: str, data: Mapping[str, Any]) -> LongPoints:
    """The points of muons, hadrons or electrons."""
    momenta = np.array(data["points"]["p"], float)
    rows = []
    for eta, row in data["points"]["long"][kind].items():
        loss = species_loss(momenta, eta, data) if kind == "hadron" else np.ones(len(momenta))
        reach = [in_t_stations(p, eta) for p in momenta.tolist()]
        rows.append((momenta, np.full(len(momenta), eta - data["ranges"]["eta0"]), row, reach, loss))
    return LongPoints(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def efficiency() -> dict[str, Any]:
    """Coefficients of efficiency.yaml."""
    data = load("efficiency")
    points = data["points"]
    momenta = np.array(points["p"], float)

    def as_rows(coefficients: Floats, order: list[tuple[int, int]]) -> list[list[float]]:
        return [[i, j, *rounded(c)] for (i, j), c in zip(order, coefficients, strict=True)]

    muon = long_points("muon", data).fit(LOW_ORDER)
    hadron = long_points("hadron", data).fit(HADRON_ORDER)
    electrons = long_points("electron", data)
    electron = electrons.fit(LOW_ORDER, polynomial_terms(electrons.p, electrons.h, HADRON_ORDER) @ hadron)
    upstream = {
        kind: rounded(polyfit(np.log(momenta / 10), np.log(np.divide(row, points["long"][kind][3.0])), 2))
        for kind, row in points["upstream"].items()
    }
    long = {"muon": as_rows(muon, LOW_ORDER), "hadron": as_rows(hadron, HADRON_ORDER)}
    return {"long": {**long, "electron": as_rows(electron, LOW_ORDER)}, "upstream": upstream}


def track_state() -> dict[str, Any]:
    """Coefficients of track_state.yaml."""
    data = load("track_state")
    position, slope = data["points"]["position"], data["points"]["slope"]

    def both(points: Mapping[str, Any]) -> tuple[Floats, Floats]:
        return np.array(points["pt"] + points["resolution_pt"]), np.array(points["covariance"] + points["resolution"])

    pt, sigma = both(position)
    best, _ = curve_fit(lambda t, a, b: np.hypot(a, b / t), pt, sigma, [12.0, 30.0], sigma=sigma)
    pt, sigma = both(slope)
    line = polyfit(np.log(pt), np.log(sigma), 1)
    scattering = {
        "position": dict(zip(("constant", "scattering"), rounded(np.abs(best) * 1e-3), strict=True)),
        "slope": {"constant": 0.0, "scattering": rounded(np.exp(line[0]) * 1e-6)[0], "power": rounded(line[1])[0]},
    }
    out: dict[str, Any] = {}
    for kind, degree in (("long", 3), ("upstream", 2), ("downstream", 2)):
        points, width = data["points"]["momentum"][kind], data[kind]["momentum"]["log_width"]
        log_value = np.log(np.array(points["value"]) / 100)
        if kind == "long":  # its points are the rms over tracks
            log_value = log_value - width**2
        momentum = {"polynomial": rounded(polyfit(np.log(np.array(points["p"]) / 10), log_value, degree))}
        out[kind] = {**(scattering if kind != "downstream" else {}), "momentum": momentum}
    return out


def fit_quantiles(values: ArrayLike, normal: Floats, below: float) -> Floats:
    """Cubic of a standard normal whose exponential, drawn again until below a cut, has these quantiles.

    The share that is cut depends on the cubic, which depends on the share: found in a few turns.
    """
    share = 0.0
    for _ in range(50):
        cubic = polyfit(norm.ppf(norm.cdf(normal) * (1 - share)), np.log(values), 3)
        cut = brentq(lambda g, c=cubic: polyval(g, c) - np.log(below), 0.0, 10.0)
        share = float(norm.sf(cut))
    return np.asarray(cubic)


def track_quality() -> dict[str, Any]:
    """Coefficients of track_quality.yaml."""
    data = load("track_quality")
    normal, below = np.array(data["normal"][1:-1]), data["chi2_per_dof"]["below"]
    points = data["points"]["chi2_per_dof"]
    return {"chi2_per_dof": {kind: rounded(fit_quantiles(row, normal, below)) for kind, row in points.items()}}


def largest_miss(data: Mapping[str, Any], coefficients: Mapping[str, Any]) -> float:
    """The largest difference between fit and points of muons and hadrons from 3 GeV, to check the order."""
    worst = 0.0
    for kind, order in (("muon", LOW_ORDER), ("hadron", HADRON_ORDER)):
        points = long_points(kind, data)
        miss = points.fitted([c for *_, c in coefficients["long"][kind]], order) - points.value
        worst = max(worst, float(np.max(np.abs(miss[points.p >= 3]))))
    return worst


if __name__ == "__main__":
    for name, make in (("efficiency", efficiency), ("track_state", track_state), ("track_quality", track_quality)):
        print(f"# {name}.yaml")
        print(yaml.safe_dump(make(), sort_keys=False, default_flow_style=None, width=118))
    print(f"# largest miss of the Long efficiency from 3 GeV: {largest_miss(load('efficiency'), efficiency()):.3f}")

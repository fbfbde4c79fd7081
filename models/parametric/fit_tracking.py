"""Derive the coefficients in efficiency.yaml, track_state.yaml and track_quality.yaml from their points.

    python models/parametric/fit_tracking.py

prints them as YAML; the files carry what it prints. The points are published figures, each with
its source, and the least-squares fits below are all that lies between them and the stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.polynomial.polynomial import polyfit
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit
from scipy.special import expit, logit

HERE = Path(__file__).parent
KICK = 1.22
"""GeV: bending from the origin to the middle of the T stations."""
KICK_PLANE, MID_T = 5280.0, 8520.0
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


def in_t_stations(p: float, eta: float, area: Mapping[str, Any]) -> float:
    """Fraction of particles of both charges and any azimuth that hit the T stations."""
    phi = 2 * np.pi * (np.arange(720) + 0.5) / 720
    x = MID_T / np.sinh(eta) * np.cos(phi) + (MID_T - KICK_PLANE) * KICK / (p * np.tanh(eta))
    y = MID_T / np.sinh(eta) * np.sin(phi)
    return float(np.mean((np.abs(x) < area["outer"][0]) & (np.abs(y) < area["outer"][1])))


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


def fit_logistic(p: Floats, h: Floats, value: Floats, order: list[tuple[int, int]], offset: ArrayLike = 0.0) -> Floats:
    """Coefficients of a logistic polynomial, each point with the same absolute error."""
    weight = value * (1 - value)
    terms = polynomial_terms(p, h, order)
    solution = np.linalg.lstsq(terms * weight[:, None], (logit(value) - offset) * weight, rcond=None)
    return np.asarray(solution[0])


def efficiency() -> dict[str, Any]:
    """Coefficients of efficiency.yaml."""
    data = load("efficiency")
    points, eta0 = data["points"], data["ranges"]["eta0"]
    momenta = np.array(points["p"], float)

    def table(kind: str, corrected: bool) -> tuple[Floats, Floats, Floats]:
        p, h, value = [], [], []
        for eta, row in points["long"][kind].items():
            reach = np.array([in_t_stations(q, eta, data["t_stations"]) for q in momenta])
            loss = species_loss(momenta, eta, data) if corrected else 1.0
            p.append(momenta)
            h.append(np.full(len(momenta), eta - eta0))
            value.append(np.array(row) / reach / loss)
        return np.concatenate(p), np.concatenate(h), np.concatenate(value)

    def as_rows(coefficients: Floats, order: list[tuple[int, int]]) -> list[list[float]]:
        return [[i, j, *rounded(c)] for (i, j), c in zip(order, coefficients, strict=True)]

    muon = fit_logistic(*table("muon", False), LOW_ORDER)
    hadron = fit_logistic(*table("hadron", True), HADRON_ORDER)
    p, h, value = table("electron", False)
    electron = fit_logistic(p, h, value, LOW_ORDER, polynomial_terms(p, h, HADRON_ORDER) @ hadron)
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
        "slope": {"constant": rounded(np.exp(line[0]) * 1e-6)[0], "power": rounded(line[1])[0]},
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


def track_quality() -> dict[str, Any]:
    """Coefficients of track_quality.yaml."""
    data = load("track_quality")
    normal = data["normal"][1:-1]
    cubics = {kind: rounded(polyfit(normal, np.log(row), 3)) for kind, row in data["points"]["chi2_per_dof"].items()}
    return {"chi2_per_dof": cubics}


def largest_miss(data: Mapping[str, Any], coefficients: Mapping[str, Any]) -> float:
    """The largest difference between the hadron points and the fit, as a check of its order."""
    worst = 0.0
    for eta, row in data["points"]["long"]["hadron"].items():
        p = np.array(data["points"]["p"], float)
        terms = polynomial_terms(p, np.full(len(p), eta - data["ranges"]["eta0"]), HADRON_ORDER)
        fitted = expit(terms @ np.array([c for *_, c in coefficients["long"]["hadron"]])) * species_loss(p, eta, data)
        reach = np.array([in_t_stations(q, eta, data["t_stations"]) for q in p])
        worst = max(worst, float(np.max(np.abs(fitted * reach - row))))
    return worst


if __name__ == "__main__":
    for name, make in (("efficiency", efficiency), ("track_state", track_state), ("track_quality", track_quality)):
        print(f"# {name}.yaml")
        print(yaml.safe_dump(make(), sort_keys=False, default_flow_style=None, width=118))
    print(f"# largest miss of the hadron efficiency: {largest_miss(load('efficiency'), efficiency()):.3f}")

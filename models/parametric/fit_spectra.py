"""Fit closed forms to FONLL spectra of b and c hadrons, and write `spectra.yaml`.

    python models/parametric/fit_spectra.py pt:b=FILE pt:c=FILE eta:b=FILE eta:c=FILE > spectra.yaml

Each FILE is a histogram: CSV with the columns low, high (of a bin; pT in GeV) and dsigma. The fit is
one of least squares to the cumulative distribution (pT) and to its inverse (eta).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import least_squares

Array = NDArray[np.float64]

_MEV_PER_GEV = 1000.0
_SHARES = (0.05, 0.25, 0.50, 0.75, 0.95, 0.99)

_HEADER = """\
# Spectra of b and c hadrons in pp collisions at 13 TeV, as closed forms fitted by fit_spectra.py.
#
# pt:  F(pT) = 1 - (1 + (pT / scale)^shape)^-tail          (Singh-Maddala; scale in MeV)
# eta: |eta| = a1 v + a2 v^2 + a3 v^3 - a4 log(1 - v)      (v: share of the hadrons closer to eta = 0)
#
# largest_cdf_difference: between the fit and the histogram, over the whole range.
# quantiles: of the histogram and of the fit [MeV for pt]; eta is symmetric, these are of |eta|.
# source: FONLL (M. Cacciari, M. Greco, P. Nason, JHEP 05 (1998) 007), histograms distributed with
# RapidSim (MIT licence, rootfiles/fonll, LHCb 13 TeV); pT and eta are taken as independent, as there.
"""


def cumulative(path: Path, *, absolute: bool, unit: float) -> tuple[Array, Array]:
    """Bin edges in MeV (or of |eta|) and the share of hadrons below each."""
    low, high, weight = np.genfromtxt(path, delimiter=",", skip_header=1).T
    if absolute:
        low, high, weight = (column[low > -1e-9] for column in (low, high, weight))
    share = np.concatenate([[0.0], np.cumsum(weight)])
    return np.concatenate([low[:1], high]) * unit, share / share[-1]


def fit_pt(edges: Array, share: Array) -> tuple[dict[str, float], Array, float]:
    """Coefficients, quantiles at `_SHARES` and largest difference of a Singh-Maddala distribution."""

    def cdf(x: Array, scale: float, shape: float, tail: float) -> Array:
        return 1 - (1 + (x / scale) ** shape) ** -tail

    start = np.interp(0.5, share, edges), 2.0, 2.0
    names = ("scale", "shape", "tail")
    best = least_squares(lambda c: cdf(edges, *c) - share, start, x_scale=np.abs(start)).x
    best = np.array([float(f"{value:.6g}") for value in best])
    scale, shape, tail = best
    quantiles = scale * ((1 - np.array(_SHARES)) ** (-1 / tail) - 1) ** (1 / shape)
    return dict(zip(names, best.tolist(), strict=True)), quantiles, np.abs(cdf(edges, *best) - share).max()


def fit_eta(edges: Array, share: Array) -> tuple[dict[str, float], Array, float]:
    """Coefficients, quantiles at `_SHARES` and largest difference of the quantile function of |eta|."""

    def basis(v: Array) -> Array:
        return np.stack([v, v**2, v**3, -np.log1p(-v)], axis=1)

    v = np.linspace(0.001, 0.999, 999)
    best = np.linalg.lstsq(basis(v), np.interp(v, share, edges), rcond=None)[0]
    best = np.array([float(f"{value:.6g}") for value in best])
    fitted = basis(v) @ best
    assert (np.diff(fitted) > 0).all(), "the fitted quantile function must rise"
    names = ("a1", "a2", "a3", "a4")
    difference = np.abs(np.interp(fitted, edges, share) - v).max()
    return dict(zip(names, best.tolist(), strict=True)), basis(np.array(_SHARES)) @ best, difference


def main(arguments: list[str]) -> None:
    """Fit every ``variable:flavour=FILE`` and print the YAML."""
    spectra: dict[str, dict[str, object]] = {"pt": {}, "eta": {}}
    for argument in sorted(arguments):
        name, _, path = argument.partition("=")
        variable, _, flavour = name.partition(":")
        is_pt = variable == "pt"
        edges, share = cumulative(Path(path), absolute=not is_pt, unit=_MEV_PER_GEV if is_pt else 1.0)
        coefficients, fitted, difference = (fit_pt if is_pt else fit_eta)(edges, share)
        digits = 1 if is_pt else 3
        spectra[variable][flavour] = {
            "coefficients": coefficients,
            "largest_cdf_difference": round(float(difference), 5),
            "quantiles": {
                "shares": list(_SHARES),
                "histogram": np.interp(_SHARES, share, edges).round(digits).tolist(),
                "fit": fitted.round(digits).tolist(),
            },
        }
    print(_HEADER + yaml.safe_dump(spectra, sort_keys=False, default_flow_style=None, width=110), end="")


if __name__ == "__main__":
    main(sys.argv[1:])

"""How well a track is measured: the one uncertainty model of the stages resolution and covariance.

Both stages see the same uncertainties: the first draws the residuals of the state from them, the
second reports them. The track-to-track fluctuations come from draws of their own name, so neither
stage needs columns of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.constants import constants
from lamarrpy.draws import Draws, RowDraws
from lamarrpy.stages.track_type import TrackType

Floats = NDArray[np.float64]
Polarity = Literal["MagUp", "MagDown"]

_POSITION, _MOMENTUM, _CORRELATION, _HITS = range(4)
_SMALL = 1e-12
_GEV = 1e3
_PIVOT = 1e4
"""MeV: momentum where the logarithm in the polynomials is zero."""


class _Model(NamedTuple):
    """Constants of track_state.yaml, the last axis running over Long, Upstream, Downstream."""

    position: Floats
    scattering: Floats
    slope: Floats
    slope_scattering: Floats
    slope_power: Floats
    scatters_by_p: NDArray[np.bool_]
    momentum: Floats
    log_p_range: Floats
    momentum_width: Floats
    y_position: Floats
    y_slope: Floats
    one_less_rho2_x: Floats
    one_less_rho2_y: Floats
    rho_width: Floats
    x_qop: Floats
    x_qop_width: Floats
    anisotropy: Floats
    position_width: float
    hits_in_momentum: float


@cache
def _model() -> _Model:
    data = constants("track_state")
    types = [data[t.name] for t in TrackType]

    def of(*path: str) -> Floats:
        values = types
        for key in path:
            values = [value[key] for value in values]
        return np.array(values, float)

    momentum = np.zeros((4, len(types)))
    for at, kind in enumerate(types):
        polynomial = kind["momentum"]["polynomial"]
        momentum[: len(polynomial), at] = polynomial
    return _Model(
        position=of("position", "constant"),
        scattering=of("position", "scattering"),
        slope=of("slope", "constant"),
        slope_scattering=of("slope", "scattering"),
        slope_power=of("slope", "power"),
        scatters_by_p=np.array([kind["scatters_by"] == "p" for kind in types]),
        momentum=momentum,
        log_p_range=np.log(of("momentum", "p") * _GEV / _PIVOT).T,
        momentum_width=of("momentum", "log_width"),
        y_position=of("y_over_x", "position"),
        y_slope=of("y_over_x", "slope"),
        one_less_rho2_x=1 - of("correlation", "x") ** 2,
        one_less_rho2_y=1 - of("correlation", "y") ** 2,
        rho_width=of("correlation", "log_width"),
        x_qop=of("correlation", "x_qop"),
        x_qop_width=of("correlation", "x_qop_width"),
        anisotropy=of("anisotropy"),
        position_width=data["position_log_width"]["value"],
        hits_in_momentum=data["hits_in_momentum"]["value"],
    )


def fluctuations(draws: Draws, event_id: NDArray[np.int64], track_id: NDArray[np.int64]) -> RowDraws:
    """The draws behind what makes one track better measured than another of the same momentum."""
    return draws.stage("track_state").rows(event_id, track_id)


def hits_fluctuation(rows: RowDraws) -> Floats:
    """Standard normal, shape (n,): above zero for tracks with more hits than usual."""
    return rows.normal(_HITS)


@dataclass(frozen=True)
class StateUncertainty:
    """Covariance of (x, y, tx, ty, q/p) at a plane of fixed z, as factors that cannot fail.

    With independent standard normals u1, u2, v1, v2, w, and r(rho) short for sqrt(1 - rho^2):

        x  = sigma_x  u1                            w1 = rho_xy u1 + r(rho_xy) v1
        tx = sigma_tx (rho_x u1 + r(rho_x) u2)      w2 = rho_xy u2 + r(rho_xy) v2
        y  = sigma_y  w1
        ty = sigma_ty (rho_y w1 + r(rho_y) w2)
        qop = sigma_qop (rho_qop u1 + r(rho_qop) w)

    Any correlations within (-1, 1) and positive widths give a positive definite matrix.

    Attributes
    ----------
    x, y : ndarray of float64, shape (n,)
        Standard deviations [mm].
    tx, ty : ndarray of float64, shape (n,)
        Standard deviations.
    qop : ndarray of float64, shape (n,)
        Standard deviation [1/MeV].
    rho_x, rho_y : ndarray of float64, shape (n,)
        Correlations of x with tx and of y with ty.
    rho_xy : ndarray of float64, shape (n,)
        Correlation of x with y.
    rho_qop : ndarray of float64, shape (n,)
        Correlation of x with q/p.
    """

    x: Floats
    y: Floats
    tx: Floats
    ty: Floats
    qop: Floats
    rho_x: Floats
    rho_y: Floats
    rho_xy: Floats
    rho_qop: Floats

    def residuals(self, normals: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Residuals of x, y, tx, ty, q/p, each of shape (n,), from standard normals of shape (5, n)."""
        u1, u2, v1, v2, w = normals
        r_xy = _complement(self.rho_xy)
        w1, w2 = self.rho_xy * u1 + r_xy * v1, self.rho_xy * u2 + r_xy * v2
        return (
            self.x * u1,
            self.y * w1,
            self.tx * (self.rho_x * u1 + _complement(self.rho_x) * u2),
            self.ty * (self.rho_y * w1 + _complement(self.rho_y) * w2),
            self.qop * (self.rho_qop * u1 + _complement(self.rho_qop) * w),
        )

    def covariance(self) -> dict[str, Floats]:
        """The 15 elements of the upper triangle by column name, each of shape (n,)."""
        x, y, tx, ty, q = self.x, self.y, self.tx, self.ty, self.qop
        cross = self.rho_xy
        slopes = self.rho_x * self.rho_y + _complement(self.rho_x) * _complement(self.rho_y)
        return {
            "cov_x_x": x * x,
            "cov_x_y": cross * x * y,
            "cov_x_tx": self.rho_x * x * tx,
            "cov_x_ty": cross * self.rho_y * x * ty,
            "cov_x_qop": self.rho_qop * x * q,
            "cov_y_y": y * y,
            "cov_y_tx": cross * self.rho_x * y * tx,
            "cov_y_ty": self.rho_y * y * ty,
            "cov_y_qop": cross * self.rho_qop * y * q,
            "cov_tx_tx": tx * tx,
            "cov_tx_ty": cross * slopes * tx * ty,
            "cov_tx_qop": self.rho_x * self.rho_qop * tx * q,
            "cov_ty_ty": ty * ty,
            "cov_ty_qop": cross * self.rho_y * self.rho_qop * ty * q,
            "cov_qop_qop": q * q,
        }


def state_uncertainty(
    track_type: NDArray[np.integer],
    p: Floats,
    pt: Floats,
    tx: Floats,
    ty: Floats,
    rows: RowDraws,
    polarity: Polarity,
) -> StateUncertainty:
    """How well each track is measured, from its true momentum and direction.

    Positions and slopes worsen with multiple scattering before the first hit: with 1/pT where that is in
    the VELO, at a fixed distance from the beam line, with 1/p where it is in TT, at a fixed z. Momenta
    worsen with p. See models/parametric/track_state.yaml for the formulas and their sources.

    Parameters
    ----------
    track_type : ndarray of int, shape (n,)
        `TrackType` of each track.
    p, pt : ndarray of float64, shape (n,)
        True momentum and its transverse part [MeV].
    tx, ty : ndarray of float64, shape (n,)
        True slopes.
    rows : RowDraws of length n
        From `fluctuations`.
    polarity : {"MagUp", "MagDown"}
        Polarity of the magnet, which decides the sign of the correlation of x with q/p.
    """
    model, kind = _model(), np.asarray(track_type) - TrackType.long
    worse = rows.normal(_POSITION)
    scale = np.exp(model.position_width * worse)
    along, across = _azimuth(tx, ty)
    skew = model.anisotropy[kind]
    in_x, in_y, in_xy = 1 + skew * along, 1 - skew * along, skew * across
    hardness = np.where(model.scatters_by_p[kind], p, pt) / _GEV
    position = scale * np.hypot(model.position[kind], model.scattering[kind] / hardness)
    slope = scale * np.hypot(model.slope[kind], model.slope_scattering[kind] * hardness ** model.slope_power[kind])
    spread = np.exp(-model.rho_width[kind] * worse)
    in_x, in_y, in_xy = np.sqrt(in_x), np.sqrt(in_y), in_xy / np.sqrt(in_x * in_y)
    return StateUncertainty(
        x=position * in_x,
        y=position * in_y * model.y_position[kind],
        tx=slope * in_x,
        ty=slope * in_y * model.y_slope[kind],
        qop=_momentum_uncertainty(p, kind, rows) / p,
        rho_x=-np.sqrt(1 - np.minimum(model.one_less_rho2_x[kind] * spread, 0.9)),
        rho_y=-np.sqrt(1 - np.minimum(model.one_less_rho2_y[kind] * spread, 0.9)),
        rho_xy=in_xy,
        rho_qop=_correlation_with_momentum(kind, rows, polarity),
    )


def _complement(rho: Floats) -> Floats:
    return np.sqrt(1 - rho * rho)


def _azimuth(tx: Floats, ty: Floats) -> tuple[Floats, Floats]:
    """Cosine and sine of twice the azimuth."""
    x2, y2 = tx * tx, ty * ty
    t2 = x2 + y2 + _SMALL
    return (x2 - y2) / t2, 2 * tx * ty / t2


def _momentum_uncertainty(p: Floats, kind: NDArray[np.integer], rows: RowDraws) -> Floats:
    """Relative uncertainty of q/p, larger for tracks with few hits."""
    model = _model()
    low, high = model.log_p_range
    log_p = np.clip(np.log(p / _PIVOT), low[kind], high[kind])
    a, b, c, d = model.momentum
    median = a[kind] + log_p * (b[kind] + log_p * (c[kind] + log_p * d[kind]))
    share = model.hits_in_momentum
    worse = np.sqrt(1 - share**2) * rows.normal(_MOMENTUM) - share * hits_fluctuation(rows)
    return np.asarray(np.exp(median + model.momentum_width[kind] * worse))


def _correlation_with_momentum(kind: NDArray[np.integer], rows: RowDraws, polarity: Polarity) -> Floats:
    """Correlation of x with q/p: tracks without a VELO segment are extrapolated through some field."""
    model = _model()
    rho = np.zeros(len(kind))
    some = np.flatnonzero(((model.x_qop != 0) | (model.x_qop_width != 0))[kind])
    of = kind[some]
    rho[some] = np.tanh(model.x_qop[of] + model.x_qop_width[of] * rows[some].normal(_CORRELATION))
    return rho if polarity == "MagUp" else -rho

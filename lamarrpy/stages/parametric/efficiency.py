"""Efficiency: which particles in acceptance are reconstructed, and as what type of track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial.polynomial import polyval, polyval2d
from numpy.typing import NDArray
from scipy.special import expit

from lamarrpy.constants import constants
from lamarrpy.draws import Draws
from lamarrpy.particles import Species, species
from lamarrpy.stages.reconstruction import PARTICLES_READ, TRACKS_MADE, with_tracks
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables import PARTICLES, EventBatch, Schema

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_GEV = 1e3
_LOG_PIVOT = np.log(1e4)
_ORIGIN = ("x", "y", "z", "tx", "ty")
_REACH = tuple(f"{what}_{plane}" for plane in ("mid_tt", "mid_t") for what in ("reaches", "x", "y"))


@dataclass(frozen=True)
class Efficiency:
    """Reconstruct particles as Long, Upstream or Downstream tracks, or not at all.

    Probabilities fall with the material crossed, decays in flight and low momentum, for muons,
    electrons, pions, kaons and protons each in its way (models/parametric/efficiency.yaml). What
    is geometry is decided particle by particle: a particle that enters too few VELO modules, as
    from a decay behind them, is Downstream or lost; one that the magnet sweeps past the T stations
    is Upstream or lost. Particles of other species leave no track.
    """

    @property
    def name(self) -> str:
        """The name of the stage."""
        return "efficiency"

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Particles in acceptance, their origin, true state and what they reach."""
        return {"particles": PARTICLES.only(*PARTICLES_READ.names, *_ORIGIN, *_REACH, "in_acceptance")}

    @property
    def writes(self) -> Mapping[str, Schema]:
        """One row for each reconstructed track, with its truth."""
        return {"tracks": TRACKS_MADE}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Make the tracks of a batch."""
        event_id, particle_id, pid = batch.arrays("particles", "event_id", "particle_id", "pid")
        candidates = np.flatnonzero(batch.array("particles", "in_acceptance"))
        kind = species(pid[candidates])
        candidates, kind = candidates[kind != Species.other], kind[kind != Species.other]
        track_type = self._draw_type(batch, candidates, kind, draws, event_id, particle_id)
        found = track_type > 0
        return with_tracks(batch, candidates[found], track_type[found])

    def _draw_type(
        self,
        batch: EventBatch,
        candidates: NDArray[np.intp],
        kind: NDArray[np.int64],
        draws: Draws,
        event_id: NDArray[np.int64],
        particle_id: NDArray[np.int64],
    ) -> NDArray[np.int32]:
        """`TrackType` of each candidate, 0 if it is not reconstructed."""
        p, eta, *origin = (batch.array("particles", c)[candidates] for c in ("p", "eta", *_ORIGIN))
        in_tt, x_tt, y_tt, in_t, x_t, y_t = (batch.array("particles", c)[candidates] for c in _REACH)
        in_tt = in_tt & inside_stations("tt", x_tt, y_tt) & (origin[2] < constants("efficiency")["tt"]["last_origin"])
        in_t = in_t & inside_stations("t_stations", x_t, y_t)
        probabilities = track_probabilities(kind, p, eta, velo_modules(*origin), in_tt, in_t)
        below = np.cumsum(probabilities, axis=0)
        u = draws.rows(event_id[candidates], particle_id[candidates]).uniform(0)
        return np.asarray(np.array([*TrackType, 0], np.int32)[(u >= below).sum(axis=0)])


def track_probabilities(
    kind: NDArray[np.int64], p: Floats, eta: Floats, modules: NDArray[np.int64], in_tt: Flags, in_t: Flags
) -> Floats:
    """Probabilities to be a Long, Upstream and Downstream track, shape (3, n).

    Parameters
    ----------
    kind : ndarray of int64, shape (n,)
        `Species`, one of the five that are tracked.
    p : ndarray of float64, shape (n,)
        Momentum [MeV].
    eta : ndarray of float64, shape (n,)
        Pseudorapidity.
    modules : ndarray of int64, shape (n,)
        VELO modules crossed.
    in_tt, in_t : ndarray of bool, shape (n,)
        Whether the particle crosses the TT and the T stations.
    """
    model = _model()
    fitted = _long_probability(kind, p, eta)
    lepton = (kind == Species.muon).astype(np.int64)
    log_p = _log_momentum(p)
    lost = np.exp(polyval(log_p, model.upstream.T[:, lepton], tensor=False))
    fitted_upstream = np.minimum(fitted * lost, 1 - fitted)
    in_velo = modules >= model.velo_at_least
    long = np.where(in_velo & in_t, fitted, 0.0)
    swept_out = model.swept_out * (fitted + fitted_upstream)
    upstream = np.where(in_velo & in_tt, np.where(in_t, fitted_upstream, swept_out), 0.0)
    missed = model.downstream_share[lepton] * (1 - fitted - fitted_upstream)
    without_velo = np.where(in_velo, np.minimum(missed, model.downstream_at_most), model.from_outside_velo * fitted)
    return np.stack([long, upstream, np.where(in_tt & in_t, without_velo, 0.0)])


def inside_stations(stations: str, x: Floats, y: Floats) -> Flags:
    """Whether points [mm] lie in the active area of some stations, shape (n,); NaN does not."""
    area = constants("efficiency")[stations]
    x, y = np.abs(x), np.abs(y)
    in_hole = (x < area["inner"][0]) & (y < area["inner"][1])
    return np.asarray((x < area["outer"][0]) & (y < area["outer"][1]) & ~in_hole)


def velo_modules(x: Floats, y: Floats, z: Floats, tx: Floats, ty: Floats) -> NDArray[np.int64]:
    """Number of VELO modules that a straight line from an origin [mm] crosses in their active area, shape (n,)."""
    velo = constants("efficiency")["velo"]
    inner, outer = velo["radius"]
    a, b, c = tx * tx + ty * ty, 2 * (x * tx + y * ty), x * x + y * y
    crossed = np.zeros(len(z), np.int64)
    for module in velo["modules"]:
        dz = module - z
        radius2 = (a * dz + b) * dz + c
        crossed += (dz > 0) & (radius2 > inner**2) & (radius2 < outer**2)
    return crossed


class _Model(NamedTuple):
    """Constants of efficiency.yaml as arrays; matrices of the powers of ln p and eta."""

    muon: Floats
    hadron: Floats
    electron: Floats
    upstream: Floats
    downstream_share: Floats
    downstream_at_most: float
    swept_out: float
    from_outside_velo: float
    velo_at_least: int
    p_range: tuple[float, float]
    eta_range: dict[str, tuple[float, float]]
    eta0: float


@cache
def _model() -> _Model:
    data = constants("efficiency")
    low, high = data["ranges"]["p"]
    classes = ("hadron", "muon")
    return _Model(
        **{kind: _matrix(terms) for kind, terms in data["long"].items()},
        upstream=np.array([data["upstream"][kind] for kind in classes]),
        downstream_share=np.array([data["downstream_share"][kind] for kind in classes]),
        downstream_at_most=data["downstream_share"]["at_most"],
        swept_out=data["swept_out"]["value"],
        from_outside_velo=data["from_outside_velo"]["value"],
        velo_at_least=data["velo"]["at_least"],
        p_range=(low * _GEV, high * _GEV),
        eta_range={kind: tuple(ends) for kind, ends in data["ranges"]["eta"].items()},
        eta0=data["ranges"]["eta0"],
    )


def _matrix(terms: list[list[float]]) -> Floats:
    powers = np.array([term[:2] for term in terms], int)
    matrix = np.zeros(powers.max(axis=0) + 1)
    matrix[tuple(powers.T)] = [term[2] for term in terms]
    return matrix


def _log_momentum(p: Floats) -> Floats:
    return np.asarray(np.log(np.clip(p, *_model().p_range)) - _LOG_PIVOT)


def _long_probability(kind: NDArray[np.int64], p: Floats, eta: Floats) -> Floats:
    """Probability of a Long track where geometry allows one, shape (n,)."""
    model, log_p = _model(), _log_momentum(p)
    out = np.empty(len(p))

    def polynomial(of: str, rows: NDArray[np.intp]) -> Floats:
        h = np.clip(eta[rows], *model.eta_range[of]) - model.eta0
        return np.asarray(polyval2d(log_p[rows], h, getattr(model, of)))

    muons, electrons = (np.flatnonzero(kind == s) for s in (Species.muon, Species.electron))
    hadrons = np.flatnonzero(kind > Species.muon)
    out[muons] = expit(polynomial("muon", muons))
    out[electrons] = expit(polynomial("hadron", electrons) + polynomial("electron", electrons))
    out[hadrons] = expit(polynomial("hadron", hadrons)) * _survival(kind[hadrons], p[hadrons], eta[hadrons])
    return out


def _survival(kind: NDArray[np.int64], p: Floats, eta: Floats) -> Floats:
    """What nuclear interactions and decays in flight leave, relative to the average stable hadron, shape (n,)."""
    data = constants("efficiency")
    hadrons = data["species"]
    excess, decay = np.empty(len(p)), np.zeros(len(p))
    for name in ("pion", "kaon", "proton"):
        rows = kind == Species[name]
        excess[rows] = hadrons["cross_section"][name] - 1
        if name in hadrons["decay_length"]:
            decay[rows] = hadrons["decay_path"]["value"] / hadrons["decay_length"][name]
    tau = np.interp(eta, data["interaction"]["eta"], data["interaction"]["tau"])
    return np.asarray(np.exp(-excess * tau - decay * _GEV / p))

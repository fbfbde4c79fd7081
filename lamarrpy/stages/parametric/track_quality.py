"""How good the fit of a track is: chi2 per degree of freedom, degrees of freedom, ghost probability."""

from __future__ import annotations

from functools import cache
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.constants import constants
from lamarrpy.draws import RowDraws
from lamarrpy.particles import Species
from lamarrpy.stages.track_type import TrackType

Floats = NDArray[np.float64]

_CLASSES = ("long_hadron", "long_muon", "long_electron", "upstream", "downstream")
_LOG_PIVOT = np.log(1e4)


class _Model(NamedTuple):
    """Constants of track_quality.yaml, the first axis running over _CLASSES."""

    chi2: Floats
    slope: float
    below: float
    normal: Floats
    ndof: Floats
    log_ghost: Floats
    correlation: float


@cache
def _model() -> _Model:
    data = constants("track_quality")

    def of(key: str) -> Floats:
        return np.array([data[key][name] for name in _CLASSES], float)

    return _Model(
        chi2=of("chi2_per_dof"),
        slope=data["chi2_per_dof"]["slope"],
        below=data["chi2_per_dof"]["below"],
        normal=np.array(data["normal"]),
        ndof=of("ndof"),
        log_ghost=np.log(of("ghost_prob")),
        correlation=data["ghost_chi2_correlation"]["value"],
    )


def quality_class(track_type: NDArray[np.integer], true_pid: NDArray[np.integer]) -> NDArray[np.int64]:
    """Position in _CLASSES of each track, shape (n,): by type, Long tracks also by species."""
    size = np.abs(true_pid)
    quality = np.where(size == Species.muon, 1, np.where(size == Species.electron, 2, 0))
    quality[track_type == TrackType.upstream] = 3
    quality[track_type == TrackType.downstream] = 4
    return quality


def draw_chi2_per_dof(
    quality: NDArray[np.int64], p: Floats, rows: RowDraws, first: int, again: int
) -> tuple[Floats, Floats]:
    """Track fit chi2 over its degrees of freedom, and the standard normal behind it, both of shape (n,).

    LHCb keeps no track above a cut, so chi2 is that of the tracks below it: one above is drawn again.

    Parameters
    ----------
    quality : ndarray of int64, shape (n,)
        From `quality_class`.
    p : ndarray of float64, shape (n,)
        Momentum [MeV].
    rows : RowDraws of length n
        The draws of the tracks.
    first, again : int
        Number of the first draw, and from which on there are others to take.
    """
    normal = rows.normal(first)
    chi2 = _chi2_per_dof(quality, p, normal)
    for draw in count(again):
        rejected = np.flatnonzero(chi2 >= _model().below)
        if not len(rejected):
            break
        normal[rejected] = rows[rejected].normal(draw)
        chi2[rejected] = _chi2_per_dof(quality[rejected], p[rejected], normal[rejected])
    return chi2, normal


def _chi2_per_dof(quality: NDArray[np.int64], p: Floats, normal: Floats) -> Floats:
    """The logarithm is a rising cubic of the normal, fitted to quantiles, plus a slope in ln p [MeV]."""
    model = _model()
    a, b, c, d = model.chi2.T
    cubic = a[quality] + normal * (b[quality] + normal * (c[quality] + normal * d[quality]))
    return np.asarray(np.exp(cubic + model.slope * (np.log(p) - _LOG_PIVOT)))


def degrees_of_freedom(quality: NDArray[np.int64], normal: Floats) -> NDArray[np.int32]:
    """Degrees of freedom of the track fit, shape (n,), a whole number, rising with the normal."""
    return np.rint(_quantile(quality, normal, _model().ndof)).astype(np.int32)


def ghost_probability(quality: NDArray[np.int64], chi2_normal: Floats, normal: Floats) -> Floats:
    """Ghost probability in [0, 1], shape (n,), larger for the worse chi2."""
    model = _model()
    share = model.correlation
    both = share * chi2_normal + np.sqrt(1 - share**2) * normal
    return np.exp(_quantile(quality, both, model.log_ghost))


def _quantile(quality: NDArray[np.int64], normal: Floats, table: Floats) -> Floats:
    """Quantiles of each class at a standard normal, linear between those given."""
    out = np.empty(len(normal))
    for at, row in enumerate(table):
        rows = np.flatnonzero(quality == at)
        out[rows] = np.interp(normal[rows], _model().normal, row)
    return out

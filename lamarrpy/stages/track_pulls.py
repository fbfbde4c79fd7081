"""Residuals of a reconstructed state in units of its own covariance.

With F of `lamarrpy.stages.track_factor` the residuals of slope along, slope across, position along, position across
and q/p are F times five pulls, which are independent standard normal numbers where the covariance is right. Positions
are those at the z of the true state, where the reconstructed line is followed back to.

Pulls are told as inverse hyperbolic sines, in units of what is usual where the covariance does not know what happened:
electrons have lost some momentum to bremsstrahlung, particles from the beam line without hits in the VELO have been
scattered far. That of q/p is counted towards less momentum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.particles import Species
from lamarrpy.propagation import BeamLine, State, closest_to_beam
from lamarrpy.stages.reconstructed_state import no_straighter_than_beam
from lamarrpy.stages.track_factor import Rows
from lamarrpy.stages.track_frame import frame
from lamarrpy.stages.track_type import TrackType

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

PULLS = ("pull_slope_along", "pull_slope_across", "pull_position_along", "pull_position_across", "pull_momentum")

_RADIATED = 0.1
"""Of q/p of electrons, relative; this and the next two are units, as those of `lamarrpy.stages.track_factor`."""

_SCATTERED = (10.0, 10.0, 6.0, 6.0, 4.0)
"""By how much the pulls of Downstream tracks are wider that do not come from decays behind the VELO."""

_BEHIND = 60.0
"""Way [mm] along z of which a decay is one behind the beam line."""


def pulls_of(columns: Columns, factor: Rows) -> dict[str, Floats]:
    """The pulls of reconstructed states.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        The true state and the reconstructed one, ``track_type``, ``true_pid`` and ``origin_z`` of the particle.
    factor : list of list of ndarray, shape (n,)
        Rows of the factor of the covariance.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        `PULLS`.
    """
    cos, sin = frame(columns)
    back = columns["true_z"] - columns["z"]
    x = columns["x"] + columns["tx"] * back - columns["true_x"]
    y = columns["y"] + columns["ty"] * back - columns["true_y"]
    tx, ty = columns["tx"] - columns["true_tx"], columns["ty"] - columns["true_ty"]
    relative = columns["qop"] / np.abs(columns["true_qop"]) - np.sign(columns["true_qop"])
    residuals = (cos * tx + sin * ty, cos * ty - sin * tx, cos * x + sin * y, cos * y - sin * x, relative)
    pulls: list[Floats] = []
    for residual, row in zip(residuals, factor, strict=True):
        rest = residual
        for value, pull in zip(row, pulls, strict=False):
            rest = rest - value * pull
        pulls.append(rest / row[-1])
    pulls[-1] = pulls[-1] * np.sign(columns["true_qop"])
    units = _units(columns, factor)
    return {name: np.arcsinh(pull / unit) for name, pull, unit in zip(PULLS, pulls, units, strict=True)}


def state_from(said: Columns, columns: Columns, factor: Rows) -> dict[str, Floats]:
    """The reconstructed state of which these are the pulls: the inverse of `pulls_of`.

    Parameters
    ----------
    said : mapping of str to ndarray, shape (n,)
        `PULLS`.
    columns : mapping of str to ndarray, shape (n,)
        The true state, ``track_type``, ``true_pid``, ``origin_z``, and the beam line, ``beam_x`` and ``beam_y`` [mm].
    factor : list of list of ndarray, shape (n,)
        Rows of the factor of the covariance.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        ``x, y, z`` [mm], ``tx``, ``ty`` and ``qop`` [1/MeV], no straighter than of beam momentum, where the
        reconstructed line is closest to the beam line.
    """
    units = _units(columns, factor)
    pulls = [unit * np.sinh(said[name]) for name, unit in zip(PULLS, units, strict=True)]
    sign, (cos, sin) = np.sign(columns["true_qop"]), frame(columns)
    pulls[-1] = pulls[-1] * sign
    residuals = []
    for row in factor:
        residual = row[0] * pulls[0]
        for value, pull in zip(row[1:], pulls[1:], strict=False):
            residual = residual + value * pull
        residuals.append(residual)
    along, across, at_along, at_across, relative = residuals
    state = State(
        columns["true_x"] + cos * at_along - sin * at_across,
        columns["true_y"] + sin * at_along + cos * at_across,
        columns["true_z"],
        columns["true_tx"] + cos * along - sin * across,
        columns["true_ty"] + sin * along + cos * across,
        no_straighter_than_beam((sign + relative) * np.abs(columns["true_qop"])),
    )
    return closest_to_beam(state, BeamLine(columns["beam_x"], columns["beam_y"]))._asdict()


def _units(columns: Columns, factor: Rows) -> list[Floats]:
    """What the pulls are told in units of."""
    flight = (columns["origin_z"] - columns["true_z"]) / _BEHIND
    prompt = np.where(columns["track_type"] == TrackType.downstream, np.exp(-flight * flight), 0.0)
    units = [1 + (wider - 1) * prompt for wider in _SCATTERED]
    electron = np.abs(columns["true_pid"]) == Species.electron
    units[-1] = np.where(electron, np.hypot(1, _RADIATED / factor[-1][-1]), units[-1])
    return units

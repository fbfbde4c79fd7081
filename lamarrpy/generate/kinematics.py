"""Momenta of primary particles from spectra of p or pT, eta and phi."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lamarrpy.draws import RowDraws
from lamarrpy.errors import ConfigError
from lamarrpy.generate.spectra import Spectrum, Uniform
from lamarrpy.strict import Strict

Array = NDArray[np.float64]

_MOST_ATTEMPTS = 1000
"""A window that keeps so little of the spectra that this many draws of a row miss it is a mistake."""


class Momenta(NamedTuple):
    """Cartesian momenta [MeV], each shape (n,)."""

    px: Array
    py: Array
    pz: Array


class Window(Strict):
    """Between which values a particle is kept; it is drawn again until it is."""

    p: tuple[float, float] | None = Field(None, description="momentum [MeV]")
    pt: tuple[float, float] | None = Field(None, description="transverse momentum [MeV]")
    eta: tuple[float, float] | None = Field(None, description="pseudorapidity")

    def contains(self, p: Array, pt: Array, eta: Array) -> NDArray[np.bool_]:
        """Whether each particle is inside, shape (n,)."""
        inside = np.ones(len(p), bool)
        for values, limits in ((p, self.p), (pt, self.pt), (eta, self.eta)):
            if limits is not None:
                inside &= (values >= limits[0]) & (values <= limits[1])
        return inside


class Kinematics(Strict):
    """How the momenta of primary particles are distributed: the keys that the guns share."""

    p: Spectrum | None = Field(None, description="momentum [MeV]; either this or pt")
    pt: Spectrum | None = Field(None, description="transverse momentum [MeV]; either this or p")
    eta: Spectrum | None = Field(None, description="pseudorapidity")
    phi: Spectrum = Field(Uniform(kind="uniform", low=-np.pi, high=np.pi), description="azimuth [rad]")
    window: Window = Field(Window(), description="kept particles; the others are drawn again")

    @model_validator(mode="after")
    def _check_one_momentum(self) -> Self:
        if self.p is not None and self.pt is not None:
            raise ValueError("expected a spectrum of either p or pt, got both")
        return self


def draw_momenta(spectra: Kinematics, streams: RowDraws, first: int) -> Momenta:
    """Draw momenta from the spectra, again where they fall outside of the window.

    Parameters
    ----------
    spectra : Kinematics
        With eta, and p or pt.
    streams : RowDraws
        n streams, one a particle; attempt k of a row takes the draws ``first + 3 k`` and the two
        after it, so ``first`` and all above it must be free.

    Returns
    -------
    Momenta
        In MeV, each shape (n,).

    Raises
    ------
    ConfigError
        If 1000 attempts do not bring some particle into the window.
    """
    momenta = np.empty((3, len(streams)))
    pending = np.arange(len(streams))
    for attempt in range(_MOST_ATTEMPTS):
        if not len(pending):
            return Momenta(*momenta)
        found, inside = _attempt(spectra, streams if attempt == 0 else streams[pending], first + 3 * attempt)
        momenta[:, pending] = found
        pending = pending[~inside]
    raise ConfigError(
        f"window: expected a share of the spectra that can be hit, but {_MOST_ATTEMPTS} attempts missed it;"
        " widen the window or change the spectra"
    )


def _attempt(spectra: Kinematics, streams: RowDraws, first: int) -> tuple[Momenta, NDArray[np.bool_]]:
    of_size = spectra.p if spectra.p is not None else spectra.pt
    if of_size is None or spectra.eta is None:
        raise ConfigError("expected spectra of eta and of p or pt")
    size = of_size.quantile(streams.uniform(first))
    eta = spectra.eta.quantile(streams.uniform(first + 1))
    phi = spectra.phi.quantile(streams.uniform(first + 2))
    cosh = np.cosh(eta)
    pt = size / cosh if spectra.p is not None else size
    inside = spectra.window.contains(pt * cosh, pt, eta)
    return Momenta(pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)), inside

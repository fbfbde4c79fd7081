"""Spectra to draw from: each is a quantile function, so that one uniform number gives one value."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BeforeValidator, Field, model_validator
from scipy.special import ndtri

from lamarrpy.constants import constants
from lamarrpy.strict import Strict

Flavour = Literal["b", "c"]
Array = NDArray[np.float64]


class Constant(Strict):
    """Always the same value; in a recipe the bare number will do."""

    kind: Literal["constant"] = "constant"
    value: float

    def quantile(self, u: Array) -> Array:
        """The value, shape of ``u``."""
        return np.full_like(u, self.value)


class _Between(Strict):
    low: float
    high: float

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"expected low < high, got {self.low:g} and {self.high:g}")
        return self


class Uniform(_Between):
    """Flat between two values."""

    kind: Literal["uniform"]

    def quantile(self, u: Array) -> Array:
        """The value below which a share ``u`` of the spectrum lies."""
        return self.low + u * (self.high - self.low)


class LogUniform(_Between):
    """Flat in the logarithm between two positive values."""

    kind: Literal["log_uniform"]
    low: float = Field(gt=0)

    def quantile(self, u: Array) -> Array:
        """The value below which a share ``u`` of the spectrum lies."""
        factor: Array = np.exp(u * np.log(self.high / self.low))
        return self.low * factor


class Gaussian(Strict):
    """A normal distribution."""

    kind: Literal["gaussian"]
    mean: float
    sigma: float = Field(gt=0)

    def quantile(self, u: Array) -> Array:
        """The value below which a share ``u`` of the spectrum lies."""
        normal: Array = ndtri(u)
        return self.mean + self.sigma * normal


class Exponential(Strict):
    """An exponential fall above ``low``, by ``mean`` more on average."""

    kind: Literal["exponential"]
    mean: float = Field(gt=0)
    low: float = 0.0

    def quantile(self, u: Array) -> Array:
        """The value below which a share ``u`` of the spectrum lies."""
        return self.low - self.mean * np.log1p(-u)


class Quantiles(Strict):
    """Values below which the given shares of the spectrum lie, joined by straight lines."""

    kind: Literal["quantiles"]
    shares: tuple[float, ...] = Field(min_length=2, description="from 0 to 1")
    values: tuple[float, ...]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if len(self.shares) != len(self.values):
            raise ValueError(f"expected as many values as shares, got {len(self.values)} and {len(self.shares)}")
        if self.shares[0] != 0 or self.shares[-1] != 1 or not (np.diff(self.shares) > 0).all():
            raise ValueError(f"expected shares that rise from 0 to 1, got {list(self.shares)}")
        if not (np.diff(self.values) >= 0).all():
            raise ValueError(f"expected values that do not fall, got {list(self.values)}")
        return self

    def quantile(self, u: Array) -> Array:
        """The value below which a share ``u`` of the spectrum lies."""
        return np.interp(u, self.shares, self.values)


class FonllPt(Strict):
    """Transverse momentum [MeV] of b or c hadrons in pp collisions at 13 TeV, as FONLL has it.

    A Singh-Maddala distribution: F(pT) = 1 - (1 + (pT / scale)^shape)^-tail. Its three numbers
    are in ``models/parametric/spectra.yaml``, with how well they fit.
    """

    kind: Literal["fonll_pt"]
    flavour: Flavour

    def quantile(self, u: Array) -> Array:
        """The value [MeV] below which a share ``u`` of the hadrons lies."""
        c = _coefficients("pt", self.flavour)
        odds = np.expm1(-np.log1p(-u) / c["tail"])
        return c["scale"] * odds ** (1 / c["shape"])


class FonllEta(_Between):
    """Pseudorapidity of b or c hadrons in pp collisions at 13 TeV, as FONLL has it.

    |eta| = a1 v + a2 v^2 + a3 v^3 - a4 log(1 - v) where v is the share of hadrons closer to
    eta = 0. The four numbers are in ``models/parametric/spectra.yaml``, with how well they fit.
    """

    kind: Literal["fonll_eta"]
    flavour: Flavour
    low: float = 2.0
    high: float = 5.0

    def quantile(self, u: Array) -> Array:
        """The value below which a share ``u`` of the hadrons between low and high lies."""
        bottom, top = (_share_below(eta, self.flavour) for eta in (self.low, self.high))
        v = 2 * (bottom + u * (top - bottom)) - 1
        return np.copysign(_central_eta(np.abs(v), self.flavour), v)


def _coefficients(variable: Literal["pt", "eta"], flavour: Flavour) -> dict[str, float]:
    coefficients: dict[str, float] = constants("spectra")[variable][flavour]["coefficients"]
    return coefficients


def _central_eta(v: ArrayLike, flavour: Flavour) -> Array:
    c, v = _coefficients("eta", flavour), np.asarray(v)
    eta: Array = v * (c["a1"] + v * (c["a2"] + v * c["a3"])) - c["a4"] * np.log1p(-v)
    return eta


@cache
def _share_below(eta: float, flavour: Flavour) -> float:
    from scipy.optimize import brentq

    almost_all = 1 - 1e-15
    if abs(eta) >= float(_central_eta(almost_all, flavour)):
        return 0.5 + 0.5 * float(np.sign(eta))
    v = float(brentq(lambda v: float(_central_eta(v, flavour)) - abs(eta), 0.0, almost_all, xtol=1e-15))
    return 0.5 + 0.5 * float(np.sign(eta)) * v


def _number_is_constant(content: Any) -> Any:
    is_number = isinstance(content, int | float) and not isinstance(content, bool)
    return {"kind": "constant", "value": content} if is_number else content


SPECTRA = ("constant", "uniform", "log_uniform", "gaussian", "exponential", "quantiles", "fonll_pt", "fonll_eta")
"""Every ``kind`` of spectrum."""

Spectrum = Annotated[
    Annotated[
        Constant | Uniform | LogUniform | Gaussian | Exponential | Quantiles | FonllPt | FonllEta,
        Field(discriminator="kind"),
    ],
    BeforeValidator(_number_is_constant),
]
"""Any of the spectra, or a bare number for one value."""

"""A column as a standard normal, by its empirical distribution: point masses stay exact, tails stay invertible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.parameterization.transforms.empirical import Masses, knots_of, normal
from lamarrpy.parameterization.transforms.knots import EDGE, Knots, from_normal, to_normal
from lamarrpy.parameterization.transforms.piecewise import Lines
from lamarrpy.parameterization.transforms.stored import Stored
from lamarrpy.parameterization.transforms.transform import Floats, Transform, positions, sample

_LOWEST_RANK, _HIGHEST_RANK = 2.0**-60, 1.0 - 2.0**-53


@dataclass(frozen=True, eq=False, repr=False)
class QuantileToNormal(Transform):
    """Map a column to z = Phi^-1(its cumulative distribution), and back.

    Between knots the map is linear, and so it goes on beyond them, with the slope of the outer 5 % of
    the distribution. A value of finite probability, a mass, has a range of z of its own: `forward`
    puts it into the middle of its ranks, or where ``within`` says, and `inverse` gives exactly the
    mass for the whole range, which has no end if the mass is the lowest or highest value.

    In float64 the round trip is exact to 1e-6, mostly 1e-12, of |x| or of the distance between the
    knots around x, whichever is larger. A z that goes through float32 moves by 6e-8 |z| at most, and x
    by as much times dx/dz: 1e-6 of |x| or of the standard deviation for a normal column, and 4e-5 of
    it in the far tail of a Cauchy distribution. A mass keeps its place in float32 if its range is
    wider than 1.2e-7 |z|, that is, from a share of 1e-7 of the weight on.

    `forward` puts a value that lies where nothing was seen between the positions of its neighbours:
    below the lowest or above the highest mass, if that is at the edge, it counts as that mass, and
    between two masses with nothing between them it gets their common end.

    Parameters
    ----------
    knots : Knots
        The quantile function.
    low, high : float, optional
        Bounds that no value is beyond.
    clip : bool
        Whether `inverse` gives nothing outside what was seen in training: neither beyond the lowest
        and highest value, nor between a mass and the values next to it.
    """

    knots: Knots
    low: float | None = None
    high: float | None = None
    clip: bool = False
    _to_z: Lines = field(init=False)
    _to_x: Lines = field(init=False)
    _mass_z: Floats = field(init=False)
    _mass_middle: Floats = field(init=False)
    kind: ClassVar[str] = "quantile"

    def __post_init__(self) -> None:
        tables = {
            "_to_z": to_normal(self.knots),
            "_to_x": from_normal(self.knots, self.clip),
            "_mass_z": self.knots.mass_ranges,
        }
        for name, table in tables.items():
            object.__setattr__(self, name, table)
        object.__setattr__(self, "_mass_middle", self._inside(np.arange(len(self.masses)), 0.5))

    @property
    def width_in(self) -> int:
        """One column goes in."""
        return 1

    @property
    def width_out(self) -> int:
        """One comes out."""
        return 1

    @property
    def has_masses(self) -> bool:
        """There are ranges of ranks to place values in, even if no value happens to be a mass."""
        return True

    @property
    def masses(self) -> Floats:
        """Values of finite probability, rising, shape (m,)."""
        return self.knots.masses

    @property
    def mass_ranges(self) -> Floats:
        """Where each of them is on the axis of z, [low, high), shape (m, 2); infinite at the edges."""
        ranges = self._mass_z.copy()
        ranges[ranges == -EDGE] = -np.inf
        ranges[ranges == EDGE] = np.inf
        return ranges

    @classmethod
    def fit(
        cls,
        values: ArrayLike,
        weights: ArrayLike | None = None,
        masses: Masses = "auto",
        low: float | None = None,
        high: float | None = None,
        knots: int = 1000,
        clip: bool = False,
    ) -> Self:
        """Take the distribution of a weighted sample.

        Parameters
        ----------
        values : array_like, shape (n, 1) or (n,)
            Finite.
        weights : array_like, shape (n,), optional
            How often each row counts; rows of weight 0 do not.
        masses : "auto", "all" or sequence of float
            Values of finite probability: those that hold at least 1 % of the weight in two rows or
            more; every value (integers); or these, as far as they occur.
        low, high : float, optional
            Bounds that `inverse` never leaves.
        knots : int
            About as many, spaced evenly in z.
        clip : bool
            Whether `inverse` stays within what was seen (targets should).

        Raises
        ------
        DomainError
            If a value is not finite or beyond the bounds, a weight is negative, or nothing counts.
        ConfigError
            If the bounds cross, or masses or knots cannot be understood.
        """
        rows, share = sample(values, weights, 1)
        if low is not None and high is not None and not low <= high:
            raise ConfigError(f"expected bounds with low <= high, got low {low}, high {high}")
        _check_bounds(rows[:, 0], low, high, "training values")
        found = knots_of(rows[:, 0], share, masses, knots)
        return cls(found, None if low is None else float(low), None if high is None else float(high), bool(clip))

    def ranks(self, values: ArrayLike, within: ArrayLike | None = None) -> Floats:
        """The cumulative distribution at each value, shape (n, 1), in (0, 1); masses as in `forward`."""
        rank: Floats = ndtr(self.forward(values, within))
        return np.clip(rank, _LOWEST_RANK, _HIGHEST_RANK, out=rank)

    def from_ranks(self, ranks: ArrayLike) -> Floats:
        """The quantile of each rank of shape (n,) or (n, 1), shape (n, 1).

        Raises
        ------
        DomainError
            If a rank is not in (0, 1).
        """
        return self.inverse(ndtri(positions(ranks, np.size(ranks), "ranks")))

    def as_json(self) -> dict[str, Any]:
        """Knots, masses, slopes beyond the knots, bounds, and whether to clip."""
        knots = {name: array.tolist() for name, array in self.knots._asdict().items()}
        return {"kind": self.kind, **knots, "low": self.low, "high": self.high, "clip": self.clip}

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        knots, low, high = Knots.of_json(stored), stored.bound("low"), stored.bound("high")
        if (low is not None and low > knots.x[0]) or (high is not None and high < knots.x[-1]):
            raise stored.wrong("low", "bounds outside of all knots", [low, high])
        return cls(knots, low, high, stored.flag("clip"))

    def _forward(self, values: Floats) -> Floats:
        return self._placed(values[:, 0], None)

    def _forward_within(self, values: Floats, within: Floats) -> Floats:
        return self._placed(values[:, 0], within)

    def _placed(self, x: Floats, within: Floats | None) -> Floats:
        _check_bounds(x, self.low, self.high, "values")
        # Beyond a mass at the edge there is only the mass.
        lowest, highest = np.where(self.knots.slopes == 0.0, self.knots.x[[0, -1]], [-np.inf, np.inf])
        x = np.clip(x, lowest, highest)
        z = self._to_z(x)
        if not len(self.masses):
            return z[:, None]
        mass = self.masses.searchsorted(x)
        rows = np.flatnonzero(self.masses.take(mass, mode="clip") == x)
        of_rows = mass[rows]
        z[rows] = self._mass_middle[of_rows] if within is None else self._inside(of_rows, within[rows])
        return z[:, None]

    def _inside(self, mass: NDArray[np.intp], within: Floats | float) -> Floats:
        """Positions on the axis of z inside the ranges of masses."""
        ranges = self._mass_z[mass]
        below, above = ndtr(ranges), ndtr(-ranges)
        rank = below[:, 0] + within * (below[:, 1] - below[:, 0])
        z = normal(rank, above[:, 0] - within * (above[:, 0] - above[:, 1]))
        return np.clip(z, ranges[:, 0], np.nextafter(ranges[:, 1], -np.inf))

    def _inverse(self, values: Floats) -> Floats:
        x = self._to_x(np.ascontiguousarray(values[:, 0]))
        if self.low is not None or self.high is not None:
            np.clip(x, self.low, self.high, out=x)
        return x[:, None]


def _check_bounds(x: Floats, low: float | None, high: float | None, what: str) -> None:
    least, most = -np.inf if low is None else low, np.inf if high is None else high
    if low is None and high is None:
        return
    beyond = np.flatnonzero((x < least) | (x > most))
    if len(beyond):
        raise DomainError(
            f"expected {what} in [{least:g}, {most:g}], got {len(beyond)} others, the first {float(x[beyond[0]])}"
            f" in row {beyond[0]}; choose other bounds, or leave such rows out"
        )

"""Gauss-Legendre nodes along a track, and the matrices that integrate from its start to each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Collocation:
    """The nodes t of a Gauss-Legendre rule in (-1, 1), the place of each along a track, and integrals up to them.

    A function known at the nodes is the polynomial through them, and its integral from -1 to each node is a
    matrix product; up to the end, it is exact for polynomials of degree 2 nodes - 1 (E. Hairer, S. P. Norsett,
    G. Wanner, Solving Ordinary Differential Equations I, section II.7).

    The nodes lie equidistant in t for z itself as the variable, or crowd about the middle of the magnet, if z =
    centre + width sinh(s) with s linear in t: the field's profile has poles beside the axis, and a map that
    spreads out what lies close to them makes the polynomial short.

    Parameters
    ----------
    nodes : int
        How many.
    centre, width : float or None, mm
        Of the map; None for z itself.

    Raises
    ------
    ConfigError
        If there are no nodes, or one of centre and width is given alone, or the width is not positive.
    """

    nodes: int
    centre: float | None = None
    width: float | None = None

    def __post_init__(self) -> None:
        if self.nodes < 1:
            raise ConfigError(f"expected at least one node, got {self.nodes}")
        if (self.centre is None) != (self.width is None) or (self.width is not None and self.width <= 0.0):
            raise ConfigError(
                f"expected centre and width together, the width above zero, got {self.centre} and {self.width}"
            )

    @property
    def rule(self) -> tuple[Array, Array]:
        """Nodes t and weights, each shape (nodes,)."""
        t, weights = np.polynomial.legendre.leggauss(self.nodes)
        return t, weights

    @property
    def to_nodes(self) -> Array:
        """Matrix M, shape (nodes, nodes): values f at the nodes times M are the integrals of f dt from -1 to each."""
        return self.integrals_to(self.rule[0])

    def between(self, start: float, end: float) -> tuple[Array, Array]:
        """z [mm] of the nodes of a way, and dz/dt [mm] there, each shape (nodes,)."""
        t, _ = self.rule
        if self.centre is None or self.width is None:
            half = 0.5 * (end - start)
            return start + half * (t + 1.0), np.full(self.nodes, half)
        first, last = (np.arcsinh((z - self.centre) / self.width) for z in (start, end))
        half = 0.5 * (last - first)
        s = first + half * (t + 1.0)
        return self.centre + self.width * np.sinh(s), half * self.width * np.cosh(s)

    def integrals_to(self, t: Array) -> Array:
        """Integrals from -1 to some t of the polynomials that are 1 at one node and 0 at the others.

        Parameters
        ----------
        t : ndarray, shape (n,)

        Returns
        -------
        ndarray, shape (nodes, n)
        """
        return self.integrals @ np.polynomial.legendre.legvander(t, self.nodes).T

    @property
    def integrals(self) -> Array:
        """The same as series of Legendre polynomials, shape (nodes, nodes + 1)."""
        legendre = np.polynomial.legendre
        to_series = np.linalg.inv(legendre.legvander(self.rule[0], self.nodes - 1))
        return np.array([legendre.legint(series, lbnd=-1.0) for series in to_series.T])

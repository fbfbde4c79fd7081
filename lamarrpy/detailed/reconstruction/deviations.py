"""Deviations from reference trajectories: how tracks around them move, and what disturbs them.

Around a reference everything is linear. The parameters of a track are its deviations (dx, dy, du, dv, dq) at
the reference's own start, u and v being the direction cosines px/p and py/p and q the charge over momentum.
In these the way from plane to plane does nothing: a deviation of the start moves the track at z by

    x: dx + A du + B dv + C dq,   u: du + U dq,      A = int d(tx)/du, B = int d(tx)/dv, C = int (A' U + B' V),
    y: dy + B du + D dv + E dq,   v: dv + V dq,      D = int d(ty)/dv, E = int (B' U + D' V),

with U = int du/dz / q and V = int dv/dz / q, all integrated along the reference from its start to z. The
field is taken to be the same on both tracks. A deflection at z is a change of the parameters, too: the one
that gives the same track behind it. So noise is added where the filter passes the material.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.reconstruction.pages import NOISE_TERMS
from lamarrpy.detailed.transport.nodes import Track
from lamarrpy.propagation import State
from lamarrpy.propagation.state import direction

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass
class Tracks:
    """n references under way, and the deviations around them, each array of shape (n,).

    Attributes
    ----------
    track : x, y [mm], u, v
        Where they are.
    q, p : ndarray, 1/MeV and MeV
        Charge over momentum, and momentum.
    start_p : ndarray, MeV
        Momentum at the start.
    seen, xi : ndarray
        Radiation lengths, and Landau's xi [MeV], of all material so far.
    a, b, c, d, e, up, vp : ndarray
        A, B, C, D, E, U and V of the module's text.
    noise : ndarray, shape (11, n)
        NOISE_TERMS since the last hit.
    passed : ndarray of int
        Hits passed.
    alive : ndarray of bool
        Whether it is still on its way.
    """

    track: Track
    q: Array
    p: Array
    start_p: Array
    seen: Array
    xi: Array
    a: Array
    b: Array
    c: Array
    d: Array
    e: Array
    up: Array
    vp: Array
    noise: Array
    passed: Rows
    alive: NDArray[np.bool_]

    @staticmethod
    def at(start: State) -> Tracks:
        """References at their starts."""
        n = len(start.x)
        track = (start.x.copy(), start.y.copy(), *direction(start.tx, start.ty))
        p = 1.0 / np.abs(start.qop)
        noise, passed, alive = np.zeros((len(NOISE_TERMS), n)), np.zeros(n, np.intp), np.ones(n, bool)
        seen, xi, a, b, c, d, e, up, vp = np.zeros((9, n))
        q = start.qop.copy()
        return Tracks(track, q, p, p.copy(), seen, xi, a, b, c, d, e, up, vp, noise, passed, alive)

    def integrate(self, here: slice, before: tuple[Array, ...], length: Array) -> None:
        """Add a step that some have made, from ``before``, to A ... V, by the rule of the trapezium."""
        u, v = self.track[2][here], self.track[3][here]
        xx, xy, yy = bearing(u, v)
        xx0, xy0, yy0 = bearing(before[2], before[3])
        half = 0.5 * length
        # q grows along the track as the momentum falls; dq is that of the start
        scale = (self.start_p[here] / self.p[here]) ** 2 / self.q[here]
        up, vp = self.up[here], self.vp[here]
        new_up, new_vp = up + scale * (u - before[2]), vp + scale * (v - before[3])
        self.c[here] += half * (xx0 * up + xy0 * vp + xx * new_up + xy * new_vp)
        self.e[here] += half * (xy0 * up + yy0 * vp + xy * new_up + yy * new_vp)
        self.a[here] += half * (xx0 + xx)
        self.b[here] += half * (xy0 + xy)
        self.d[here] += half * (yy0 + yy)
        self.up[here], self.vp[here] = new_up, new_vp

    def predict(self, rows: Rows, away: Array) -> tuple[Array, Array, tuple[Array, ...]]:
        """x and y of some references ``away`` [mm] behind where they are, and A, B, C, D, E there."""
        x, y, u, v = (column[rows] for column in self.track)
        w = np.sqrt(1.0 - u * u - v * v)
        xx, xy, yy = bearing(u, v)
        up, vp = self.up[rows], self.vp[rows]
        a, b, d = self.a[rows] + away * xx, self.b[rows] + away * xy, self.d[rows] + away * yy
        c = self.c[rows] + away * (xx * up + xy * vp)
        e = self.e[rows] + away * (xy * up + yy * vp)
        return x + away * u / w, y + away * v / w, (a, b, c, d, e)

    def scatter(self, rows: Rows, square: Array, lever: Array) -> None:
        """Add the noise of deflections of a mean square, ``lever`` [mm] before where some tracks are."""
        u, v = self.track[2][rows], self.track[3][rows]
        xx, xy, yy = bearing(u, v)
        a, b, d = self.a[rows] - lever * xx, self.b[rows] - lever * xy, self.d[rows] - lever * yy
        uu, uv, vv = square * (1.0 - u * u), -square * u * v, square * (1.0 - v * v)
        xu, xv = -(a * uu + b * uv), -(a * uv + b * vv)
        yu, yv = -(b * uu + d * uv), -(b * uv + d * vv)
        terms = (-(a * xu + b * xv), -(b * xu + d * xv), xu, xv, -(b * yu + d * yv), yu, yv, uu, uv, vv)
        for i, term in enumerate(terms):
            self.noise[i, rows] += term

    def straggle(self, rows: Rows, xi: Array, width: float, energy: Array) -> None:
        """Add the variance of q/p from the energy loss, ``width`` being the standard deviation in units of xi.

        Landau's law adds in xi, not in xi^2, from layer to layer.
        """
        before = self.xi[rows]
        self.xi[rows] = before + xi
        change = width * self.q[rows] * energy / self.start_p[rows] ** 2
        self.noise[-1, rows] += change * change * xi * (2.0 * before + xi)

    def lose(self, rows: Rows, energy: Array, lost: Array, mass: float) -> None:
        """Take energy [MeV] from some tracks, but leave them moving."""
        left = np.maximum(energy - lost, np.sqrt(2.0) * mass)
        p = self.p[rows]
        self.p[rows] = np.sqrt(left * left - mass * mass)
        self.q[rows] *= p / self.p[rows]

    def mind_the_lost(self, here: slice, largest_sine: float, hits: Rows) -> None:
        """Keep what curls where it is, so that its numbers stay numbers; it is marked if it still has hits to come."""
        x, y, u, v = (column[here] for column in self.track)
        lost = np.flatnonzero(~(u * u + v * v <= largest_sine**2))
        if len(lost):
            self.alive[here][lost] &= self.passed[here][lost] >= hits[here][lost]
            for column in (x, y, u, v):
                column[lost] = 0.0


def bearing(u: Array, v: Array) -> tuple[Array, Array, Array]:
    """d(tx)/du, d(tx)/dv = d(ty)/du and d(ty)/dv, each of shape (n,)."""
    w2 = 1.0 - u * u - v * v
    cube = 1.0 / (w2 * np.sqrt(w2))
    return (1.0 - v * v) * cube, u * v * cube, (1.0 - u * u) * cube

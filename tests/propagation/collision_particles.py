"""Made-up particles from pp collisions."""

from __future__ import annotations

import numpy as np

from lamarrpy.propagation import State


def particles(n: int, seed: int = 1, p_min: float = 1000.0, steepest: float = 1.6) -> State:
    """Charged particles with the spectrum of pp collisions: median momentum 8 GeV, 5 % below 1.4 GeV.

    Parameters
    ----------
    n : int
        Number of particles.
    seed : int
        Other seeds give other particles.
    p_min : float, MeV
        Smallest momentum.
    steepest : float
        Smallest pseudorapidity; the largest is 5.2.
    """
    rng = np.random.default_rng(seed)
    eta, pt = rng.uniform(steepest, 5.2, 8 * n), 100.0 + rng.exponential(550.0, 8 * n)
    chosen = np.flatnonzero(pt * np.cosh(eta) > p_min)[:n]
    eta, p = eta[chosen], (pt * np.cosh(eta))[chosen]
    phi, slope = rng.uniform(-np.pi, np.pi, n), 1.0 / np.sinh(eta)
    x, y, z = 0.8 + 0.03 * rng.normal(size=n), -0.2 + 0.03 * rng.normal(size=n), 45.0 * rng.normal(size=n)
    return State(x, y, z, slope * np.cos(phi), slope * np.sin(phi), rng.choice([-1.0, 1.0], n) / p)

"""Decays into n particles, with momenta uniform in phase space.

The method of Raubold and Lynch (F. James, CERN 68-15, 1968): a decay into n particles is a chain of
n - 1 decays into two, whose intermediate masses are drawn with the product of the break-up momenta
as weight. A draw is kept with a probability of its weight over the largest possible one, and done
again from new random numbers of the same row otherwise, so that each row depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import RowDraws
from lamarrpy.errors import DomainError

Array = NDArray[np.float64]

_MOST_ATTEMPTS = 100_000

_STEPS_PER_OCTAVE = 16
"""How finely the largest weights are tabulated in the kinetic energy set free."""

_GRID = 256
"""Masses of each system among which the largest weight is looked for."""

_MARGIN = 1.01
"""By how much the largest weight may exceed that on the grid."""


@dataclass(frozen=True)
class LineShape:
    """The masses that a particle may take [MeV].

    Attributes
    ----------
    mass : float
        Nominal mass.
    width : float
        Width of a relativistic Breit-Wigner, constant over it; 0 for a fixed mass.
    low, high : float
        Limits of the mass.
    """

    mass: float
    width: float
    low: float
    high: float

    @classmethod
    def fixed(cls, mass: float) -> LineShape:
        """A particle of one mass."""
        return cls(mass, 0.0, mass, mass)


class Masses(NamedTuple):
    """Invariant masses [MeV] of n daughters of each of m mothers.

    Attributes
    ----------
    daughters : ndarray, shape (n, m)
        Of each daughter.
    systems : ndarray, shape (n, m)
        Of daughters 0 ... k together, the last row being the mother.
    """

    daughters: Array
    systems: Array


def breakup_momentum(mass: Array, a: Array | float, b: Array | float) -> Array:
    """Momentum [MeV] of either daughter in a decay into two, in the frame of the mother.

    q = sqrt((M - a - b)(M + a + b)(M - a + b)(M + a - b)) / 2M, zero at and below threshold;
    every argument in MeV, the result has their common shape.
    """
    product = (mass - a - b) * (mass + a + b) * (mass - a + b) * (mass + a - b)
    momentum: Array = np.sqrt(np.maximum(product, 0.0)) / (2 * mass)
    return momentum


def draw_masses(
    mother: Array, shapes: Sequence[LineShape], streams: RowDraws, first: int, v_minus_a: bool = False
) -> Masses:
    """Draw the masses of daughters and of the intermediate systems of a phase-space decay.

    Parameters
    ----------
    mother : ndarray, shape (m,)
        Masses of the mothers [MeV], above the sum of the lower limits of the daughters.
    shapes : sequence of LineShape
        The n >= 2 daughters. Masses that vary are weighted with Breit-Wigner times phase space.
    streams : RowDraws
        m streams; draw ``first`` and all above it must be free.
    v_minus_a : bool
        Weight with ``v_minus_a_weight``: the last two daughters are then the leptons.

    Raises
    ------
    DomainError
        If a mother is too light, or the decay is so rare in its phase space that it is not hit.
    """
    lightest = sum(shape.low for shape in shapes)
    if (mother <= lightest).any():
        raise DomainError(f"expected mothers heavier than {lightest:g} MeV, got {mother.min():g} MeV")
    n, m = len(shapes), len(mother)
    if n == 2 and not any(shape.width for shape in shapes):
        daughters = np.array([np.full(m, shape.mass) for shape in shapes])
        return Masses(daughters, np.array([daughters[0], mother]))
    masses = Masses(np.empty((n, m)), np.empty((n, m)))
    largest = _largest_weight(mother, shapes, v_minus_a)
    pending: NDArray[np.intp] | slice = slice(None)
    for attempt in range(_MOST_ATTEMPTS):
        tried, weight, u = _attempt(mother[pending], shapes, streams[pending], first + 2 * n * attempt, v_minus_a)
        masses.daughters[:, pending], masses.systems[:, pending] = tried
        again = np.flatnonzero(u * largest[pending] >= weight)
        pending = again if isinstance(pending, slice) else pending[again]
        if not len(pending):
            return masses
    raise DomainError(f"phase space of {n} particles: no decay kept in {_MOST_ATTEMPTS} attempts")


def _attempt(
    mother: Array, shapes: Sequence[LineShape], streams: RowDraws, first: int, v_minus_a: bool
) -> tuple[Masses, Array, Array]:
    """One draw for each row, its weight, and the uniform number that decides whether to keep it."""
    n, free_at_most = len(shapes), mother - sum(shape.low for shape in shapes)
    daughters = np.empty((n, len(mother)))
    for i, shape in enumerate(shapes):
        daughters[i] = _breit_wigner(shape, free_at_most + shape.low, streams, first + i) if shape.width else shape.mass
    systems = np.cumsum(daughters, axis=0)
    free = mother - systems[-1]
    systems[-1] = mother
    if n > 2:
        systems[1:-1] += np.sort(streams.uniforms(n - 2, first + n), axis=0) * free
    weight = np.maximum(free, 0.0) ** (n - 2)
    for k in range(1, n):
        weight *= breakup_momentum(systems[k], systems[k - 1], daughters[k])
    if v_minus_a:
        weight *= v_minus_a_weight(systems, daughters)
    weight[free < 0] = 0.0
    return Masses(daughters, systems), weight, streams.uniform(first + 2 * n - 1)


def _largest_weight(mother: Array, shapes: Sequence[LineShape], v_minus_a: bool) -> Array:
    """A bound of the weight of each row, shape (m,).

    It is tabulated in the kinetic energy that is set free, and taken from the step above, as weights
    rise with it. So it depends on nothing but the mass in the row.
    """
    free = mother - sum(shape.low for shape in shapes)
    steps, where = np.unique(np.ceil(_STEPS_PER_OCTAVE * np.log2(free)).astype(np.int64), return_inverse=True)
    largest = [_largest_weight_at(tuple(s.low for s in shapes), int(step), v_minus_a) for step in steps]
    return np.array(largest)[where]


@cache
def _largest_weight_at(masses: tuple[float, ...], step: int, v_minus_a: bool) -> float:
    """The largest weight if daughters have these masses and share 2^(step / 16) MeV.

    Each factor ties neighbours in the chain of systems together, so that the largest product is found
    from one system to the next (dynamic programming) on a grid of their masses.
    """
    n, free = len(masses), 2.0 ** (step / _STEPS_PER_OCTAVE)
    sums, shares = np.cumsum(masses), np.arange(1, _GRID + 1) / _GRID
    mother = sums[-1] + free
    best, rest = np.ones(1), sums[:1]
    for k in range(1, n):
        system = sums[k] + free * shares[:, None]
        factor = breakup_momentum(system, rest, masses[k])
        if k > 1:
            factor = np.tril(factor)
        if v_minus_a and k == n - 2:
            square = (mother**2 + masses[-1] ** 2 - system**2) * (system**2 - rest**2 - masses[k] ** 2) / 4
            factor = factor * square.clip(0.0)
        best, rest = (factor * best).max(axis=1), sums[k] + free * shares
    return float(best[-1] * free ** (n - 2) * _MARGIN)


def _breit_wigner(shape: LineShape, highest: Array, streams: RowDraws, index: int) -> Array:
    """Masses [MeV] of a relativistic Breit-Wigner of constant width between its limits, shape (m,)."""
    scale = shape.mass * shape.width
    bottom = np.arctan((shape.low**2 - shape.mass**2) / scale)
    top = np.arctan((np.minimum(highest, shape.high) ** 2 - shape.mass**2) / scale)
    angle = bottom + (top - bottom) * streams.uniform(index)
    masses: Array = np.sqrt(np.maximum(shape.mass**2 + scale * np.tan(angle), shape.low**2))
    return masses


def v_minus_a_weight(systems: Array, daughters: Array) -> Array:
    """Weak decay of a quark to hadrons X and two leptons, without form factors.

    The spin-averaged square of the V-A amplitude is (M.l2)(X.l1), a product of four-momenta of
    the mother M, the hadrons X and the leptons: the one of muon decay with hadrons in the places
    of the muon and its neutrino. For b -> c l nu, l1 is the charged lepton and l2 the neutrino,
    for c -> s l nu the other way about.

    Parameters
    ----------
    systems, daughters : ndarray, shape (n, m)
        As in ``Masses``, the hadrons first, then l1, then l2.

    Returns
    -------
    ndarray, shape (m,)
        In MeV^4, at most (M^2 + m(l2)^2 - m(X)^2 - m(l1)^2)^2 / 16.
    """
    mother, hadrons_and_l1, hadrons = systems[-1] ** 2, systems[-2] ** 2, systems[-3] ** 2
    l1, l2 = daughters[-2] ** 2, daughters[-1] ** 2
    square: Array = (mother + l2 - hadrons_and_l1) * (hadrons_and_l1 - hadrons - l1) / 4
    return square


def draw_momenta(momentum: Array, masses: Masses, streams: RowDraws, first: int) -> list[Array]:
    """Momenta of the daughters, each of the decays into two isotropic in its own frame.

    Parameters
    ----------
    momentum : ndarray, shape (3, m)
        Of the mothers [MeV].
    masses : Masses
        Of the n daughters and the systems that they form.
    streams : RowDraws
        m streams; the draws ``first`` ... ``first + 2 n - 3`` must be free.

    Returns
    -------
    list of ndarray, shape (3, m)
        Of the n daughters [MeV], in the frame in which the mothers' are.
    """
    n = len(masses.daughters)
    found = []
    for k in range(n - 1, 0, -1):
        at = first + 2 * (n - 1 - k)
        daughter = _isotropic(momentum, masses.systems[k], masses.systems[k - 1], masses.daughters[k], streams, at)
        found.append(daughter)
        momentum = momentum - daughter
    return [momentum, *reversed(found)]


def _isotropic(momentum: Array, system: Array, rest: Array, daughter: Array, streams: RowDraws, first: int) -> Array:
    """Momentum (3, m) of a daughter that leaves a moving system in a direction of no preference."""
    q = breakup_momentum(system, rest, daughter)
    cos_theta = 2 * streams.uniform(first) - 1
    phi = 2 * np.pi * streams.uniform(first + 1)
    transverse = q * np.sqrt(1 - cos_theta * cos_theta)
    found = np.empty_like(momentum)
    np.multiply(transverse, np.cos(phi), out=found[0])
    np.multiply(transverse, np.sin(phi), out=found[1])
    np.multiply(q, cos_theta, out=found[2])
    px, py, pz = momentum
    along = found[0] * px + found[1] * py + found[2] * pz
    energy = np.sqrt(px * px + py * py + pz * pz + system * system)
    boost = (along / (energy + system) + np.sqrt(q * q + daughter * daughter)) / system
    found += boost * momentum
    return found

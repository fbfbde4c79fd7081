"""What matter does to a charged particle on average: radiation length, interaction length, Bethe stopping power."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ELECTRON_MASS = 0.51099895
"""MeV."""

BETHE_CONSTANT = 0.307075
"""4 pi N_A r_e^2 m_e c^2 [MeV cm^2/mol]."""

PLASMA_ENERGY = 28.816
"""Plasma energy [eV] of a density times Z/A of 1 g/cm^3."""


class Density(NamedTuple):
    """The parameters C, x0, x1, a of the density effect; its exponent is 3."""

    c: float
    x0: float
    x1: float
    a: float


def largest_transfer(beta_gamma: Array, mass: Array) -> Array:
    """Largest energy [MeV] that a particle can hand to one electron; half its kinetic energy if it is one.

    W_max = 2 m_e (beta gamma)^2 / (1 + 2 gamma m_e/M + (m_e/M)^2) (PDG, passage of particles through
    matter). The two electrons after a collision cannot be told apart, and the slower one counts as hit.
    """
    gamma = np.sqrt(1.0 + beta_gamma * beta_gamma)
    ratio = ELECTRON_MASS / mass
    heavy = 2.0 * ELECTRON_MASS * beta_gamma * beta_gamma / (1.0 + 2.0 * gamma * ratio + ratio * ratio)
    return np.where(mass < 1.0, 0.5 * (gamma - 1.0) * mass, heavy)


@dataclass(frozen=True)
class Material:
    """A material.

    Attributes
    ----------
    name : str
        What it is called.
    density : float, g/cm^3
        Density.
    radiation_length, interaction_length, collision_length : float, g/cm^2
        The latter two for protons: collisions are interactions and elastic scattering.
    z_over_a : float, mol/g
        Electrons per nucleon.
    excitation : float, eV
        Mean excitation energy.
    gas : bool
        Whether it is a gas, which matters for the density effect.
    """

    name: str
    density: float
    radiation_length: float
    interaction_length: float
    collision_length: float
    z_over_a: float
    excitation: float
    gas: bool

    def x_over_x0(self, thickness: float) -> float:
        """Radiation lengths of a thickness [mm]."""
        return 0.1 * thickness * self.density / self.radiation_length

    @property
    def elastic_length(self) -> float:
        """Mean areal density [g/cm^2] between elastic scatterings of a proton on nuclei."""
        return 1.0 / (1.0 / self.collision_length - 1.0 / self.interaction_length)

    @cached_property
    def density_effect(self) -> Density:
        """General parameters of the density effect (R. Sternheimer, R. Peierls, Phys. Rev. B 3 (1971) 3681)."""
        plasma = PLASMA_ENERGY * np.sqrt(self.density * self.z_over_a)
        c = float(2.0 * np.log(self.excitation / plasma) + 1.0)
        if self.gas:
            steps = ((10.0, 1.6, 4.0), (10.5, 1.7, 4.0), (11.0, 1.8, 4.0), (11.5, 1.9, 4.0), (12.25, 2.0, 4.0))
            x0, x1 = next(((a, b) for limit, a, b in steps if c < limit), (2.0, 5.0))
            if c >= 13.804:
                x0 = 0.326 * c - 2.5
        elif self.excitation < 100.0:
            x0, x1 = (0.2 if c < 3.681 else 0.326 * c - 1.0), 2.0
        else:
            x0, x1 = (0.2 if c < 5.215 else 0.326 * c - 1.5), 3.0
        return Density(c, x0, x1, (c - 4.6052 * x0) / (x1 - x0) ** 3)

    def stopping_power(self, beta_gamma: Array, mass: Array) -> Array:
        """Mean energy loss by ionisation [MeV cm^2/g] of unit charges: Bethe's formula with density effect.

        Parameters
        ----------
        beta_gamma : ndarray, shape (n,)
            p / m.
        mass : ndarray, shape (n,), MeV
            Mass of the particle.
        """
        square = beta_gamma * beta_gamma
        beta2 = square / (1.0 + square)
        excitation = 1e-6 * self.excitation
        transfer = largest_transfer(beta_gamma, mass)
        log = np.log(2.0 * ELECTRON_MASS * square * transfer / excitation**2)
        power = 0.5 * (log - self.density_correction(beta_gamma)) - beta2
        return np.maximum(BETHE_CONSTANT * self.z_over_a / beta2 * power, 0.0)

    def density_correction(self, beta_gamma: Array) -> Array:
        """The density effect delta(beta gamma), shape (n,)."""
        c, x0, x1, a = self.density_effect
        x = np.log10(beta_gamma)
        delta = 2.0 * np.log(10.0) * x - c + a * np.maximum(x1 - x, 0.0) ** 3
        return np.where(x < x0, 0.0, delta)

    def landau_width(self, areal: Array, beta2: Array) -> Array:
        """xi [MeV], the width of the energy loss in an areal density [g/cm^2] (PDG)."""
        return 0.5 * BETHE_CONSTANT * self.z_over_a * areal / beta2

"""Phase space is uniform, conserves energy and momentum, and stays within its limits."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from lamarrpy.draws import Draws
from lamarrpy.errors import DomainError
from lamarrpy.generate.phase_space import (
    LineShape,
    _attempt,
    _largest_weight,
    breakup_momentum,
    draw_masses,
    draw_momenta,
)

N = 40_000


def decay(mother, masses, n=N, momentum=(0.0, 0.0, 0.0), v_minus_a=False, seed=1):
    """Momenta (daughter, 3, n) and energies (daughter, n)."""
    shapes = [m if isinstance(m, LineShape) else LineShape.fixed(m) for m in masses]
    streams = Draws(seed).rows(np.arange(n))
    drawn = draw_masses(np.full(n, mother), shapes, streams, 2 * len(masses), v_minus_a)
    momenta = np.array(draw_momenta(np.repeat(np.array([momentum]).T, n, 1), drawn, streams, 0))
    return momenta, np.sqrt((momenta**2).sum(axis=1) + drawn.daughters**2)


def squared_mass(momenta, energies, *which):
    p, e = momenta[list(which)].sum(axis=0), energies[list(which)].sum(axis=0)
    return e**2 - (p**2).sum(axis=0)


def largest_cdf_difference(values, cdf_values):
    order = np.argsort(values)
    rank = np.arange(1, len(values) + 1) / len(values)
    return abs(cdf_values[order] - rank).max()


@settings(max_examples=40, deadline=None)
@given(
    masses=st.lists(st.floats(0, 1000), min_size=2, max_size=6),
    free=st.floats(10, 3000),
    momentum=st.tuples(*[st.floats(-1e5, 1e5)] * 3),
)
def test_energy_and_momentum_are_conserved(masses, free, momentum):
    mother = sum(masses) + free
    momenta, energies = decay(mother, masses, 50, momentum)
    energy = np.sqrt(np.square(momentum).sum() + mother**2)
    assert abs(energies.sum(axis=0) / energy - 1).max() < 1e-9
    assert abs(momenta.sum(axis=0) - np.array([momentum]).T).max() < 1e-9 * energy


@settings(max_examples=60, deadline=None)
@given(
    masses=st.lists(st.sampled_from([0.0, 0.5, 105.7, 139.6, 493.7, 938.3, 1869.7]), min_size=3, max_size=6),
    free=st.floats(0.1, 5000),
    v_minus_a=st.booleans(),
    width=st.sampled_from([0.0, 50.0]),
)
def test_no_weight_exceeds_the_largest(masses, free, v_minus_a, width):
    """Otherwise the accepted decays would not follow their weights."""
    shapes = [LineShape.fixed(m) for m in masses]
    if width:
        shapes[0] = LineShape(masses[0] + 200, width, masses[0], masses[0] + 900)
    mother = np.full(300, sum(masses) + free)
    _, weight, _ = _attempt(mother, shapes, Draws(9).rows(np.arange(300)), 0, v_minus_a)
    largest = _largest_weight(mother, shapes, v_minus_a)
    assert (weight <= largest).all()
    assert width or weight.max() > 0.2 * largest[0]


def test_two_bodies_leave_back_to_back_in_every_direction_alike():
    momenta, _ = decay(1864.84, [493.677, 139.570])
    q = np.sqrt((momenta[0] ** 2).sum(axis=0))
    assert q == pytest.approx(np.full(N, 861.06), rel=1e-4)  # D0 -> K- pi+: 861 MeV (PDG)
    assert momenta[0] == pytest.approx(-momenta[1], abs=1e-9)
    cos_theta, phi = momenta[0, 2] / q, np.arctan2(momenta[0, 1], momenta[0, 0])
    assert largest_cdf_difference(cos_theta, (cos_theta + 1) / 2) < 1.95 / np.sqrt(N)
    assert largest_cdf_difference(phi, phi / (2 * np.pi) + 0.5) < 1.95 / np.sqrt(N)
    assert abs(np.corrcoef(cos_theta, phi)[0, 1]) < 4 / np.sqrt(N)


def test_dalitz_plot_is_flat_within_its_limits():
    """Lambda_c+ -> p K- pi+: the density in (m12^2, m23^2) is constant where it may be (PDG kinematics review)."""
    mother, m1, m2, m3 = 2286.46, 938.272, 493.677, 139.570
    momenta, energies = decay(mother, [m1, m2, m3])
    s12, s23 = squared_mass(momenta, energies, 0, 1), squared_mass(momenta, energies, 1, 2)
    assert s12.min() >= (m1 + m2) ** 2
    assert s12.max() <= (mother - m3) ** 2
    low, high = dalitz_limits(s12, mother, m1, m2, m3)
    assert (s23 > low - 1e-3).all()
    assert (s23 < high + 1e-3).all()
    # flat in s23 at each s12, and s12 distributed as the length of its row
    along = (s23 - low) / (high - low)
    x = np.linspace((m1 + m2) ** 2, (mother - m3) ** 2, 4001)
    lower, upper = dalitz_limits(x, mother, m1, m2, m3)
    area = np.concatenate([[0], np.cumsum((upper - lower)[1:] + (upper - lower)[:-1])])
    across = np.interp(s12, x, area / area[-1])
    assert largest_cdf_difference(along, along) < 1.95 / np.sqrt(N)
    assert largest_cdf_difference(across, across) < 1.95 / np.sqrt(N)
    counts = np.histogram2d(along, across, bins=10, range=[[0, 1], [0, 1]])[0]
    chi2 = ((counts - N / 100) ** 2 / (N / 100)).sum()
    assert chi2 < 99 + 4 * np.sqrt(2 * 99)


def dalitz_limits(s12, mother, m1, m2, m3):
    m12 = np.sqrt(s12)
    e2, e3 = (s12 - m1**2 + m2**2) / (2 * m12), (mother**2 - s12 - m3**2) / (2 * m12)
    p2, p3 = np.sqrt(np.maximum(e2**2 - m2**2, 0)), np.sqrt(np.maximum(e3**2 - m3**2, 0))
    return (e2 + e3) ** 2 - (p2 + p3) ** 2, (e2 + e3) ** 2 - (p2 - p3) ** 2


@pytest.mark.parametrize("n", [3, 4, 5])
def test_no_daughter_is_preferred(n):
    """Equal masses have equal spectra, although the chain of decays treats each otherwise."""
    _, energies = decay(3000.0, [300.0] * n)
    spread = energies.std() / np.sqrt(N)
    assert energies.mean(axis=1) == pytest.approx(np.full(n, 3000 / n), abs=5 * spread)
    assert energies.std(axis=1) == pytest.approx(np.full(n, energies.std()), rel=0.02)


def test_massless_four_body_spectrum():
    """The energy of one of four massless particles: x = 2E/M has the density 6 x (1 - x)."""
    _, energies = decay(1000.0, [0.0] * 4)
    x = 2 * energies[0] / 1000.0
    cdf = 3 * x**2 - 2 * x**3
    assert largest_cdf_difference(x, cdf) < 1.95 / np.sqrt(N)


def test_v_minus_a_spectra_are_those_of_muon_decay():
    """mu- -> nu_mu e- anti-nu_e: x^2 (3 - 2x) for the electron, x^2 (1 - x) for the electron antineutrino."""
    _, energies = decay(105.658, [0.0, 0.511, 0.0], v_minus_a=True)
    electron, antineutrino = 2 * energies[1] / 105.658, 2 * energies[2] / 105.658
    assert largest_cdf_difference(electron, 2 * electron**3 - electron**4) < 2.5 / np.sqrt(N)
    assert largest_cdf_difference(antineutrino, 4 * antineutrino**3 - 3 * antineutrino**4) < 2.5 / np.sqrt(N)


def test_breit_wigner_times_phase_space():
    """The mass of a rho0 beside a pi+ from a D+ follows |BW|^2 m q: the line shape, cut at threshold."""
    mother, pion, mass, width = 1869.66, 139.57, 775.26, 147.4
    low, high = 2 * pion, mother - pion
    shape = LineShape(mass, width, low, mass + 15 * width)
    momenta, energies = decay(mother, [shape, pion], momentum=(1e4, 2e3, 5e4))
    drawn = np.sqrt(squared_mass(momenta, energies, 0))

    def density(m):
        s = m * m
        return m * breakup_momentum(mother, m, pion) / ((s - mass**2) ** 2 + (mass * width) ** 2)

    grid = np.linspace(low, high, 2001)
    pieces = [quad(density, a, b)[0] for a, b in pairwise(grid)]
    cdf = np.concatenate([[0], np.cumsum(pieces)]) / sum(pieces)
    assert low <= drawn.min() + 1e-6
    assert drawn.max() <= high + 1e-6
    assert largest_cdf_difference(drawn, np.interp(drawn, grid, cdf)) < 1.95 / np.sqrt(N)


def test_two_resonances_share_the_energy():
    """Where two line shapes do not both fit, none of the pairs exceeds the mother."""
    shape = LineShape(900.0, 100.0, 300.0, 2400.0)
    streams = Draws(4).rows(np.arange(2000))
    masses = draw_masses(np.full(2000, 1700.0), [shape, shape, LineShape.fixed(100.0)], streams, 6)
    assert (masses.daughters.sum(axis=0) < 1700.0).all()
    assert (np.diff(masses.systems, axis=0) >= masses.daughters[1:] - 1e-9).all()


def test_a_row_does_not_depend_on_the_others():
    shapes = [LineShape.fixed(300.0), LineShape(700.0, 150.0, 280.0, 2000.0), LineShape.fixed(5.0)]
    streams = Draws(5).rows(np.arange(1001))
    mother = 1500.0 + np.arange(1001)
    together = draw_masses(mother, shapes, streams, 0)
    some = np.array([3, 77, 78, 500, 1000])
    alone = draw_masses(mother[some], shapes, streams[some], 0)
    assert (together.systems[:, some] == alone.systems).all()
    assert (together.daughters[:, some] == alone.daughters).all()


def test_a_mother_that_is_too_light_is_refused():
    with pytest.raises(DomainError, match="heavier than 800 MeV, got 700 MeV"):
        draw_masses(
            np.array([900.0, 700.0]),
            [LineShape.fixed(400.0)] * 2,
            Draws(1).rows(np.arange(2)),
            0,
        )

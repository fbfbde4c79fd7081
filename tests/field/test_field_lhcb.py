"""The LHCb field: Maxwell's equations, the measured profile, the quoted integrals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import simpson

from lamarrpy.field import Lhcb, magnetic_field
from lamarrpy.propagation.motion import KAPPA

# LHCb's official analytic parameterization (By_parameterization.cdf of Det/Magnet) on the axis: z [m], |By| [T]
ON_AXIS = np.array(
    [
        *[(0.00, 0.006), (0.50, 0.018), (1.00, 0.036), (1.50, 0.035), (1.75, 0.044), (2.00, 0.061), (2.25, 0.100)],
        *[(2.50, 0.159), (2.75, 0.252), (3.00, 0.368), (3.25, 0.500), (3.50, 0.648), (3.75, 0.791), (4.00, 0.913)],
        *[(4.25, 0.998), (4.50, 1.042), (4.75, 1.057), (5.00, 1.036), (5.25, 1.004), (5.50, 0.962), (6.00, 0.852)],
        *[(6.50, 0.710), (6.75, 0.629), (7.00, 0.546), (7.25, 0.465), (7.50, 0.393), (7.75, 0.326), (8.00, 0.265)],
        *[(8.50, 0.173), (9.00, 0.110), (9.50, 0.069), (10.0, 0.044)],
    ]
)
MEASURED = 0.994
"""The measured map over the parameterization."""


def integral(to: float) -> float:
    """Integral of By along the axis from z = 0, T m."""
    z = np.linspace(0.0, to, 4001)
    return float(simpson(Lhcb()(0.0, 0.0, z)[1], x=z)) * 1e-3


def inside(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points where the field is not held at its bounds."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(-500.0, 13_000.0, n)
    return rng.uniform(-3000.0, 3000.0, n), rng.uniform(-1.0, 1.0, n) * (0.3 * np.abs(z) + 95.0), z


def test_profile_on_the_axis_is_that_of_the_magnet() -> None:
    residual = Lhcb()(0.0, 0.0, 1e3 * ON_AXIS[:, 0])[1] - MEASURED * ON_AXIS[:, 1]
    assert np.sqrt(np.mean(residual**2)) < 4.1e-3
    assert np.max(np.abs(residual)) < 12.3e-3


def test_bending_power() -> None:
    assert integral(8520.0) == pytest.approx(4.052, abs=5e-4)
    assert 1210.0 < KAPPA * 1e3 * integral(8520.0) < 1250.0
    assert 1210.0 < KAPPA * 1e3 * integral(9410.0) < 1250.0


def test_off_axis_value() -> None:
    by = Lhcb()(0.0, 1000.0, 4250.0)[1]
    assert by == pytest.approx(1.375, abs=5e-4)  # what the fit gives
    assert by == pytest.approx(1.372, abs=5e-3)  # the parameterization, scaled


def test_free_of_divergence_and_curl() -> None:
    field, step = Lhcb(), 1.0
    x, y, z = inside(2000)
    dx, dy, dz = (
        (np.array(field(x + a, y + b, z + c)) - np.array(field(x - a, y - b, z - c))) / (2 * step)
        for a, b, c in step * np.eye(3)
    )
    curl = [dy[2] - dz[1], dz[0] - dx[2], dx[1] - dy[0]]
    steepest = np.max(np.abs(dz[1]))
    assert steepest > 1e-3  # T/mm: there is something to cancel
    for zero in (dx[0] + dy[1] + dz[2], *curl):
        assert np.max(np.abs(zero)) < 1e-5 * steepest


def test_stays_physical_up_to_the_bounds_and_beyond() -> None:
    z = np.linspace(-2000.0, 16_000.0, 361)[:, None]
    y = np.linspace(-1.0, 1.0, 201) * (0.3 * np.abs(z) + 100.0)
    b = np.hypot(*Lhcb()(0.0, y, z)[1:])
    assert b.max() < 2.1
    np.testing.assert_array_equal(Lhcb()(0.0, 3 * y[:, -1], z[:, 0]), Lhcb()(0.0, y[:, -1], z[:, 0]))


def test_vanishes_far_away() -> None:
    far = np.array([-1e9, -1e5, 1e5, 1e9])
    assert np.max(np.abs(Lhcb()(0.0, 0.0, far))) < 1e-14


@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
def test_in_one_plane_it_is_the_same_field(polarity: str) -> None:
    field = magnetic_field("lhcb", polarity)
    for z in np.linspace(-1500.0, 19_000.0, 83):
        y = np.linspace(-1.2, 1.2, 301) * (0.3 * abs(z) + 100.0)
        at_plane, in_space = field.at_plane(z)(np.zeros(301), y), field(0.0, y, z)
        for one, other in zip(at_plane, in_space, strict=True):
            assert np.max(np.abs(one - other)) < 1.5e-6


def test_mirror_symmetry_in_y() -> None:
    x, y, z = inside(200, seed=2)
    up, down = Lhcb()(x, y, z), Lhcb()(x, -y, z)
    np.testing.assert_allclose(up[1], down[1], rtol=1e-14)
    np.testing.assert_allclose(up[2], -down[2], rtol=1e-12, atol=1e-18)

"""Elastic scattering on nuclei: how often, how far, and that nothing is lost by it."""

import numpy as np
import pytest
from guns import SILICON, along_z, at_plane, slab

from lamarrpy.detailed.transport import Fate, Physics, transport
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field

ONLY = Physics(scattering=False, ionisation=False, bremsstrahlung=False, interactions=False, decays=False)
LENGTHS = 0.2
"""Elastic lengths of a proton in the slab."""


def shoot(pid, p, scale=((2212, 1.0), (211, 1.27))):
    x_over_x0 = LENGTHS * SILICON.elastic_length / SILICON.radiation_length
    detector = slab(x_over_x0, scale=scale)
    truth = transport(along_z(20_000, pid, p), detector, magnetic_field("none"), Draws(5, "e"), ONLY)
    return detector, truth, at_plane(truth, detector, "behind")


def test_length():
    """Collisions are interactions and elastic scattering: 1/70.2 = 1/108.4 + 1/199.2 in silicon."""
    assert SILICON.elastic_length == pytest.approx(199.2, abs=0.1)


@pytest.mark.parametrize(("pid", "scale"), [(2212, 1.0), (211, 1.27)])
def test_how_often(pid, scale):
    _, _, behind = shoot(pid, 1e4)
    turned = np.hypot(behind["tx"], behind["ty"]) > 0.0
    expected = -np.expm1(-LENGTHS / scale**2)
    assert turned.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 20_000))


@pytest.mark.parametrize("p", [3e3, 3e4])
def test_momentum_transfer(p):
    """p theta does not depend on p; its mean square is one over the slope: (129 MeV)^2."""
    detector, _, behind = shoot(2212, p)
    theta = np.arctan(np.hypot(behind["tx"], behind["ty"]))
    transfer = p * theta[theta > 0.0]
    assert np.mean(transfer**2) == pytest.approx(1.0 / detector.elastic_slope, rel=0.07)
    assert 1.0 / np.sqrt(detector.elastic_slope) == pytest.approx(129.1, abs=0.1)


def test_nothing_else_changes():
    _, truth, behind = shoot(2212, 1e4)
    assert (truth.fate == Fate.reached_end).all()
    assert (behind["p"] == 1e4).all()
    assert abs(np.mean(behind["tx"])) < 4 * np.std(behind["tx"]) / np.sqrt(20_000)


def test_muons_do_not():
    _, _, behind = shoot(13, 1e4)
    assert (behind["tx"] == 0.0).all()

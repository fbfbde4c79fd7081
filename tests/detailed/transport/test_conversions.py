"""Photons in material: how often they convert, where, and into what."""

import numpy as np
import pytest
from guns import gun, slab

from lamarrpy.detailed.geometry import Wall, lhcb_detector
from lamarrpy.detailed.geometry.detector import Detector
from lamarrpy.detailed.geometry.material import ELECTRON_MASS
from lamarrpy.detailed.transport.conversions import Particles, convert, pairs
from lamarrpy.draws import Draws


def photons(n, energy=10e3, eta=3.0, **origin):
    return Particles(*gun(n, 22, energy, eta, **origin))


@pytest.mark.parametrize("depth", [0.05, 0.4, 2.0])
def test_seven_ninths_convert_in_a_radiation_length(depth):
    n = 40_000
    found = np.isfinite(convert(photons(n, eta=6.0), slab(depth), Draws(1)).z).mean()
    expected = -np.expm1(-7.0 / 9.0 * depth)
    assert found == pytest.approx(expected, abs=4.0 * np.sqrt(expected * (1.0 - expected) / n))


def test_slanted_ways_see_more():
    steep, straight = (np.isfinite(convert(photons(40_000, eta=eta), slab(0.3), Draws(1)).z).mean() for eta in (1.0, 6))
    slant = 1.0 / np.tanh(1.0)
    assert np.log1p(-steep) / np.log1p(-straight) == pytest.approx(slant, rel=0.03)


def test_what_is_born_behind_the_material_does_not_see_it():
    assert np.isinf(convert(photons(2000, z=1100.0), slab(3.0), Draws(1)).z).all()


def test_half_of_a_thick_layer_is_half_as_thick():
    inside = convert(photons(40_000, eta=6.0, z=750.0), slab(1.0, extent=500.0), Draws(1)).z
    assert np.isfinite(inside).mean() == pytest.approx(-np.expm1(-7.0 / 18.0), abs=0.01)


def test_walls_are_crossed_under_their_angle():
    """A cylinder of radius 10 mm: the way through it is thickness / sin(theta)."""
    real = slab(0.0)
    material = lhcb_detector().walls[0].material
    wall = Wall("pipe", "pipe", (20.0, 900.0), 0.0, 10.0, 5.0, material)
    box = Detector(
        real.planes, (wall,), real.aperture, real.interaction_scale, real.longest_step, 1.0, real.elastic_slope
    )
    z = convert(photons(20_000, eta=3.0), box, Draws(1)).z
    theta = 2.0 * np.arctan(np.exp(-3.0))
    expected = -np.expm1(-7.0 / 9.0 * material.x_over_x0(5.0) / np.sin(theta))
    assert np.isfinite(z).mean() == pytest.approx(expected, abs=0.02)
    assert np.allclose(z[np.isfinite(z)], 10.0 / np.tan(theta))


def test_pairs_share_the_energy_and_the_direction_of_the_photon():
    light = photons(20_000)
    became = convert(light, slab(2.0), Draws(1))
    born = pairs(light, became)
    electron, positron = born.at(born.pid == 11), born.at(born.pid == -11)
    found = light.at(np.isfinite(became.z))
    assert np.array_equal(electron.particle_id // 2, found.particle_id)
    assert np.array_equal(positron.particle_id, electron.particle_id + 1)
    momenta = [np.stack([p.px, p.py, p.pz], axis=1) for p in (electron, positron, found)]
    energy = [
        np.sqrt((m**2).sum(axis=1) + mass**2) for m, mass in zip(momenta, (ELECTRON_MASS,) * 2 + (0.0,), strict=True)
    ]
    assert np.allclose(energy[0] + energy[1], energy[2])
    assert np.allclose(np.cross(momenta[0], momenta[2]), 0.0, atol=1e-4)
    assert np.allclose(electron.x / electron.z, found.px / found.pz)
    # 1 - 4/3 x (1 - x) has the mean 1/2 and the variance 13/140
    share = energy[0] / energy[2]
    assert share.mean() == pytest.approx(0.5, abs=4.0 * np.sqrt(13.0 / 140.0 / len(share)))
    assert share.var() == pytest.approx(13.0 / 140.0, rel=0.03)


def test_the_real_detector_converts_as_published():
    """A quarter before the magnet's end, and about 40 % before the calorimeter."""
    z = convert(photons(20_000, eta=(2.0, 4.2)), lhcb_detector(), Draws(1)).z
    assert 0.17 < (z < 7000.0).mean() < 0.33
    assert 0.3 < np.isfinite(z).mean() < 0.45


def test_a_photon_does_not_know_its_neighbours():
    light = photons(500)
    whole, part = (convert(some, lhcb_detector(), Draws(1)) for some in (light, light.at(slice(100, 200))))
    assert np.array_equal(whole.z[100:200], part.z)
    assert np.array_equal(whole.share[100:200], part.share)

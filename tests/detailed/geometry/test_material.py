"""Stopping power against the tables of the PDG, and Landau's fluctuations."""

import numpy as np
import pytest

from lamarrpy.detailed.geometry.description import lhcb_detector
from lamarrpy.detailed.geometry.material import Material, largest_transfer
from lamarrpy.detailed.transport.landau import fluctuate, landau
from lamarrpy.draws import Draws

MUON = 105.658
ALUMINIUM = Material("aluminium", 2.699, 24.01, 107.2, 69.7, 0.48181, 166.0, False)
SILICON = Material("silicon", 2.329, 21.82, 108.4, 70.2, 0.49848, 173.0, False)
BERYLLIUM = Material("beryllium", 1.848, 65.19, 77.8, 55.3, 0.44384, 63.7, False)
AIR = Material("air", 1.205e-3, 36.62, 90.1, 61.3, 0.49919, 85.7, True)


@pytest.mark.parametrize(
    ("material", "minimum"), [(SILICON, 1.664), (ALUMINIUM, 1.615), (BERYLLIUM, 1.595), (AIR, 1.815)]
)
def test_minimum_of_bethe_is_that_of_the_pdg(material, minimum):
    beta_gamma = np.geomspace(1.0, 20.0, 400)
    power = material.stopping_power(beta_gamma, np.full(400, MUON))
    assert power.min() == pytest.approx(minimum, rel=0.015)
    assert 2.9 < beta_gamma[power.argmin()] < 4.2


def test_bethe_by_hand_at_beta_gamma_one():
    # K Z/A 2 [ln(2 m_e / I) + ln(W)/2 ...]: beta^2 = 1/2, no density effect in silicon at beta gamma 1 but 0.09 in all
    transfer = 2.0 * 0.511 / (1.0 + 2.0 * np.sqrt(2.0) * 0.511 / MUON + (0.511 / MUON) ** 2)
    delta = float(SILICON.density_correction(np.array([1.0]))[0])
    by_hand = 0.307075 * 0.49848 * 2.0 * (0.5 * np.log(2 * 0.511 * transfer / 173e-6**2) - 0.5 - 0.5 * delta)
    assert SILICON.stopping_power(np.array([1.0]), np.array([MUON]))[0] == pytest.approx(by_hand, rel=1e-4)


def test_density_effect_takes_away_the_rise():
    delta = SILICON.density_correction(np.geomspace(0.1, 1e6, 200))
    assert delta[0] == 0.0
    assert np.all(np.diff(delta) >= 0.0)
    # far out delta/2 -> ln(plasma energy / I) + ln(beta gamma) - 1/2 (PDG)
    limit = 2.0 * (np.log(28.816 * np.sqrt(2.329 * 0.49848) / 173.0) + np.log(1e6)) - 1.0
    assert delta[-1] == pytest.approx(limit, abs=1e-6)


def test_thickness_in_radiation_lengths():
    assert SILICON.x_over_x0(0.3) == pytest.approx(0.00320, rel=0.002)


def test_electrons_share_what_they_have():
    assert largest_transfer(np.array([1000.0]), np.array([0.51099895]))[0] == pytest.approx(0.5 * 510.49, rel=1e-3)


def test_landau_has_its_median_and_mode():
    rows = Draws(1, "landau").rows(np.arange(400_000))
    values = landau(rows.uniform(0), rows.exponential(1))
    assert np.median(values) == pytest.approx(1.3558, abs=0.02)
    counts, edges = np.histogram(values, np.arange(-3.0, 10.0, 0.2))
    assert edges[counts.argmax()] + 0.1 == pytest.approx(-0.223, abs=0.21)
    half = edges[:-1][counts > 0.5 * counts.max()]
    assert half[-1] - half[0] + 0.2 == pytest.approx(4.018, abs=0.25)


@pytest.mark.parametrize(("beta_gamma", "areal"), [(1.0, 0.07), (0.5, 0.07), (3.0, 0.5)])
def test_fluctuations_keep_the_mean_of_bethe(beta_gamma, areal):
    n = 600_000
    rows = Draws(2, "loss").rows(np.arange(n))
    bg, mass = np.full(n, beta_gamma), np.full(n, 139.57)
    beta2 = bg**2 / (1.0 + bg**2)
    mean = areal * SILICON.stopping_power(bg, mass)
    width = SILICON.landau_width(np.full(n, areal), beta2)
    loss = fluctuate(mean, width, beta2, largest_transfer(bg, mass), rows.uniform(0), rows.exponential(1))
    assert loss.min() >= 0.0
    assert loss.mean() == pytest.approx(mean[0], rel=0.01)
    assert np.median(loss) < mean[0]


def test_most_probable_loss_in_a_velo_sensor():
    n = 200_000
    rows = Draws(3, "loss").rows(np.arange(n))
    bg, mass, areal = np.full(n, 100.0), np.full(n, 139.57), 0.03 * 2.329
    beta2 = bg**2 / (1.0 + bg**2)
    mean, width = areal * SILICON.stopping_power(bg, mass), SILICON.landau_width(np.full(n, areal), beta2)
    loss = fluctuate(mean, width, beta2, largest_transfer(bg, mass), rows.uniform(0), rows.exponential(1))
    counts, edges = np.histogram(loss, np.linspace(0.05, 0.2, 76))
    # xi [ln(2 m_e / I) + ln(xi / I) + 0.2 - 1 - delta + 2 ln(beta gamma)] (PDG)
    log = np.log(2 * 0.511 * 1e4 / 173e-6) + np.log(width[0] / 173e-6) + 0.2 - 1.0
    expected = width[0] * (log - SILICON.density_correction(bg[:1])[0])
    assert edges[counts.argmax()] + 0.001 == pytest.approx(expected, abs=0.003)


def test_every_material_of_the_detector_slows_particles_down():
    materials = {region.material for plane in lhcb_detector().planes for region in plane.regions}
    assert {m.name for m in materials} >= {"silicon", "aluminium", "air", "c4f10", "cf4", "carbon", "glass", "polymer"}
    for material in materials:
        power = material.stopping_power(np.array([3.5, 100.0]), np.array([MUON, MUON]))
        assert np.all((power > 1.4) & (power < 3.0))

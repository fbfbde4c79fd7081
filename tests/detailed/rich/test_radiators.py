"""Cherenkov angles, thresholds and resolutions against the formula and the published figures."""

import numpy as np
import pytest

from lamarrpy.detailed.rich.expectation import HYPOTHESES, MASSES
from lamarrpy.detailed.rich.radiators import direction_of, radiators

RICH1, RICH2 = radiators()
PION, KAON = MASSES[HYPOTHESES.index("pi")], MASSES[HYPOTHESES.index("k")]


def angle(radiator, p, mass):
    return np.arcsin(np.sqrt(radiator.sine_squared(np.array([p]), np.array([mass]))))[0]


@pytest.mark.parametrize(("radiator", "saturated"), [(RICH1, 52.9), (RICH2, 31.6)])
def test_the_angle_at_the_speed_of_light(radiator, saturated):
    """arccos(1 / n) in mrad."""
    assert 1e3 * angle(radiator, 1e9, PION) == pytest.approx(saturated, abs=0.1)
    assert angle(radiator, 1e9, PION) == pytest.approx(np.arccos(1.0 / (1.0 + radiator.refractivity)), rel=1e-6)


@pytest.mark.parametrize(("radiator", "gev"), [(RICH1, (2.0, 2.64, 9.33, 17.7)), (RICH2, (3.34, 4.41, 15.6, 29.7))])
def test_thresholds(radiator, gev):
    found = [radiator.threshold(mass) / 1e3 for mass in MASSES]
    assert found[1:] == pytest.approx(gev, rel=0.01)
    for mass, least in zip(MASSES, found, strict=True):
        assert angle(radiator, 1e3 * least * 0.999, mass) == 0.0
        assert angle(radiator, 1e3 * least * 1.001, mass) > 0.0


@pytest.mark.parametrize(
    ("radiator", "gev", "mrad"),
    [(RICH1, 10, 31.9), (RICH1, 20, 5.6), (RICH1, 40, 1.34), (RICH2, 20, 11.1), (RICH2, 50, 1.45), (RICH2, 100, 0.36)],
)
def test_pions_and_kaons_apart(radiator, gev, mrad):
    apart = angle(radiator, 1e3 * gev, PION) - angle(radiator, 1e3 * gev, KAON)
    assert 1e3 * apart == pytest.approx(mrad, rel=0.04)


@pytest.mark.parametrize(
    ("radiator", "track", "mrad"), [(RICH1, 0.35e-3, (1.39, 1.62)), (RICH2, 0.25e-3, (0.65, 0.70))]
)
def test_single_photons_are_as_good_as_published(radiator, track, mrad):
    saturated = np.arcsin(np.sqrt(np.array([radiator.saturated])))
    wide = radiator.resolution(saturated, np.array([track]))[0]
    assert mrad[0] < 1e3 * wide < mrad[1]
    assert radiator.resolution(0.4 * saturated, np.array([track]))[0] > wide


def test_light_towards_the_beam_is_stopped_by_the_pipe():
    x, y, z = np.array([60.0, 60.0]), np.zeros(2), np.full(2, 1100.0)
    outwards = direction_of(np.array([0.10, -0.08]), np.zeros(2))
    assert RICH1.sees_photon(x, y, z, outwards).tolist() == [True, False]


def test_light_beyond_the_mirror_is_lost():
    edge = RICH1.mirror[1]
    inside = direction_of(np.array([0.9, 1.1]) * (edge - 300.0) / (RICH1.mirror[0] - 1100.0), np.zeros(2))
    assert RICH1.sees_photon(np.full(2, 300.0), np.zeros(2), np.full(2, 1100.0), inside).tolist() == [True, False]

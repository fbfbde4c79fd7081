"""Muons through calorimeters and iron."""

import numpy as np
import pytest
from shots import flying

from lamarrpy.detailed.muon.absorbers import absorbers
from lamarrpy.detailed.muon.flight import fly_muons
from lamarrpy.detailed.muon.stations import stations
from lamarrpy.draws import Draws

SLOPE = np.sqrt(1.0 + 0.05**2 + 0.03**2)


def flown(n, p, **slopes):
    return fly_muons(flying(n, 13, p, **slopes), absorbers(), stations(), Draws(1, "muon"))


@pytest.mark.parametrize(
    ("p", "reached"),
    [(1000.0, 0), (2000.0, 1), (3000.0, 2), (4400.0, 3), (6000.0, 4), (30000.0, 4)],
)
def test_momenta_that_reach_the_stations(p, reached):
    """By hand: minimum ionisation takes 1.3 GeV before M2 and 0.93 GeV a filter; with its rise 1.5 and 1.1 GeV."""
    at = flown(400, p)
    share = np.bincount(at.station, minlength=4) / 400
    assert np.all(share[:reached] > 0.98)
    assert np.all(share[reached:] < 0.02)


def test_energy_loss_is_that_of_bethe():
    """HCAL and lead of 10 GeV muons, in g/cm^2 times stopping power of the PDG tables: iron 1.86, lead 1.49."""
    at = flown(3000, 10_000.0)
    before_m2 = 10_000.0 - at.p[at.station == 0].mean()
    in_filter = at.p[at.station == 0].mean() - at.p[at.station == 1].mean()
    iron, lead, polymer = 7.874 * 1.86, 11.35 * 1.49, 1.06 * 2.39
    assert before_m2 == pytest.approx((93.0 * iron + 14.7 * lead + 34.4 * polymer) * SLOPE, rel=0.04)
    assert in_filter == pytest.approx(80.0 * iron * SLOPE, rel=0.04)


def test_scattering_at_10_gev():
    """2.5 to 3 cm at M2 and 8 to 10 cm at M5, for one who extrapolates linearly."""
    system, at = stations(), flown(4000, 10_000.0, tx=0.0, ty=0.0)
    for station, low, high in ((0, 24.0, 31.0), (3, 79.0, 105.0)):
        here = at.station == station
        for off in (at.x[here], at.y[here]):
            assert low < off.std() < high
            assert abs(off.mean()) < 4.0 * off.std() / np.sqrt(here.sum())
    assert system.z[3] > system.z[0]


def test_scattering_falls_with_the_momentum():
    wide = [flown(2000, p).x[-2000:].std() for p in (10_000.0, 20_000.0, 40_000.0)]
    assert wide[0] / wide[1] == pytest.approx(
        2.15, abs=0.25
    )  # a little more than 2: the soft one loses half its energy
    assert wide[1] / wide[2] == pytest.approx(2.05, abs=0.2)


def test_a_muon_born_behind_the_calorimeters_loses_less():
    late = flying(500, -13, 3000.0)._replace(z=np.full(500, 15_100.0))
    at = fly_muons(late, absorbers(), stations(), Draws(1, "muon"))
    assert np.bincount(at.station, minlength=4)[:3].tolist() == [500] * 3
    assert at.p[at.station == 0] == pytest.approx(3000.0, rel=1e-12)

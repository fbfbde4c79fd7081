"""Hadrons in calorimeters and iron: decays, interactions, punch-through."""

import numpy as np
import pytest
from shots import flying

from lamarrpy.detailed.muon import cascade as room
from lamarrpy.detailed.muon.absorbers import Absorbers, absorbers
from lamarrpy.detailed.muon.cascade import cascade
from lamarrpy.detailed.muon.stations import stations
from lamarrpy.draws import Draws
from lamarrpy.particles import lifetime, mass


def shower(n, pid, p, matter=None):
    return cascade(flying(n, pid, p), matter or absorbers(), stations(), Draws(3, "muon"))


def empty_space():
    """The same length without matter."""
    full = absorbers()
    z = full.z[[0, -1]]
    return Absorbers((), z, np.array([0.0, 1e-6]), np.array([0.0, 1e-6]), full.scale, full.iron)


@pytest.mark.parametrize(("pid", "length"), [(211, 55.9), (-211, 55.9), (321, 7.52)])
def test_decays_in_flight(pid, length):
    """P = 1 - exp(-L / (p l0)), l0 = 55.9 and 7.52 m/GeV."""
    n, p = 20_000, 5.0
    way = 18.870 - 11.900
    made = shower(n, pid, 1e3 * p, empty_space())
    assert 1e-3 * 299.792458 * lifetime(np.array([pid]))[0] / mass(np.array([pid]))[0] * 1e3 == pytest.approx(
        length, rel=0.01
    )
    expected = -np.expm1(-way * np.sqrt(1.0 + 0.05**2 + 0.03**2) / (p * length))
    direct = made.muons.lineage == room.CHILDREN + 1
    fraction = 1.0 if abs(pid) == 211 else 0.6356
    expected *= fraction
    assert direct.sum() / n == pytest.approx(expected, abs=4.0 * np.sqrt(expected / n))
    assert np.all(np.sign(made.muons.pid[direct]) == -np.sign(pid))  # mu+ is -13


def test_in_empty_space_protons_go_through():
    made = shower(100, 2212, 5000.0, empty_space())
    assert np.bincount(made.crossings.station).tolist() == [100] * 4
    assert len(made.muons.pid) == 0


def test_few_protons_get_through_the_calorimeters_without_an_interaction():
    n = 40_000
    made = shower(n, 2212, 20_000.0)
    direct = (made.crossings.lineage == 0) & (made.crossings.station == 0)
    depth = np.interp(stations().z[0], absorbers().z, absorbers().depth) * np.sqrt(1.0 + 0.05**2 + 0.03**2)
    expected = n * np.exp(-depth)
    assert abs(direct.sum() - expected) < 4.0 * np.sqrt(expected) + 1.0


def test_punch_through_grows_with_energy_and_falls_with_depth():
    numbers = [np.bincount(shower(1500, 211, p).crossings.station, minlength=4) for p in (5e3, 20e3, 100e3)]
    assert numbers[0][0] < numbers[1][0] < numbers[2][0]
    for number in numbers:
        assert np.all(np.diff(number) <= 0)
    assert 0.05 < numbers[1][0] / 1500 < 3.0  # a percent of 20 GeV leaks through seven interaction lengths
    assert numbers[1][2] < 0.1 * numbers[1][0]


def test_soft_hadrons_leave_nothing():
    made = shower(2000, 2212, 900.0)  # kinetic energy 0.36 GeV
    assert len(made.crossings.x) == 0


def test_energy_is_not_made():
    """What comes out of the interactions of a generation has less kinetic energy than went in."""
    hadrons = flying(3000, 211, 30_000.0)
    end = room._ends(hadrons, absorbers(), Draws(3, "muon").rows(*hadrons.name))
    born = room._shattered(hadrons, end, Draws(3, "muon"))
    before = room._kinetic(hadrons._replace(p=end.p))[end.interacts]
    total = np.bincount(born.event_id, room._kinetic(born), minlength=3000)[end.interacts]
    assert np.all(total <= before * (1.0 + 1e-12))
    assert 0.5 < (total / before).mean() < 0.85  # a quarter or more goes to neutral pions and nuclei

"""Pads that fire."""

import numpy as np
import pytest

from lamarrpy.detailed.muon.flight import Crossings
from lamarrpy.detailed.muon.hits import fire
from lamarrpy.detailed.muon.stations import stations
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws

NONE = np.zeros(0, np.int64)


def crossings(n, station, x, y):
    ids, zero = np.arange(n), np.zeros(n, np.int64)
    return Crossings(ids, zero, zero, zero, np.full(n, station), x * np.ones(n), y * np.ones(n), np.ones(n))


@pytest.fixture
def quiet(monkeypatch):
    """No random hits."""
    from lamarrpy.detailed.muon import hits

    numbers = {**tuning("muon"), "noise_constant": [0.0] * 4, "noise_share": [0.0] * 4}
    monkeypatch.setattr(hits, "tuning", lambda part: numbers)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("station", "x", "y", "region", "centre"),
    [
        (0, 400.0, 50.0, 0, (63.5 * 6.3, 1.5 * 31.0)),
        (0, -400.0, 50.0, 0, (-63.5 * 6.3, 1.5 * 31.0)),
        (1, 800.0, -100.0, 1, (59.5 * 13.5, -1.5 * 68.0)),
        (3, 10.0, 4900.0, 3, (31.0, 15.5 * 309.0)),
    ],
)
def test_a_crossing_fires_its_pad(station, x, y, region, centre):
    n, system = 2000, stations()
    pads = fire(crossings(n, station, x, y), NONE, np.arange(n), system, Draws(1))
    assert np.all(pads.station == station)
    assert np.all(pads.region == region)
    at_x, at_y = pads.centres(system)
    own = np.isclose(at_x, centre[0]) & np.isclose(at_y, centre[1])
    seen = np.unique(pads.event[own])
    assert len(seen) / n == pytest.approx(system.efficiency, abs=0.006)
    assert 1.0 < len(pads.event) / len(seen) < 1.4
    # neighbours stand beside or above
    apart = (
        np.abs(at_x - centre[0]) / system.pads[station, region, 0]
        + np.abs(at_y - centre[1]) / (system.pads[station, region, 1])
    )
    assert np.all(np.rint(apart) <= 1)


@pytest.mark.usefixtures("quiet")
def test_two_particles_in_a_pad_are_one_hit():
    both = crossings(2, 2, 1000.0, 100.0)._replace(event_id=np.zeros(2, np.int64), particle_id=np.arange(2))
    pads = fire(both, NONE, np.arange(1), stations(), Draws(1))
    assert len(np.unique(pads.place)) == len(pads.place)


@pytest.mark.usefixtures("quiet")
def test_the_hole_is_blind():
    assert len(fire(crossings(100, 0, 0.0, 0.0), NONE, np.arange(100), stations(), Draws(1)).event) == 0


def test_random_hits_grow_with_the_number_of_arrivals():
    n, tuned = 600, tuning("muon")
    none = crossings(0, 0, 0.0, 0.0)
    for each in (0, 200):
        pads = fire(none, np.repeat(np.arange(n), each), np.arange(n), stations(), Draws(1))
        found = np.bincount(pads.station, minlength=4) / n
        expected = np.array(tuned["noise_constant"]) + each * np.array(tuned["noise_share"])
        assert found == pytest.approx(expected, abs=5.0 * np.sqrt(expected.max() / n))
    # as many in each region
    share = np.bincount(pads.region, minlength=4) / len(pads.region)
    assert share == pytest.approx(np.full(4, 0.25), abs=0.03)

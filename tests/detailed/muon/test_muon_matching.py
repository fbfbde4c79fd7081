"""isMuon and the distance of hits, from patterns made by hand."""

import numpy as np
import pytest

from lamarrpy.detailed.muon.hits import COLUMN, Pads
from lamarrpy.detailed.muon.matching import InField, closest, in_field, is_muon, mean_distance, shared
from lamarrpy.detailed.muon.stations import REGIONS, stations
from lamarrpy.detailed.reconstruction.paths import CALORIMETER, Line

PATTERNS = np.array([[int(bit) for bit in f"{number:04b}"] for number in range(16)], bool)
M2, M3, M4, M5 = PATTERNS.T


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (2999.0, np.zeros(16, bool)),
        (3001.0, M2 & M3),
        (5999.0, M2 & M3),
        (6001.0, M2 & M3 & (M4 | M5)),
        (9999.0, M2 & M3 & (M4 | M5)),
        (10001.0, M2 & M3 & M4 & M5),
        (200e3, M2 & M3 & M4 & M5),
    ],
)
def test_is_muon_of_every_pattern(p, expected):
    assert is_muon(PATTERNS, np.full(16, p), stations()).tolist() == expected.tolist()


def pads_at(points):
    """Pads that hold the points (station, event, x, y), in the order that in_field wants."""
    system, rows = stations(), []
    for station, event, x, y in points:
        region = int(system.region(station, np.array([x]), np.array([y]))[0])
        wide, high = system.pads[station, region]
        place = (int(np.floor(x / wide)) + COLUMN // 2) * COLUMN + int(np.floor(y / high)) + COLUMN // 2
        rows.append((station, region, event, place))
    station, region, event, place = np.array(sorted(rows), np.int64).T
    return Pads(station, region, event, place)


def line(tx, ty):
    """Tracks from the collision."""
    tx, ty = np.atleast_1d(tx).astype(float), np.atleast_1d(ty).astype(float)
    return Line(CALORIMETER, CALORIMETER * tx, CALORIMETER * ty, tx, ty)


def test_hits_are_found_in_the_window_and_no_further():
    system, tx, p = stations(), 0.1, 20_000.0
    x = tx * system.z[1]
    wide = system.window(1, 2, np.array([p]))[0][0]
    offsets = np.arange(-8, 9) * 27.0
    pads = pads_at([(1, 0, x + off, 10.0) for off in offsets])
    centres = pads.centres(system)[0]
    found = in_field(line(tx, 0.002), np.zeros(1, np.int64), np.array([p]), pads, system)
    assert sorted(found.pad) == np.flatnonzero(np.abs(centres - x) < wide).tolist()
    assert 0 < len(found.pad) < len(offsets)


def test_hits_of_other_events_are_not_seen():
    system, tx = stations(), 0.1
    pads = pads_at([(1, event, tx * system.z[1], 10.0) for event in (0, 2)])
    found = in_field(line([tx] * 3, [0.001] * 3), np.arange(3), np.full(3, 2e4), pads, system)
    assert sorted(found.track) == [0, 2]


def test_distance_by_hand():
    """One pad whose middle is 20.25 mm and 67.5 mm off in R3 of M3: (1.5)^2 + (1)^2 half pads."""
    system, z = stations(), stations().z[1]
    x, y = (60 + 0.5) * 27.0, (2 + 0.5) * 135.0
    pads = pads_at([(1, 0, x, y)])
    found = in_field(line((x - 20.25) / z, (y - 67.5) / z), np.zeros(1, np.int64), np.array([15_000.0]), pads, system)
    assert found.distance == pytest.approx([1.5**2 + 1.0])


def test_the_closest_hit_counts_and_stations_are_averaged():
    found = InField(np.array([0, 0, 0, 2]), np.arange(4), np.array([0, 0, 2, 3]), np.array([4.0, 2.0, 5.0, 1.0]))
    least = closest(found, 3)
    assert mean_distance(least)[[0, 2]] == pytest.approx([3.5, 1.0])
    assert np.isnan(mean_distance(least)[1])


def test_who_shares_hits():
    found = InField(
        np.array([0, 1, 0, 1, 2, 3, 4]), np.array([7, 7, 8, 8, 8, 9, 9]), np.zeros(7, np.int64), np.zeros(7)
    )
    everyone = np.full(5, True)
    assert shared(found, everyone).tolist() == [2, 2, 2, 1, 1]
    assert shared(found, np.array([True, True, False, True, False])).tolist() == [1, 1, 0, 0, 0]


def test_all_regions_are_searched():
    system = stations()
    slope = np.array([1.5, 3.0, 6.0, 12.0]) * 300.0 / 15270.0
    pads = pads_at([(s, i, t * system.z[s], 20.0) for i, t in enumerate(slope) for s in range(4)])
    found = in_field(line(slope, np.full(4, 0.001)), np.arange(4), np.full(4, 3e4), pads, system)
    assert len(found.track) == 4 * REGIONS
    assert np.isfinite(closest(found, 4)).all()

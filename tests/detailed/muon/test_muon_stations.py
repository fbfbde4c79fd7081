"""The geometry of the muon stations, and the size of the fields of interest."""

import numpy as np
import pytest

from lamarrpy.detailed.muon.absorbers import absorbers
from lamarrpy.detailed.muon.stations import REGIONS, stations


def test_regions_double_outwards():
    system = stations()
    for station in range(4):
        wide, high = system.hole[station]
        for region in range(REGIONS):
            inner, outer = 2.0**region, 2.0 ** (region + 1)
            x = np.array([inner * wide + 1.0, outer * wide - 20.0, 0.0, -inner * wide - 1.0])
            y = np.array([0.0, 0.0, outer * high - 20.0, outer * high - 20.0])
            assert system.region(station, x, y).tolist() == [region] * 4


def test_the_hole_and_the_outside_belong_to_no_region():
    system = stations()
    x, y = np.array([0.0, 299.0, 4801.0, 0.0, np.nan]), np.array([0.0, 249.0, 0.0, 4001.0, 0.0])
    assert system.region(0, x, y).tolist() == [-1] * 5


def test_stations_are_projective():
    system = stations()
    assert system.hole[:, 0] / system.z == pytest.approx(np.full(4, 300.0 / 15270.0), rel=0.01)
    assert system.outer[:, 1] / system.z == pytest.approx(np.full(4, 4000.0 / 15270.0), rel=0.01)


def test_acceptance_is_that_of_the_first_and_the_last_station():
    system = stations()
    first = np.array([[1000.0, 0.0], [3850.0, 0.0], [230.0, 190.0], [230.0, 210.0], [3830.0, 0.0]])
    last = np.array([[1500.0, 0.0], [5900.0, 0.0], [400.0, 0.0], [380.0, 0.0], [5960.0, 0.0]])
    inside = system.accepts((first[:, 0], first[:, 1]), (last[:, 0], last[:, 1]))
    assert inside.tolist() == [True, False, False, True, False]


def test_field_of_interest_by_hand():
    """M3, R2 at 8 GeV: x 1.2 (4.4 + 31 exp(-0.48)) = 28.299, y 1.2 (2.8 + 25 exp(-1.52)) = 9.921 half pads."""
    system, p = stations(), np.array([8000.0])
    assert system.field.half_pads(0, 1, 1, p)[0] == pytest.approx(28.299, abs=0.001)
    assert system.field.half_pads(1, 1, 1, p)[0] == pytest.approx(9.921, abs=0.001)
    wide, high = system.window(1, 1, p)
    assert wide[0] == pytest.approx(28.299 * 6.75, abs=0.01)
    assert high[0] == pytest.approx(9.921 * 34.0, abs=0.04)


def test_the_exponential_ends_at_a_tev_and_scattering_is_the_least():
    system, p = stations(), np.array([999e3, 1001e3])
    assert system.field.half_pads(0, 0, 0, p) == pytest.approx(1.2 * 5.2)
    # M5, R4 at 12 GeV: LHCb's 1.2 (2.8 + 151 exp(-5.88)) 31 = 120 mm is less than 2400 / 12
    assert system.window(3, 3, np.array([12e3]))[0][0] == pytest.approx(200.0)
    assert system.window(3, 3, np.array([60e3]))[0][0] == pytest.approx(1.2 * 2.8 * 31.0, rel=1e-3)


def test_matter_is_that_of_calorimeters_and_iron():
    matter, system = absorbers(), stations()
    depth = np.interp(system.z, matter.z, matter.depth)
    assert depth[0] == pytest.approx(6.85, abs=0.2)  # 1.2 in front of the HCAL and 5.6 in it
    assert np.diff(depth) == pytest.approx(np.full(3, 800.0 / 167.8), rel=0.01)
    x_over_x0 = [slab.x_over_x0 for slab in matter.slabs if slab.x_over_x0 > 0.1]
    assert sum(x_over_x0[:3]) == pytest.approx(80.0, abs=2.0)
    assert x_over_x0[3:] == pytest.approx([45.5] * 3, abs=0.1)
    # heavy nuclei are blacker for pions than light ones: 1.217 in iron
    assert dict(matter.scale)[211] == pytest.approx(1.217, abs=0.002)


def test_tracks_at_the_edges_belong_to_the_nearest_region():
    system = stations()
    x, y = np.array([295.0, 4810.0, 700.0]), np.array([0.0, 0.0, 0.0])
    assert system.nearest_region(0, x, y).tolist() == [0, 3, 1]
    assert system.region(0, x, y).tolist() == [-1, -1, 1]

from __future__ import annotations

import numpy as np
import pytest

from lamarrpy.detailed.calorimeter.cells import ecal, hcal
from lamarrpy.detailed.muon.stations import stations
from lamarrpy.stages.track_end import DEEP, Frame, Way, calorimeter_frames, muon_depth, muon_frames, way_behind


def test_depth_is_the_distance_to_the_nearest_edge():
    frame = Frame(0.0, (500.0, 300.0), (50.0, 40.0))
    x = np.array([0.0, 60.0, 0.0, -490.0, 0.0, 505.0, 1e4])
    y = np.array([0.0, 0.0, -45.0, 0.0, 298.0, 310.0, 0.0])
    np.testing.assert_allclose(frame.depth(x, y), [-40.0, 10.0, 5.0, 10.0, 2.0, -10.0, -DEEP])


def test_octaves_are_the_borders_of_regions():
    x, y = np.array([350.0, 610.0, 0.0, 2500.0, 0.0]), np.array([0.0, 0.0, 1001.0, 0.0, 0.0])
    np.testing.assert_array_equal(np.floor(muon_frames()[1].octaves(x, y)), stations().nearest_region(0, x, y))


def test_inside_means_what_the_detailed_simulation_means_by_it():
    random = np.random.default_rng(1)
    tx, ty = random.uniform(-0.35, 0.35, (2, 4000))
    way = Way(0.0, np.zeros(4000), np.zeros(4000), tx, ty)
    system = stations()
    accepted = system.accepts(way.at(system.first_z), way.at(float(system.z[-1])))
    np.testing.assert_array_equal(muon_depth(way) >= 0.0, accepted)
    for frame, cells in zip(calorimeter_frames(), (ecal(), hcal()), strict=True):
        assert frame.z == pytest.approx(cells.z)
        np.testing.assert_array_equal(way.depth(frame) >= 0.0, cells.at(*way.at(frame.z)) < cells.number)


def test_tracks_that_end_before_the_magnet_are_nowhere():
    columns = {name: np.array([500.0, 500.0, np.nan]) for name in ("x_ecal", "y_ecal", "tx_ecal", "ty_ecal")}
    columns |= {name: np.array([0.01, 0.01, np.nan]) for name in ("tx_ecal", "ty_ecal")}
    way = way_behind(columns | {"track_type": np.array([3, 4, 5])})
    assert (muon_depth(way) > -DEEP).tolist() == [True, False, False]

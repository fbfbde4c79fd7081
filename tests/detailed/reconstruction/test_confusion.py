"""Confusion of hits: grows with occupancy, and is not there where there is nothing to be confused."""

from dataclasses import replace

import numpy as np
import pytest
from events import crowd, measured

from lamarrpy.detailed.geometry import Kind, lhcb_detector
from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.confusion import crossing_of_hits, pick, roads
from lamarrpy.detailed.reconstruction.neighbours import join, pool_of, take
from lamarrpy.detailed.reconstruction.search import shipped_search
from lamarrpy.draws import Draws

DETECTOR = lhcb_detector()


def picked(particles, **changes):
    """Hits of particles, and what is picked of them without noise."""
    truth, hits = measured(particles)
    at = crossing_of_hits(truth, hits.row, hits.plane, len(DETECTOR.planes))
    search = replace(shipped_search(), **changes)
    pool = pool_of(hits, truth.crossings.y[at] > 0.0, np.unique(particles.event_id), DETECTOR)
    draws = Draws(1, "f").rows(hits.event_id, hits.particle_id, hits.plane)
    return hits, pick(pool, len(hits.row), roads(truth, hits, DETECTOR, search), search, draws)


def straws(plane, *wires_and_drifts):
    """Hits of different particles in the first monolayer of an OT plane."""
    n, number = len(wires_and_drifts), DETECTOR.plane_number(plane)
    wire, drift = (np.array(column, float) for column in zip(*wires_and_drifts, strict=True))
    ids, z = np.zeros(n, np.int64), DETECTOR.planes[number].z - 2.75
    one, rows = np.ones(n), np.arange(n)
    return Hits(
        ids,
        rows,
        rows,
        np.full(n, number),
        np.full(n, 4),
        z * one,
        one,
        0 * one,
        wire + drift,
        0.2 * one,
        drift,
        ids + 1,
    )


def pick_straws(hits, road=1e-6, **changes):
    pool = pool_of(hits, np.ones(len(hits.row), bool), np.array([0]), DETECTOR)
    draws = Draws(1, "f").rows(hits.event_id, hits.particle_id, hits.plane)
    return pick(pool, len(hits.row), np.full(len(hits.row), road), replace(shipped_search(), **changes), draws)


def test_alone_there_is_no_confusion():
    hits, held = picked(crowd(50, 1), side_drift=-10.0)
    assert held.right.all()
    for a, b in zip(hits, held.hits, strict=True):
        assert np.array_equal(a, b)


def test_confusion_grows_with_occupancy():
    wrong = []
    for each in (10, 100, 400):
        hits, held = picked(crowd(max(1000 // each, 5), each))
        wrong.append(1.0 - np.count_nonzero(held.right) / len(hits.row))
    assert wrong[0] < 0.005
    assert wrong[1] > 2 * wrong[0]
    assert wrong[2] > 2 * wrong[1]


def test_soft_particles_are_confused_more():
    def wrong_in_velo(p):
        _, held = picked(crowd(10, 150, p=p))
        return np.mean(~held.right[held.hits.kind <= Kind.velo_phi])

    assert wrong_in_velo(1.5e3) > 1.25 * wrong_in_velo(5e4)


def test_wrong_hits_are_those_of_others_in_the_same_plane():
    hits, held = picked(crowd(10, 200))
    wrong = ~held.right
    assert wrong.sum() > 100
    assert np.all(held.hits.row[wrong] != held.row[wrong])
    assert np.array_equal(held.hits.row[held.right], held.row[held.right])
    order = np.lexsort((held.hits.z, held.row))
    assert np.array_equal(order, np.arange(len(order)))
    event = np.zeros(hits.row.max() + 1, np.int64)
    event[hits.row] = hits.event_id
    assert np.array_equal(event[held.row], held.hits.event_id)


def test_roads_are_the_error_where_nothing_scatters():
    truth, hits = measured(crowd(20, 5, p=1e6, pid=(13, -13)))
    road = roads(truth, hits, DETECTOR, shipped_search())
    ratio = road / (np.sqrt(2.0) * hits.error)
    assert ratio.min() > 1.0 - 1e-12
    assert np.median(ratio) == pytest.approx(1.0, abs=0.01)


def test_a_straw_tells_the_first_signal_only():
    hits = straws("ot_1_x1", (105.0, 2.0), (105.0, 1.0), (525.0, 1.5))
    held = pick_straws(hits)
    # the second hides the first, and lies outside its narrow road
    assert list(held.row) == [1, 2]
    assert held.right.all()
    wide = pick_straws(hits, road=0.4)
    assert list(wide.row) == [0, 1, 2]
    assert list(wide.right) == [False, True, True]
    assert wide.hits.measurement[0] == pytest.approx(106.0)


def test_the_nearer_hit_is_taken():
    # a tenth of a millimetre apart in neighbouring straws, with a road as wide
    near = [(105.0 + 5.25 * 8 * i, 2.575) for i in range(90)]
    other = [(wire + 5.25, -2.575) for wire, _ in near]
    held = pick_straws(straws("ot_1_x1", *near, *other), road=0.1, side_drift=-10.0)
    wrong = np.mean(~held.right)
    # the part of a Gaussian of width 0.1 beyond 0.05 on one side
    assert wrong == pytest.approx(0.3085, abs=0.1)


def test_sides_are_tossed_near_the_wire():
    hits = straws("ot_1_x1", *((105.0 + 10.5 * i, 0.1 if i % 2 else 1.0) for i in range(240)))
    held = pick_straws(hits)
    near = hits.drift < 0.5
    flipped = held.hits.side < 0
    assert not flipped[~near].any()
    assert np.mean(flipped[near]) == pytest.approx(0.5, abs=0.15)
    mirrored = hits.measurement - 2 * hits.drift
    assert held.hits.measurement[flipped] == pytest.approx(mirrored[flipped])
    assert np.array_equal(held.hits.measurement[~flipped], hits.measurement[~flipped])


def test_kinds_are_all_there():
    _, held = picked(crowd(2, 20))
    assert set(held.hits.kind) == set(map(int, Kind))
    both = join(held.hits, take(held.hits, slice(3)))
    assert len(both.row) == len(held.row) + 3

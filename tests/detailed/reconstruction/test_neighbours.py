"""The order of hits: who stands next to whom."""

import numpy as np
import pytest
from events import crowd, measured
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.detailed.geometry import Kind, lhcb_detector
from lamarrpy.detailed.reconstruction.confusion import crossing_of_hits
from lamarrpy.detailed.reconstruction.neighbours import (
    coordinate_of,
    group_of,
    key_of,
    nearest,
    polar,
    pool_of,
    take,
)

DETECTOR = lhcb_detector()


@pytest.fixture(scope="module")
def hits():
    particles = crowd(10, 40)
    truth, hits = measured(particles)
    at = crossing_of_hits(truth, hits.row, hits.plane, len(DETECTOR.planes))
    return truth, hits, at, pool_of(hits, truth.crossings.y[at] > 0.0, np.unique(particles.event_id), DETECTOR)


def test_crossings_are_those_of_the_hits(hits):
    truth, hits, at, _ = hits
    assert np.array_equal(truth.crossings.row[at], hits.row)
    assert np.array_equal(truth.crossings.plane[at], hits.plane)


def test_velo_hits_are_where_the_particle_was(hits):
    truth, hits, at, _ = hits
    velo = hits.kind <= Kind.velo_phi
    r, azimuth = (column[velo] for column in polar(hits, DETECTOR))
    x, y = truth.crossings.x[at][velo], truth.crossings.y[at][velo]
    assert np.quantile(np.abs(r - np.hypot(x, y)), 0.95) < 0.15
    assert np.cos(azimuth - np.arctan2(y, x)) == pytest.approx(np.ones(velo.sum()), abs=1e-3)


@given(st.floats(-3000.0, 3000.0), st.floats(-3000.0, 3000.0), st.integers(0, 10**6), st.integers(0, 10**6))
def test_keys_are_in_the_order_of_group_and_coordinate(a, b, first, second):
    one, two = (key_of(np.array([g]), np.array([c]))[0] for g, c in ((first, a), (second, b)))
    if first != second:
        assert (one < two) == (first < second)
    elif abs(a - b) > 1e-5:
        assert (one < two) == (a < b)


def test_sections_keep_apart_what_cannot_be_confused(hits):
    _, hits, _, pool = hits
    straw = hits.kind == Kind.straw
    assert set(pool.at.section[straw]) == {0, 1, 2, 3}
    assert set(pool.at.section[hits.kind == Kind.strip]) == {0, 2}
    assert set(pool.at.section[hits.kind == Kind.velo_r]) == set(range(8))
    assert set(pool.at.section[hits.kind == Kind.velo_phi]) == {0, 1}


def test_distance_of_phi_strips_is_that_across_them(hits):
    _, hits, _, _ = hits
    phi = take(hits, np.flatnonzero(hits.kind == Kind.velo_phi)[:200])
    r, azimuth = polar(phi, DETECTOR)
    step = 1e-4  # rad
    moved = np.arctan2(phi.sin, phi.cos) + step
    turned = phi._replace(cos=np.cos(moved), sin=np.sin(moved))
    above = np.ones(len(r), bool)
    one, two = (coordinate_of(h, above, DETECTOR) for h in (phi, turned))
    assert (two.along - one.along) * one.scale == pytest.approx(step * r, rel=1e-6)
    assert np.isfinite(azimuth).all()


def test_nearest_is_nearest(hits):
    _, hits, _, pool = hits
    plane = DETECTOR.plane_number("ot_2_x1")
    rng = np.random.default_rng(3)
    wanted, section = rng.uniform(-1500.0, 1500.0, 300), rng.integers(0, 4, 300)
    event = rng.integers(0, 10, 300)
    group = group_of(event, np.full(300, plane), section, len(DETECTOR.planes))
    chosen = nearest(pool, group, wanted, np.full(300, 100.0))
    assert 0 < np.count_nonzero(chosen < 0) < 300
    for i in range(300):
        here = (hits.event_id == event[i]) & (hits.plane == plane) & (pool.at.section == section[i])
        distance = np.where(here, np.abs(hits.measurement - wanted[i]), np.inf)
        assert chosen[i] == (np.argmin(distance) if distance.min() < 100.0 else -1)


def test_nothing_is_near_nothing():
    empty = pool_of(*_nothing(), np.zeros(0, np.int64), DETECTOR)
    assert list(nearest(empty, np.array([5]), np.array([0.0]), np.array([1e3]))) == [-1]


def _nothing():
    hits = measured(crowd(1, 0))[1]
    return hits, np.zeros(0, bool)

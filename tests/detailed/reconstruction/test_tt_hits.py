"""TT hits along a way: those of its particle, on one line, or none."""

import numpy as np
import pytest
from events import crowd, measured

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.reconstruction.confusion import crossing_of_hits
from lamarrpy.detailed.reconstruction.layers import layers_of
from lamarrpy.detailed.reconstruction.matching import MID_TT, crossing_of, straight_to
from lamarrpy.detailed.reconstruction.neighbours import pool_of
from lamarrpy.detailed.reconstruction.search import shipped_search
from lamarrpy.detailed.reconstruction.tt_hits import tt_hits

DETECTOR = lhcb_detector()


@pytest.fixture(scope="module")
def event():
    """Hits of muons one an event, and where they are at mid TT."""
    particles = crowd(60, 1, p=2e4, eta=(2.6, 4.0), pid=(13, -13))
    truth, hits = measured(particles)
    at = crossing_of_hits(truth, hits.row, hits.plane, len(DETECTOR.planes))
    layers = layers_of(DETECTOR)
    state, _ = crossing_of(truth, layers.tt[truth.crossings.plane], layers.z)
    pool = pool_of(hits, truth.crossings.y[at] > 0.0, np.arange(60), DETECTOR)
    return hits, pool, straight_to(state, MID_TT)


def pick_up(event, shift_x=0.0, shift_y=0.0):
    _, pool, way = event
    moved = way._replace(x=way.x + shift_x, y=way.y + shift_y)
    return tt_hits(pool, np.arange(60), moved, np.full(60, 5e-5), DETECTOR, shipped_search())


@pytest.mark.parametrize("shift", [0.0, 0.8, -0.8])
def test_own_hits_are_found_from_a_little_off(event, shift):
    hits, (track, hit) = event[0], pick_up(event, shift)
    assert np.array_equal(hits.row[hit], track)
    assert layers_of(DETECTOR).tt[hits.plane[hit]].all()
    assert np.mean(np.bincount(track, minlength=60) >= 3) > 0.95


def test_nothing_is_found_far_off(event):
    assert len(pick_up(event, 50.0)[0]) == 0


def test_hits_have_to_be_on_a_line(event):
    # 20 mm in y move the stereo layers against the others by 1.7 mm
    assert len(pick_up(event, 0.0, 20.0)[0]) == 0

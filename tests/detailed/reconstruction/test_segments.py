"""Segment rules on patterns of hits made by hand."""

import numpy as np
import pytest

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.confusion import Picked
from lamarrpy.detailed.reconstruction.layers import in_every_station, layers_in, layers_of, pattern
from lamarrpy.detailed.reconstruction.segments import find_segments

DETECTOR = lhcb_detector()
LAYERS = layers_of(DETECTOR)


def planes(*names):
    return [DETECTOR.plane_number(name) for name in names]


def velo(r, phi):
    return planes(*(f"velo_left_{i}_r" for i in range(r)), *(f"velo_left_{i}_phi" for i in range(phi)))


def ot(*layers):
    """OT planes by number of layer, 0 ... 11."""
    return planes(*(f"ot_{n // 4 + 1}_{('x1', 'u', 'v', 'x2')[n % 4]}" for n in layers))


def found(numbers, wrong=0, purity=0.7):
    """What the hits of one particle in these planes make, the last so many of which are another's."""
    plane = np.array(numbers, dtype=np.intp)
    n = len(plane)
    zero, ids = np.zeros(n), np.zeros(n, np.int64)
    hits = Hits(ids, ids, ids, plane, ids, LAYERS.z[plane], zero, zero, zero, zero, zero, ids)
    held = Picked(np.zeros(n, np.intp), hits, np.arange(n) < n - wrong)
    segments = find_segments(held, 1, DETECTOR, purity)
    return tuple(bool(part[0]) for part in segments)


def test_layers_are_numbered_by_station():
    names = [plane.name for plane in DETECTOR.planes]
    for name, layer in (("it_1_x1", 0), ("ot_1_x1", 0), ("ot_1_x2", 3), ("it_2_u", 5), ("ot_3_x2", 11), ("tt_b_v", 2)):
        assert LAYERS.layer[names.index(name)] == layer
    assert [names[i] for i in np.flatnonzero(LAYERS.tt & LAYERS.stereo)] == ["tt_a_u", "tt_b_v"]
    assert LAYERS.velo_r.sum() == LAYERS.velo_phi.sum() == 42
    assert np.all(LAYERS.layer[~(LAYERS.t | LAYERS.tt)] == -1)


@pytest.mark.parametrize(("r", "phi", "expected"), [(3, 3, True), (2, 6, False), (6, 2, False), (0, 0, False)])
def test_velo_needs_three_of_each(r, phi, expected):
    assert found(velo(r, phi)) == (expected, False, False)


@pytest.mark.parametrize(("names", "expected"), [("xuv", True), ("xu", False), ("xuvy", True)])
def test_tt_needs_three_layers(names, expected):
    where = {"x": "tt_a_x", "u": "tt_a_u", "v": "tt_b_v", "y": "tt_b_x"}
    assert found(planes(*(where[n] for n in names))) == (False, expected, False)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [(range(9), True), (range(8), False), ([0, *range(4, 12)], True), (range(4, 12), False), (range(12), True)],
)
def test_t_needs_nine_layers_in_all_stations(layers, expected):
    assert found(ot(*layers))[2] is expected


def test_two_hits_in_a_layer_are_one_layer():
    twice = [plane for plane in ot(*range(8)) for _ in range(2)]
    assert not found(twice)[2]
    assert not found(sorted([*twice, *planes("it_1_x1", "it_2_u")]))[2]
    assert found([*twice, *planes("it_3_x1")])[2]


def test_wrong_hits_do_not_count_and_spoil():
    assert found(ot(*range(12)), wrong=3)[2]
    assert not found(ot(*range(12)), wrong=4)[2]
    assert not found(ot(*range(10)), wrong=2)[2]
    # 10 layers right out of 15 hits: less than 70 %
    assert not found([*ot(*range(10)), *ot(*range(5))], wrong=5)[2]
    assert found([*ot(*range(10)), *ot(*range(4))], wrong=4)[2]
    assert found(velo(3, 3) + velo(2, 0), wrong=2)[0]
    assert not found(velo(3, 3) + velo(3, 0), wrong=3)[0]


def test_patterns():
    row, layer = np.array([0, 0, 0, 2]), np.array([0, 4, 11, 3])
    bits = pattern(row, layer, 4)
    assert list(layers_in(bits)) == [3, 0, 1, 0]
    assert list(in_every_station(bits)) == [True, False, False, False]

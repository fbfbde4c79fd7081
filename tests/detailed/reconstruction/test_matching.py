"""Matching: errors of segments, windows, and what leaves them."""

import numpy as np
import pytest
from guns import gun
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.hits import measure
from lamarrpy.detailed.reconstruction.confusion import Picked
from lamarrpy.detailed.reconstruction.layers import layers_of
from lamarrpy.detailed.reconstruction.matching import (
    MAGNET,
    MID_T,
    POOREST_SLOPE,
    Ends,
    Parts,
    crossing_of,
    kink_residuals,
    match,
    measured_parts,
    pull,
    straight_line_errors,
    straight_to,
    within,
)
from lamarrpy.detailed.reconstruction.search import shipped_search
from lamarrpy.detailed.transport import Fate, transport
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field
from lamarrpy.propagation import State


def test_errors_of_evenly_spaced_hits():
    # n hits of error s over a length L, evenly: position s / sqrt(n), slope s sqrt(12 (n - 1) / (n (n + 1))) / L
    n, s, length = 10, 0.05, 300.0
    position, slope = straight_line_errors(
        np.zeros(n, np.intp), np.linspace(2000.0, 2000.0 + length, n), np.full(n, s**-2), 1
    )
    assert position[0] == pytest.approx(s / np.sqrt(n))
    assert slope[0] == pytest.approx(s * np.sqrt(12 * (n - 1) / (n * (n + 1))) / length, rel=1e-6)


def test_errors_of_too_few_hits():
    position, slope = straight_line_errors(np.array([1]), np.array([100.0]), np.array([4.0]), 3)
    assert list(position) == [0.0, 0.5, 0.0]
    assert list(slope) == [POOREST_SLOPE] * 3


@given(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(-1.0, 1.0), st.floats(-50.0, 50.0), st.floats(-50.0, 50.0))
def test_a_turn_about_the_magnet_is_no_residual_in_x(tx, ty, turn, dx, dy):
    way = State(*(np.array([v]) for v in (MID_T * tx, MID_T * ty, MID_T, tx, ty, 1e-4)))
    other = way._replace(x=way.x + turn * (MID_T - MAGNET) + dx, y=way.y + dy, tx=way.tx + turn)
    y, x = kink_residuals(way, other)
    assert y[0] == pytest.approx(dy, abs=1e-9)
    assert x[0] == pytest.approx(dx, abs=1e-9)


def test_windows_grow_for_soft_tracks():
    qop = np.array([1e-3, 1e-4, 1e-9])
    assert pull(np.full(3, 5.0), 3.0, 40.0, qop) == pytest.approx(5.0 / np.sqrt(9.0 + np.array([1600.0, 16.0, 0.0])))
    assert list(within(np.array([np.nan, 39.0, 41.0]), 0.0, 40.0, np.full(3, 1e-3))) == [False, True, False]


def test_first_and_last_crossings():
    detector, field = lhcb_detector(), magnetic_field("lhcb")
    truth = transport(gun(50, 13, 2e4, 3.0, spread=30.0), detector, field, Draws(1, "t"))
    layers = layers_of(detector)
    part = layers.velo[truth.crossings.plane]
    first, _ = crossing_of(truth, part, layers.z, last=False)
    last, exists = crossing_of(truth, part, layers.z)
    assert exists.all()
    for row in range(50):
        z = layers.z[truth.crossings.plane[part & (truth.crossings.row == row)]]
        assert (first.z[row], last.z[row]) == (z.min(), z.max())
    # next to no field in the VELO: the same straight line, up to scattering
    assert straight_to(first, 700.0).x == pytest.approx(straight_to(last, 700.0).x, abs=0.5)
    none, exists = crossing_of(truth, np.zeros(len(part), bool), layers.z)
    assert not exists.any()
    assert np.isfinite(np.array(none)).all()


@pytest.fixture(scope="module")
def matched():
    """Matches of muons, pions and electrons of 5 GeV, each hit the right one."""
    detector, field = lhcb_detector(), magnetic_field("lhcb")
    out = {}
    for pid in (13, 211, 11):
        particles = gun(400, [pid, -pid], 5e3, 3.2, seed=pid, spread=30.0)
        truth = transport(particles, detector, field, Draws(1, "t"))
        hits = measure(truth, detector, Draws(1, "h"))
        held = Picked(hits.row, hits, np.ones(len(hits.row), bool))
        draws = Draws(1, "f").rows(particles.event_id, particles.particle_id)
        parts = measured_parts(truth, held, detector, draws)
        out[pid] = truth, parts, match(parts, field, shipped_search())
    return out


def test_scattering_takes_few_muons_out_of_the_window(matched):
    truth, _, matches = matched[13]
    through = truth.fate == Fate.reached_end
    assert 0.9 < matches.velo_t[through].mean() < 1.0
    assert 0.95 < matches.velo_tt[through].mean() <= 1.0
    assert np.array_equal(matches.velo_t, matches.distance < 1.0)


def test_radiation_takes_electrons_out(matched):
    assert matched[11][2].velo_t.mean() < matched[13][2].velo_t.mean() - 0.1


def test_what_does_not_get_to_t_is_not_matched(matched):
    truth, parts, matches = matched[211]
    lost = truth.end_z < 7600.0
    assert lost.sum() > 15
    assert not matches.velo_t[lost].any()
    assert np.isinf(matches.distance[~parts.t.exists]).all()


def test_segments_of_different_particles_do_not_match(matched):
    _, (velo, tt, t), _ = matched[13]
    order = np.roll(np.arange(len(t.exists)), 7)
    other = Parts(velo, tt, Ends(t.state.at(order), t.exists[order]))
    assert match(other, magnetic_field("lhcb"), shipped_search()).velo_t.mean() < 0.02


def test_the_momentum_need_not_be_known(matched):
    _, (velo, tt, t), matches = matched[13]
    softer = Parts(Ends(velo.state._replace(qop=1.05 * velo.state.qop), velo.exists), tt, t)
    assert match(softer, magnetic_field("lhcb"), shipped_search()).velo_t.mean() > 0.95 * matches.velo_t.mean()

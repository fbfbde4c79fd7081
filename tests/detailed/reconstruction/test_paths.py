"""Where tracks are looked for in RICH, calorimeters and muon stations."""

import numpy as np
import pytest
from guns import gun
from scipy.optimize import brentq
from scipy.special import erf

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.reconstruction.candidates import TrackType
from lamarrpy.detailed.reconstruction.paths import CALORIMETER, RICH1, paths_of
from lamarrpy.detailed.transport import Physics, transport
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field
from lamarrpy.propagation import State

DETECTOR, FIELD = lhcb_detector(), magnetic_field("lhcb")
NOTHING = Physics(False, False, False, False, False, False)
N = 3000


@pytest.fixture(scope="module")
def truth():
    return transport(gun(N, 13, 20e3, (2.5, 4.0)), DETECTOR, FIELD, Draws(1), NOTHING)


def state_of(truth):
    one = truth.particles
    p = np.sqrt(one.px**2 + one.py**2 + one.pz**2)
    return State(one.x, one.y, one.z, one.px / one.pz, one.py / one.pz, -1.0 / p)


def tracks(truth, row=None, kind=TrackType.long, rows=slice(None), seed=2):
    row = np.arange(N)[rows] if row is None else row
    state, event = state_of(truth).at(rows), truth.particles.event_id[rows]
    return paths_of(event, row, np.full(len(row), int(kind)), state, truth, DETECTOR, FIELD, Draws(seed))


def true_slope(truth, plane):
    at = truth.crossing_at(DETECTOR.plane_number(plane))
    return np.where(at >= 0, truth.crossings.tx[at], np.nan)


def width(values):
    values = values[np.isfinite(values)]
    return np.quantile(np.abs(values - np.median(values)), 0.6827)


def with_tails(error, place):
    """The half-width that holds 68.27 % of a normal distribution, some of which is wider by the factor of tails."""
    tuned = tuning("path")
    share, times = tuned["tail_share"][place], tuned["tail_width"]
    inside = lambda q: (1.0 - share) * erf(q / np.sqrt(2)) + share * erf(q / times / np.sqrt(2)) - 0.6827  # noqa: E731
    return error * brentq(inside, 0.5, 3.0)


@pytest.mark.parametrize(("kind", "name"), [(TrackType.long, "rich1_long"), (TrackType.downstream, "rich1_downstream")])
def test_directions_in_rich1_are_known_as_well_as_they_should(truth, kind, name):
    found = tracks(truth, kind=kind).rich1
    true = 0.5 * (true_slope(truth, "rich1_begin") + true_slope(truth, "rich1_end"))
    tuned = tuning("path")
    expected = np.hypot(tuned[name], tuned["rich1_soft"] / 20.0)
    assert 1e3 * width(found.tx - true) == pytest.approx(with_tails(expected, 0), rel=0.07)


def test_the_error_behind_the_magnet_is_one_for_direction_and_position(truth):
    found = tracks(truth)
    tuned = tuning("path")
    off = found.calorimeter.tx - true_slope(truth, "rich2_end")
    assert 1e3 * width(off) == pytest.approx(
        with_tails(np.hypot(tuned["rich2"], tuned["rich2_soft"] / 20.0), 1), rel=0.07
    )
    at = truth.crossing_at(DETECTOR.plane_number("rich2_end"))
    moved = found.calorimeter.x - truth.crossings.x[at] - (CALORIMETER - 9450.0) * off
    reached = at >= 0
    assert width(moved[reached]) == pytest.approx(tuned["shift_x"], rel=0.1)


def test_upstream_tracks_are_not_known_behind_the_magnet(truth):
    found = tracks(truth, kind=TrackType.upstream)
    assert not found.behind_magnet.any()
    assert np.isnan(found.rich2.tx).all()
    assert np.isfinite(found.rich1.tx).all()


def test_ghosts_go_where_their_fit_goes(truth):
    ghosts = tracks(truth, row=np.full(N, -1))
    reached = np.isfinite(true_slope(truth, "rich2_end"))
    # nothing scatters here: the perfect fit carried through the field is the truth
    assert np.nanmax(np.abs(ghosts.calorimeter.tx - true_slope(truth, "rich2_end"))[reached]) < 2e-5
    assert ghosts.rich1.z == RICH1


def test_a_track_does_not_know_its_neighbours(truth):
    whole, part = tracks(truth), tracks(truth, rows=slice(40, 90))
    for one, other in zip(whole[5:], part[5:], strict=True):
        assert all(np.array_equal(a[40:90], b, equal_nan=True) for a, b in zip(one.columns, other.columns, strict=True))


def test_momentum_and_charge_are_those_of_the_fit(truth):
    found = tracks(truth)
    assert np.allclose(found.p, 20e3)
    assert (found.charge == -1).all()

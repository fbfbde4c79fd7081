"""Hits: residuals, efficiencies, numbers of hits on a track."""

import numpy as np
import pytest
from guns import gun
from scipy.stats import norm

from lamarrpy.detailed.geometry import Kind, lhcb_detector
from lamarrpy.detailed.hits import measure
from lamarrpy.detailed.transport import Fate, Physics, transport
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field


@pytest.fixture(scope="module")
def tracks():
    detector = lhcb_detector()
    particles = gun(6000, [13, -13], (3e3, 5e4), (2.2, 4.6), seed=1, spread=40.0)
    truth = transport(particles, detector, magnetic_field("lhcb"), Draws(1, "t"))
    return detector, truth, measure(truth, detector, Draws(1, "h"))


def residuals(tracks):
    """Measured less true coordinate of every hit."""
    detector, truth, hits = tracks
    at = truth.crossings
    index = np.full((len(truth.fate), len(detector.planes)), -1)
    index[at.row, at.plane] = np.arange(len(at.row))
    found = index[hits.row, hits.plane]
    assert found.min() >= 0
    dz = hits.z - np.array([plane.z for plane in detector.planes])[hits.plane]
    x, y = at.x[found] + dz * at.tx[found], at.y[found] + dz * at.ty[found]
    return hits.measurement - (x * hits.cos + y * hits.sin)


@pytest.mark.parametrize("kind", list(Kind))
def test_residuals_have_the_width_of_the_error(tracks, kind):
    chosen = tracks[2].kind == kind
    pull = (residuals(tracks) / tracks[2].error)[chosen]
    assert len(pull) > 10_000
    assert pull.mean() == pytest.approx(0.0, abs=0.02)
    tail = tuning("hit_tail")
    # a mixture of two Gaussians; straws cannot measure much beyond their wall
    beyond = (1.0 - tail["share"]) * 2.0 * norm.sf(1.0) + tail["share"] * 2.0 * norm.sf(1.0 / tail["width"])
    assert np.mean(np.abs(pull) > 1.0) == pytest.approx(beyond, abs=0.01)
    far = tail["share"] * 2.0 * norm.sf(5.0 / tail["width"])
    assert far / 3.0 < np.mean(np.abs(pull) > 5.0) < 1.2 * far


def test_errors_are_those_of_the_detectors(tracks):
    detector, _, hits = tracks
    system = detector.systems()[hits.plane]
    assert set(hits.error[system == "tt"]) == {0.0526}
    assert set(hits.error[system == "it"]) == {0.0545}
    assert set(hits.error[system == "ot"]) == {0.200}
    velo = hits.error[system == "velo"]
    assert velo.min() > 0.0038
    assert velo.max() < 0.025


def test_wrong_side_of_the_wire_mirrors_the_hit(tracks):
    hits = tracks[2]
    straw = hits.kind == Kind.straw
    wire = (hits.measurement - hits.side * hits.drift)[straw]
    step = wire / 2.625
    assert step == pytest.approx(np.round(step), abs=1e-6)
    assert set(hits.side[straw]) == {-1, 1}
    assert not hits.side[~straw].any()
    assert hits.drift[straw].max() < 2.45 + 5 * 0.2


def test_number_of_hits_on_a_track(tracks):
    detector, truth, hits = tracks
    system, through = detector.systems()[hits.plane], truth.fate == Fate.reached_end
    count = {s: np.bincount(hits.row[np.isin(system, s)], minlength=len(through))[through] for s in ("velo", "tt")}
    t = np.bincount(hits.row[np.isin(system, ("it", "ot"))], minlength=len(through))[through]
    assert 10 <= np.median(count["velo"]) <= 16
    assert np.mean((count["velo"] >= 8) & (count["velo"] <= 22)) > 0.9
    assert np.mean(count["tt"] == 4) > 0.95
    assert 18 <= np.median(t) <= 23
    assert np.mean((t >= 9) & (t <= 27)) > 0.95
    ndof = np.bincount(hits.row, minlength=len(through))[through] - 5
    assert np.median(ndof) == pytest.approx(33, abs=3)


def test_efficiency_of_strips(tracks):
    detector, truth, hits = tracks
    for system, efficiency in (("velo", 0.995), ("tt", 0.997), ("it", 0.998)):
        crossed = np.count_nonzero(detector.systems()[truth.crossings.plane] == system)
        seen = np.count_nonzero(detector.systems()[hits.plane] == system)
        assert seen / crossed == pytest.approx(efficiency, abs=0.003)


def test_efficiency_of_straws_falls_to_their_edge(tracks):
    detector, truth, hits = tracks
    straw = hits.kind == Kind.straw
    crossed = 2 * np.count_nonzero(detector.systems()[truth.crossings.plane] == "ot")
    assert 0.85 < np.count_nonzero(straw) / crossed < 0.93
    near, far = (np.histogram(np.abs(hits.drift[straw]), [0.5, 1.0, 1.5, 2.0, 2.4])[0])[[0, 3]]
    assert far / 0.4 < 0.95 * near / 0.5


def test_r_and_phi_and_stereo_directions(tracks):
    detector, _, hits = tracks
    assert hits.cos**2 + hits.sin**2 == pytest.approx(np.ones(len(hits.cos)))
    r = hits.kind == Kind.velo_r
    assert np.all((hits.measurement[r] > 8.0) & (hits.measurement[r] < 42.1))
    names = np.array([plane.name for plane in detector.planes])[hits.plane]
    for name, degrees in (("tt_a_u", 5.0), ("tt_b_v", -5.0), ("ot_2_u", 5.0), ("it_3_v", -5.0), ("tt_a_x", 0.0)):
        assert np.degrees(np.arcsin(hits.sin[names == name])) == pytest.approx(degrees)


def test_hits_come_in_order(tracks):
    hits = tracks[2]
    assert np.all(np.diff(hits.row) >= 0)
    assert np.all((np.diff(hits.z) > 0.0) | (np.diff(hits.row) > 0))


def test_no_particles_no_hits():
    detector = lhcb_detector()
    truth = transport(gun(0, 13, 1e4, 3.0), detector, magnetic_field("lhcb"), Draws(1, "t"), Physics())
    assert all(len(column) == 0 for column in measure(truth, detector, Draws(1, "h")))

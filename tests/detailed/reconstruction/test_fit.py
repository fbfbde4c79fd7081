"""The track fit: the helix, pulls, global least squares on the same hits, outliers, independence."""

import numpy as np
import pytest
from guns import gun
from perfect import half_width, perfect_candidates, pulls, true_states

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.hits import Hits, measure
from lamarrpy.detailed.reconstruction.candidates import Candidates, TrackType
from lamarrpy.detailed.reconstruction.fit import fit
from lamarrpy.detailed.reconstruction.pages import NOISE_TERMS
from lamarrpy.detailed.reconstruction.reference import References
from lamarrpy.detailed.transport import Physics, transport
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field
from lamarrpy.field.uniform import Uniform
from lamarrpy.propagation import BeamLine, State
from lamarrpy.tables.schemas import STATE

DETECTOR, FIELD = lhcb_detector(), magnetic_field("lhcb", "MagUp")


def simulate(particles, detector=DETECTOR, field=FIELD, physics=None):
    truth = transport(particles, detector, field, Draws(3, "transport"), physics)
    return truth, measure(truth, detector, Draws(3, "hits"))


@pytest.fixture(scope="module")
def muons():
    return simulate(gun(3000, [13, -13], (3e3, 1e5), (2.0, 4.8), spread=40.0))


@pytest.mark.parametrize("track_type", ["long", "upstream", "downstream"])
def test_pulls(muons, track_type):
    truth, hits = muons
    candidates = perfect_candidates(truth, hits, DETECTOR, TrackType[track_type])
    fitted = fit(candidates, DETECTOR, FIELD)
    assert fitted.sensible.mean() > 0.999
    for name, pull in zip(STATE, pulls(fitted, true_states(truth, candidates.row, FIELD)), strict=True):
        assert 0.93 < half_width(pull) < 1.1, name
        assert abs(np.median(pull)) < 0.1, name
    assert 0.9 < np.median(fitted.chi2 / fitted.ndof) < 1.0


def test_degrees_of_freedom_and_parts(muons):
    truth, hits = muons
    candidates = perfect_candidates(truth, hits, DETECTOR)
    fitted = fit(candidates, DETECTOR, FIELD)
    used = np.diff(candidates.first) - fitted.outliers
    np.testing.assert_array_equal(fitted.ndof, used - 5)
    np.testing.assert_array_equal(fitted.velo.hits + fitted.tt.hits + fitted.t.hits, used)
    np.testing.assert_allclose(fitted.velo.chi2 + fitted.tt.chi2 + fitted.t.chi2, fitted.chi2, rtol=1e-9)
    assert fitted.outliers.max() == 2
    # two hits of a hundred are spoilt, and a third of these by more than three standard deviations
    assert 0.1 < fitted.outliers.mean() < 0.6


def test_impact_parameter_of_soft_tracks(muons):
    """Scattering in foil and first sensor: 13.6 MeV sqrt(x/X0) r / pT at 400 MeV, for x/X0 of 0.5 to 3 %."""
    truth, hits = muons
    fitted = fit(perfect_candidates(truth, hits, DETECTOR), DETECTOR, FIELD)
    slope = np.hypot(fitted.state.tx, fitted.state.ty)
    pt = slope / np.sqrt(1.0 + slope**2) / np.abs(fitted.state.qop)
    soft = (pt > 300.0) & (pt < 500.0)
    low, high = (13.6 * np.sqrt(depth) * r / 400.0 for depth, r in ((0.005, 5.5), (0.03, 14.0)))
    assert low < np.median(np.sqrt(fitted.covariance[soft, 0, 0])) < high


def test_helix():
    """No matter, no errors, a uniform field: the fit gives back the helix that made the hits."""
    field = Uniform(by=0.3)
    bare = DETECTOR.without_material()
    truth, hits = simulate(gun(300, [13, -13], (5e3, 5e4), (2.2, 4.5)), bare, field)
    exact = _true_measurements(truth, hits)
    candidates = perfect_candidates(truth, exact, bare)
    wrong = candidates.seed._replace(
        qop=candidates.seed.qop * 1.2, tx=candidates.seed.tx + 1e-3, x=candidates.seed.x + 0.5
    )
    fitted = fit(candidates._replace(seed=wrong), bare, field)
    true = truth.particles.at(candidates.row)
    p = np.sqrt(true.px**2 + true.py**2 + true.pz**2)
    np.testing.assert_allclose(1.0 / np.abs(fitted.state.qop), p, rtol=3e-4)
    np.testing.assert_allclose(fitted.state.ty, true.py / true.pz, atol=3e-6)
    assert np.median(fitted.chi2 / fitted.ndof) < 1e-3


def _true_measurements(truth, hits):
    """The hits as they would be without errors."""
    at, n = truth.crossings, len(DETECTOR.planes)
    where = np.searchsorted(at.row * n + at.plane, hits.row * n + hits.plane)
    away = hits.z - np.array([plane.z for plane in DETECTOR.planes])[hits.plane]
    x, y = at.x[where] + away * at.tx[where], at.y[where] + away * at.ty[where]
    return hits._replace(measurement=hits.cos * x + hits.sin * y, drift=np.zeros_like(x), side=np.zeros_like(hits.side))


def test_against_global_least_squares(muons):
    """One inversion of the full covariance of the same hits, scattering at every layer, gives the same track."""
    truth, hits = muons
    candidates = _some(perfect_candidates(truth, hits, DETECTOR), 40)
    candidates = candidates._replace(
        hits=candidates.hits._replace(side=0 * candidates.hits.side, drift=0 * candidates.hits.drift)
    )
    fitted = fit(candidates, DETECTOR, FIELD)
    # stiff tracks, which scattering leads nowhere else in the field
    clean = np.flatnonzero((fitted.outliers == 0) & (np.abs(fitted.state.qop) < 1e-4))
    assert len(clean) > 10
    linear, _ = References(DETECTOR, FIELD, **tuning("fit")).follow(
        fitted.state, np.ones(40, bool), np.zeros((4, 40)), candidates.first, candidates.hits
    )
    for track in clean:
        mine = slice(candidates.first[track], candidates.first[track + 1])
        parameters, covariance, chi2 = _global_fit(linear, candidates.hits.error[mine][::-1] ** 2, track)
        # the fit stands at its own minimum: what is left to do is small against the errors
        assert np.all(np.abs(parameters) < 0.1 * np.sqrt(np.diag(covariance)))
        assert fitted.covariance[track, 4, 4] == pytest.approx(covariance[4, 4], rel=0.02)
        assert fitted.covariance[track, 0, 0] == pytest.approx(covariance[0, 0], rel=0.05)
        assert fitted.chi2[track] == pytest.approx(chi2, rel=0.03)


def _global_fit(linear, variance, track):
    m = len(variance)
    pages = np.zeros((m + 1, 5, 5))
    for term, (i, j) in enumerate(NOISE_TERMS):
        pages[:, i, j] = pages[:, j, i] = linear.noise[: m + 1, term, track]
    behind = np.cumsum(pages[::-1], axis=0)[::-1]
    h, r, v = linear.slope[:m, :, track], linear.residual[:m, track], np.diag(variance)
    for a in range(m):
        for b in range(m):
            v[a, b] += h[a] @ behind[max(a, b) + 1] @ h[b]
    weight = np.linalg.inv(v)
    covariance = np.linalg.inv(h.T @ weight @ h)
    parameters = covariance @ h.T @ weight @ r
    left = r - h @ parameters
    return parameters, covariance, left @ weight @ left


def _some(candidates: Candidates, n) -> Candidates:
    last = candidates.first[n]
    return Candidates(
        candidates.event_id[:n],
        candidates.row[:n],
        candidates.track_type[:n],
        candidates.seed.at(slice(n)),
        BeamLine(candidates.beam.x[:n], candidates.beam.y[:n]),
        candidates.first[: n + 1],
        Hits._make(column[:last] for column in candidates.hits),
    )


def test_tracks_do_not_depend_on_their_neighbours(muons):
    truth, hits = muons
    candidates = perfect_candidates(truth, hits, DETECTOR)
    together, alone = fit(candidates, DETECTOR, FIELD), fit(_some(candidates, 7), DETECTOR, FIELD)
    for a, b in zip(together.state, alone.state, strict=True):
        np.testing.assert_array_equal(a[:7], b)
    np.testing.assert_array_equal(together.covariance[:7], alone.covariance)
    np.testing.assert_array_equal(together.chi2[:7], alone.chi2)


def test_wrong_hits_are_removed(muons):
    truth, hits = muons
    candidates = _some(perfect_candidates(truth, hits, DETECTOR), 200)
    before = fit(candidates, DETECTOR, FIELD)
    moved = candidates.hits.measurement.copy()
    spoilt = candidates.first[:-1] + 5
    moved[spoilt] += 20.0 * candidates.hits.error[spoilt]
    after = fit(candidates._replace(hits=candidates.hits._replace(measurement=moved)), DETECTOR, FIELD)
    assert (after.outliers >= 1).all()
    error = np.sqrt(before.covariance[:, 0, 0])
    assert half_width((after.state.x - before.state.x) / error) < 0.5


def test_straws_find_their_side(muons):
    truth, hits = muons
    candidates = _some(perfect_candidates(truth, hits, DETECTOR), 300)
    right = fit(candidates, DETECTOR, FIELD)
    straws = candidates.hits
    flipped = (straws.side != 0) & (np.arange(len(straws.side)) % 7 == 0)
    wrong = straws._replace(
        side=np.where(flipped, -straws.side, straws.side),
        measurement=np.where(flipped, straws.measurement - 2 * straws.side * straws.drift, straws.measurement),
    )
    found = fit(candidates._replace(hits=wrong), DETECTOR, FIELD)
    p = np.abs(right.state.qop)
    assert half_width((found.state.qop - right.state.qop) / np.sqrt(right.covariance[:, 4, 4])) < 0.3
    assert np.median(found.chi2 / found.ndof) == pytest.approx(np.median(right.chi2 / right.ndof), abs=0.1)
    assert (p > 0).all()


def test_velo_tracks_keep_their_momentum(muons):
    truth, hits = muons
    candidates = perfect_candidates(truth, hits, DETECTOR, TrackType.velo)
    fitted = fit(candidates, DETECTOR, FIELD)
    np.testing.assert_array_equal(fitted.state.qop, candidates.seed.qop)
    np.testing.assert_array_equal(fitted.covariance[:, 4], 0.0)
    np.testing.assert_array_equal(fitted.ndof, np.diff(candidates.first) - fitted.outliers - 4)
    turned = candidates.seed._replace(qop=-candidates.seed.qop)
    np.testing.assert_array_equal(fit(candidates._replace(seed=turned), DETECTOR, FIELD).state.x, fitted.state.x)


def test_closest_approach_behind_the_first_hit():
    """Tracks that come near the beam only in TT, in the fringe of the magnet: truth and fit mean the same point."""
    particles = gun(4000, [13, -13], (5e3, 3e4), (2.2, 2.8))
    n, px = len(particles.pid), np.copysign(np.hypot(particles.px, particles.py), particles.px)
    aside = particles._replace(px=px, py=np.zeros(n), x=-1000.0 * px / particles.pz, y=np.full(n, 80.0))
    truth, hits = simulate(aside._replace(z=np.full(n, 1450.0)))
    candidates = perfect_candidates(truth, hits, DETECTOR, TrackType.downstream)
    fitted, true = fit(candidates, DETECTOR, FIELD), true_states(truth, candidates.row, FIELD)
    behind = true.z > 2345.0
    assert behind.sum() > 300
    for pull in pulls(fitted, true):
        assert abs(np.median((np.sign(true.qop) * pull)[behind])) < 0.4


def test_no_material_no_scattering():
    """Without material and with it switched off in the transport, the errors are those of the hits alone."""
    bare = DETECTOR.without_material()
    none = Physics(scattering=False, ionisation=False, bremsstrahlung=False, interactions=False, decays=False)
    truth, hits = simulate(gun(1500, [13, -13], (2e3, 5e4), (2.2, 4.6)), bare, FIELD, none)
    candidates = perfect_candidates(truth, hits, bare)
    fitted = fit(candidates, bare, FIELD)
    for pull in pulls(fitted, true_states(truth, candidates.row, FIELD)):
        assert 0.93 < half_width(pull) < 1.07


def test_soft_upstream_tracks_may_curl_in_the_magnet(muons):
    """What is beyond their last hit does not matter, though Long tracks are followed to the T stations beside them."""
    truth, hits = simulate(gun(200, [13, -13], (500.0, 900.0), (2.2, 3.5)))
    candidates = perfect_candidates(truth, hits, DETECTOR, TrackType.upstream)
    stiff = _some(perfect_candidates(*muons, DETECTOR), 10)
    together = fit(_join(candidates, stiff), DETECTOR, FIELD)
    assert together.sensible.mean() > 0.98
    np.testing.assert_array_equal(fit(candidates, DETECTOR, FIELD).state.qop, together.state.qop[: len(candidates.row)])


def _join(a: Candidates, b: Candidates) -> Candidates:
    def together(first, second):
        return type(first)(*(np.concatenate(columns) for columns in zip(first, second, strict=True)))

    return Candidates(
        np.concatenate([a.event_id, b.event_id]),
        np.concatenate([a.row, b.row]),
        np.concatenate([a.track_type, b.track_type]),
        together(a.seed, b.seed),
        BeamLine(np.concatenate([a.beam.x, b.beam.x]), np.concatenate([a.beam.y, b.beam.y])),
        np.concatenate([a.first, a.first[-1] + b.first[1:]]),
        together(a.hits, b.hits),
    )


def test_nonsense_is_marked_not_nan(muons):
    """Hits of two particles under one seed that curls: marked as not sensible, or fitted badly, never NaN."""
    truth, hits = muons
    candidates = _some(perfect_candidates(truth, hits, DETECTOR), 100)
    seed = candidates.seed._replace(qop=np.full(100, 1.0 / 100.0), tx=np.full(100, 1.5))
    fitted = fit(candidates._replace(seed=State(*seed)), DETECTOR, FIELD)
    for column in (*fitted.state, fitted.chi2, fitted.covariance):
        assert np.isfinite(column[fitted.sensible]).all()
    assert not fitted.sensible.all()


def test_nothing_to_fit(muons):
    truth, hits = muons
    fitted = fit(_some(perfect_candidates(truth, hits, DETECTOR), 0), DETECTOR, FIELD)
    assert len(fitted.chi2) == 0
    assert fitted.covariance.shape == (0, 5, 5)

"""Primary vertices: resolution, pulls, pile-up, decays, and matching, with straight tracks of known covariance."""

import numpy as np
import pytest

from lamarrpy.detailed.reconstruction.vertex_seeds import vertex_search
from lamarrpy.detailed.reconstruction.vertices import Vertices, fit_vertices, match_vertices
from lamarrpy.propagation import BeamLine, State

BEAM = BeamLine(0.0, 0.0)


def straight_tracks(x, y, z, seed=1, pt=None):
    """Tracks from points, with errors as in the VELO, at their closest approach to the beam."""
    rng, n = np.random.default_rng(seed), len(z)
    pt = np.exp(rng.normal(np.log(0.7), 0.6, n)) if pt is None else pt
    eta, phi = rng.uniform(2.0, 4.5, n), rng.uniform(-np.pi, np.pi, n)
    tx, ty = np.cos(phi) / np.sinh(eta), np.sin(phi) / np.sinh(eta)
    position, slope = np.hypot(0.012, 0.029 / pt), 6e-5 + 2e-3 / (pt * np.cosh(eta))
    covariance = np.zeros((n, 5, 5))
    for a in (0, 1):
        covariance[:, a, a], covariance[:, a + 2, a + 2] = position**2, slope**2
        covariance[:, a, a + 2] = covariance[:, a + 2, a] = -0.93 * position * slope
    covariance[:, 4, 4] = 1e-12
    noise = np.einsum("nij,nj->ni", np.linalg.cholesky(covariance), rng.normal(size=(n, 5)))
    x, y, tx, ty = x + noise[:, 0], y + noise[:, 1], tx + noise[:, 2], ty + noise[:, 3]
    dz = -(x * tx + y * ty) / (tx**2 + ty**2)
    step = np.tile(np.eye(5), (n, 1, 1))
    step[:, 0, 2] = step[:, 1, 3] = dz
    state = State(x + dz * tx, y + dz * ty, z + dz, tx, ty, np.full(n, 1e-4))
    return state, step @ covariance @ step.swapaxes(1, 2)


def collisions(n_events, per_event, seed=3):
    rng, n = np.random.default_rng(seed), n_events * per_event
    return np.repeat(np.arange(n_events), per_event), rng.normal(0, [[0.03], [0.025], [40.0]], (3, n))


def reconstruct(n_events, tracks, per_event=1, seed=1):
    event, points = collisions(n_events, per_event)
    state, covariance = straight_tracks(*np.repeat(points, tracks, axis=1), seed=seed)
    vertices = fit_vertices(np.repeat(event, tracks), state, covariance, BEAM)
    return event, points, vertices, match_vertices(vertices, event, *points)


def residuals(points, vertices, match):
    found = match >= 0
    return np.array([vertices.x, vertices.y, vertices.z])[:, match[found]] - points[:, found]


def pulls(points, vertices, match):
    sigma = np.sqrt(np.diagonal(vertices.covariance, axis1=1, axis2=2)).T[:, match[match >= 0]]
    return residuals(points, vertices, match) / sigma


@pytest.mark.parametrize("tracks", [10, 25, 60])
def test_errors_are_right_and_centred(tracks):
    _, points, vertices, match = reconstruct(2000, tracks)
    pull = pulls(points, vertices, match)
    assert np.mean(match >= 0) > 0.995
    assert len(vertices.z) == np.count_nonzero(match >= 0)
    assert pull.std(axis=1) == pytest.approx([1.0] * 3, abs=0.06)
    assert pull.mean(axis=1) == pytest.approx([0.0] * 3, abs=0.08)


def test_resolution_falls_as_the_root_of_the_tracks():
    quantiles = [np.quantile(residuals(*reconstruct(1500, n)[1:]), (0.16, 0.84), axis=1) for n in (20, 80)]
    widths = np.diff(quantiles, axis=1)[:, 0]
    assert widths[0] / widths[1] == pytest.approx([2.0] * 3, rel=0.1)


def test_resolution_is_that_of_the_tracks_together():
    """n tracks of one error s and random azimuth measure x with s / sqrt(n), times what Tukey's weights cost.

    The variance of weighted residuals r w(r^2) over that of plain ones is <w^2 q> / (2 <w + q w'>^2),
    with q = chi2 of two degrees of freedom.
    """
    event, points = collisions(1000, 1)
    state, covariance = straight_tracks(*np.repeat(points, 40, axis=1), pt=np.full(40_000, 1.0))
    vertices = fit_vertices(np.repeat(event, 40), state, covariance, BEAM)
    residual = residuals(points, vertices, match_vertices(vertices, event, *points))
    c2 = vertex_search().cut_off
    q = np.linspace(0.0, c2, 10_001)
    w, density = 1.0 - q / c2, 0.5 * np.exp(-0.5 * q)
    plain = np.trapezoid((w**2 - 2.0 * q * w / c2) * density, q)
    cost = np.sqrt(0.5 * np.trapezoid(w**4 * q * density, q)) / plain
    assert 1.0 < cost < 1.2
    assert residual[:2].std() == pytest.approx(cost * np.hypot(0.012, 0.029) / np.sqrt(40), rel=0.05)


def test_few_vertices_of_five_tracks_are_lost():
    _, _, vertices, match = reconstruct(1000, 6)
    assert np.mean(match >= 0) > 0.9
    assert np.all(vertices.n_tracks >= 5)
    assert np.count_nonzero(match >= 0) >= len(vertices.z) - 5


@pytest.mark.parametrize("gap", [2.0, 5.0])
def test_two_collisions_are_told_apart(gap):
    n = 500
    z = np.random.default_rng(5).normal(0.0, 40.0, n)
    points = np.zeros((3, 2 * n))
    points[2] = np.stack([z, z + gap], axis=1).ravel()
    event = np.repeat(np.arange(n), 2)
    state, covariance = straight_tracks(*np.repeat(points, 25, axis=1))
    vertices = fit_vertices(np.repeat(event, 25), state, covariance, BEAM)
    match = match_vertices(vertices, event, *points)
    assert np.mean(match >= 0) > 0.99
    assert len(vertices.z) <= 2.01 * n
    assert pulls(points, vertices, match).std(axis=1) == pytest.approx([1.0] * 3, abs=0.1)


def test_pile_up():
    _, _, vertices, match = reconstruct(500, 25, per_event=3)
    assert np.mean(match >= 0) > 0.97
    assert len(vertices.z) - np.count_nonzero(match >= 0) < 0.005 * len(vertices.z)


@pytest.mark.parametrize("flight", [5.0, 1.0])
def test_tracks_of_a_decay_do_not_pull(flight):
    """Five tracks of a b hadron that flies along +z at 60 mrad, beside the 25 of its collision."""
    n = 1000
    event, points = collisions(n, 1)
    decay = points + flight * np.array([[0.06], [0.0], [1.0]])
    origins = np.concatenate([np.repeat(points, 25, axis=1), np.repeat(decay, 5, axis=1)], axis=1)
    ids = np.concatenate([np.repeat(event, 25), np.repeat(event, 5)])
    state, covariance = straight_tracks(*origins)
    vertices = fit_vertices(ids, state, covariance, BEAM)
    match = match_vertices(vertices, event, *points)
    pull = pulls(points, vertices, match)
    assert np.mean(match >= 0) > 0.99
    assert np.abs(pull.mean(axis=1)).max() < 0.3
    assert len(vertices.z) < 1.03 * n
    if flight == 5.0:
        assert np.abs(pull.mean(axis=1)).max() < 0.1
        assert np.median(vertices.n_tracks) <= 26


def test_decays_far_from_the_beam_are_no_vertices():
    event = np.arange(200)
    origin = np.repeat(np.stack([np.full(200, 3.0), np.full(200, 1.0), np.linspace(-50, 50, 200)]), 8, axis=1)
    state, covariance = straight_tracks(*origin)
    assert len(fit_vertices(np.repeat(event, 8), state, covariance, BEAM).z) == 0


def test_same_in_any_order_and_company():
    event, points = collisions(120, 2)
    state, covariance = straight_tracks(*np.repeat(points, 12, axis=1))
    ids = np.repeat(event, 12)
    whole = fit_vertices(ids, state, covariance, BEAM)
    order = np.random.default_rng(1).permutation(len(ids))
    shuffled = fit_vertices(ids[order], state.at(order), covariance[order], BEAM)
    parts = []
    for some in (ids < 7, (ids >= 7) & (ids < 90), ids >= 90):
        parts.append(fit_vertices(ids[some], state.at(some), covariance[some], BEAM))
    for a, b, c in zip(whole, shuffled, zip(*parts, strict=True), strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, np.concatenate(c))


def test_more_events_than_are_held_at_once():
    _, points, vertices, match = reconstruct(700, 20)
    assert np.mean(match >= 0) > 0.99
    assert np.all(np.diff(vertices.event_id) >= 0)
    assert np.abs(residuals(points, vertices, match)[:2]).max() < 0.1


def test_order_of_the_vertices():
    _, _, vertices, _ = reconstruct(50, 15, per_event=4)
    order = np.lexsort((vertices.z, vertices.event_id))
    assert np.array_equal(order, np.arange(len(order)))


def test_moves_with_the_beam():
    """All that counts is where the tracks are relative to the beam line."""
    event, points = collisions(100, 1)
    state, covariance = straight_tracks(*np.repeat(points, 20, axis=1))
    here = fit_vertices(np.repeat(event, 20), state, covariance, BEAM)
    moved = state._replace(x=state.x + 0.83, y=state.y - 0.17)
    there = fit_vertices(np.repeat(event, 20), moved, covariance, BeamLine(np.full(2000, 0.83), np.full(2000, -0.17)))
    assert there.x - 0.83 == pytest.approx(here.x, abs=1e-6)
    assert there.z == pytest.approx(here.z, abs=1e-4)


def test_covariance_is_symmetric_and_positive():
    _, _, vertices, _ = reconstruct(200, 7)
    assert np.array_equal(vertices.covariance, vertices.covariance.swapaxes(1, 2))
    assert np.all(np.linalg.eigvalsh(vertices.covariance) > 0.0)
    assert all(np.isfinite(column).all() for column in vertices)


def test_parallel_tracks_make_no_trouble():
    state = State(np.zeros(6), np.zeros(6), np.zeros(6), np.full(6, 0.1), np.zeros(6), np.full(6, 1e-4))
    covariance = np.tile(np.diag([1e-3, 1e-3, 1e-8, 1e-8, 1e-12]), (6, 1, 1))
    found = fit_vertices(np.zeros(6, np.int64), state, covariance, BEAM)
    assert all(np.isfinite(column).all() for column in found)


@pytest.mark.parametrize("tracks", [0, 1, 4])
def test_too_few_tracks(tracks):
    state, covariance = straight_tracks(np.zeros(tracks), np.zeros(tracks), np.zeros(tracks))
    vertices = fit_vertices(np.zeros(tracks, np.int64), state, covariance, BEAM)
    assert [len(column) for column in vertices] == [0] * 7
    assert vertices.covariance.shape == (0, 3, 3)
    nothing = np.zeros(1)
    assert list(match_vertices(vertices, np.zeros(1, np.int64), nothing, nothing, nothing)) == [-1]


def test_events_without_vertices_lie_between():
    state, covariance = straight_tracks(np.zeros(42), np.zeros(42), np.zeros(42))
    ids = np.repeat([-5, 3, 8], [20, 2, 20])
    vertices = fit_vertices(ids, state, covariance, BEAM)
    assert list(vertices.event_id) == [-5, 8]


def at(event, z, sigma=0.1):
    n = len(z)
    covariance = np.tile(np.diag([1e-4, 1e-4, sigma**2]), (n, 1, 1))
    ids = np.asarray(event, np.int64)
    return Vertices(ids, np.zeros(n), np.zeros(n), np.asarray(z, float), covariance, np.full(n, 9), np.zeros(n))


@pytest.mark.parametrize(
    ("reconstructed", "true", "expected"),
    [
        ([0.0], [0.0], [0]),
        ([0.0], [0.45], [0]),
        ([0.0], [0.55], [-1]),
        ([0.0, 0.3], [0.2, 0.1], [1, 0]),
        ([0.0, 0.3], [0.28, 0.35], [1, 0]),
        ([0.1], [0.0, 0.15], [-1, 0]),
        ([0.0, 0.4], [0.1], [0]),
        ([], [1.0], [-1]),
        ([1.0], [], []),
    ],
)
def test_matching_is_one_to_one_and_the_nearest_first(reconstructed, true, expected):
    zero = np.zeros(len(true))
    event = np.full(len(true), 4)
    match = match_vertices(at([4] * len(reconstructed), reconstructed), event, zero, zero, np.array(true))
    assert list(match) == expected


def test_matching_keeps_to_the_event_and_the_beam():
    vertices = at([1, 2], [0.0, 0.0])
    zero = np.zeros(3)
    match = match_vertices(vertices, np.array([2, 3, 1]), zero, np.array([0.0, 0.0, 0.5]), zero)
    assert list(match) == [1, -1, -1]


def test_badly_measured_vertices_have_to_be_near_as_well():
    zero = np.zeros(1)
    assert list(match_vertices(at([0], [0.0], sigma=3.0), np.zeros(1, np.int64), zero, zero, zero + 2.5)) == [-1]

"""The filter and its smoother against dense least squares on the same numbers."""

import numpy as np
import pytest

from lamarrpy.detailed.reconstruction.kalman import run_filter, run_smoother
from lamarrpy.detailed.reconstruction.pages import NOISE_TERMS, Linear

PRIOR = np.array([1e3, 1e3, 1.0, 1.0, 1.0]) ** 2


def problem(counts, seed=1):
    """Random measurements, derivatives and noise of tracks with so many hits."""
    rng = np.random.default_rng(seed)
    m, n = int(max(counts)), len(counts)
    noise = np.zeros((m + 1, len(NOISE_TERMS), n))
    for page in range(m + 1):
        for track in range(n):
            root = np.zeros((5, 5))
            root[:4, :4] = 0.1 * rng.normal(size=(4, 4))
            root[4, 4] = 0.1 * rng.normal()
            full = root @ root.T
            noise[page, :, track] = [full[i, j] for i, j in NOISE_TERMS]
    linear = Linear(rng.normal(size=(m, n)), rng.normal(size=(m, 5, n)), noise)
    return linear, rng.uniform(0.5, 2.0, size=(m, n)), np.ones((m, n), bool), np.array(counts)


def dense(linear, variance, used, count, track):
    """Parameters, covariance and chi2 from one matrix inversion, prior and noise as correlations of the errors."""
    hits = np.flatnonzero(used[:count, track])
    h, r = linear.slope[hits, :, track], linear.residual[hits, track]
    pages = np.zeros((count + 1, 5, 5))
    for term, (i, j) in enumerate(NOISE_TERMS):
        pages[:, i, j] = pages[:, j, i] = linear.noise[: count + 1, term, track]
    # the parameters at the start are those at a hit, disturbed by all noise that lies between: pages behind the hit
    behind = np.cumsum(pages[::-1], axis=0)[::-1]
    v = np.diag(variance[hits, track])
    for a, i in enumerate(hits):
        for b, j in enumerate(hits):
            v[a, b] += h[a] @ behind[max(i, j) + 1] @ h[b]
    # the prior holds before the first hit, so that its error at the start is correlated with that of the hits
    cross = np.array([behind[i + 1] @ h[a] for a, i in enumerate(hits)]).T
    total = np.block([[np.diag(PRIOR) + behind[0], cross], [cross.T, v]])
    design = np.vstack([np.eye(5), h])
    weight = np.linalg.inv(total)
    covariance = np.linalg.inv(design.T @ weight @ design)
    values = np.concatenate([np.zeros(5), r])
    parameters = covariance @ design.T @ weight @ values
    left = values - design @ parameters
    return parameters, covariance, left @ weight @ left


@pytest.mark.parametrize("track", [0, 1, 2])
def test_filter_is_least_squares(track):
    linear, variance, used, counts = problem([9, 8, 7])
    used[3, :] = False
    filtered = run_filter(linear, variance, used, counts, counts // 2, np.repeat(PRIOR[:, None], 3, axis=1))
    parameters, covariance, chi2 = dense(linear, variance, used, counts[track], track)
    np.testing.assert_allclose(filtered.parameters[:, track], parameters, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(filtered.covariance[:, :, track], covariance, rtol=1e-7, atol=1e-9)
    assert filtered.chi2[:, track].sum() == pytest.approx(chi2, rel=1e-6)


def test_smoothed_residuals_are_those_without_the_hit():
    linear, variance, used, counts = problem([9, 8, 7])
    prior = np.repeat(PRIOR[:, None], 3, axis=1)
    smoothed = run_smoother(linear, run_filter(linear, variance, used, counts, counts, prior), counts, counts)
    for track, hit in ((0, 0), (0, 4), (1, 7), (2, 3)):
        without = used.copy()
        without[hit, track] = False
        full = dense(linear, variance, used, counts[track], track)[2]
        less = dense(linear, variance, without, counts[track], track)[2]
        cost = smoothed.residual[hit, track] ** 2 / smoothed.variance[hit, track]
        assert cost == pytest.approx(full - less, rel=1e-6)


def test_smoother_gives_the_parameters_between():
    linear, variance, used, counts = problem([8, 8, 6])
    # no noise after the first three hits: the track there is the one at the start
    linear.noise[3:] = 0.0
    half, prior = np.full(3, 3), np.repeat(PRIOR[:, None], 3, axis=1)
    filtered = run_filter(linear, variance, used, counts, half, prior)
    np.testing.assert_allclose(run_smoother(linear, filtered, counts, half).halfway, filtered.parameters, rtol=1e-8)
    assert np.abs(filtered.halfway - filtered.parameters).max() > 0.1


def test_what_is_known_stays():
    linear, variance, used, counts = problem([9, 8, 7])
    linear.noise[:, NOISE_TERMS.index((4, 4))] = 0.0
    prior = np.repeat(PRIOR[:, None], 3, axis=1)
    prior[4] = 0.0
    filtered = run_filter(linear, variance, used, counts, counts, prior)
    np.testing.assert_array_equal(filtered.parameters[4], 0.0)
    np.testing.assert_array_equal(filtered.covariance[4, 4], 0.0)

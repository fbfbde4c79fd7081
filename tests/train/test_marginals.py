"""Calibration of a network's marginals: exact, with weights too, whatever the network makes of them."""

import numpy as np
import pytest
from scipy.special import ndtri

from lamarrpy.parameterization.transforms import fit_columns
from lamarrpy.train.marginals import calibrated, even_numbers


def test_even_numbers_are_normal_and_independent():
    numbers = even_numbers(5000, 3, seed=1)
    assert numbers.dtype == np.float32
    for column in numbers.T:
        assert np.allclose(np.sort(column), ndtri((np.arange(5000) + 0.5) / 5000), atol=1e-5)
    assert np.abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 0.06
    assert not np.array_equal(numbers, even_numbers(5000, 3, seed=2))


def crooked(z):
    """What a network that has not learned quite everything makes of normal numbers."""
    return np.stack([0.7 * z[:, 0] + 0.3 + 0.05 * z[:, 0] ** 3, 1.3 * z[:, 1]], axis=1).astype(np.float32)


def sample_of(rows, seed):
    random = np.random.default_rng(seed)
    x = np.where(random.random(rows) < 0.4, 0.0, random.exponential(size=rows))
    return {"x": x, "n": random.poisson(3.0, rows).astype(float)}, random.choice([0.5, 1.0, 3.0], rows)


def distances(wanted, made, weights):
    """The largest difference of cumulative distributions of each target, with weights on both."""
    out = []
    for name, values in wanted.items():
        points = np.unique(np.concatenate([values, made[name]]))
        shares = []
        for column in (values, made[name]):
            order = np.argsort(column)
            at = np.searchsorted(column[order], points, side="right")
            shares.append(np.append(0.0, np.cumsum(weights[order]))[at] / weights.sum())
        out.append(np.abs(shares[0] - shares[1]).max())
    return out


@pytest.mark.parametrize("weighted", [False, True])
def test_calibrated_marginals_are_those_that_were_learned_from(weighted):
    """Of a network that is wrong in every marginal, to what new random numbers let one see."""
    rows = 20_000
    wanted, weights = sample_of(rows, 0)
    if not weighted:
        weights = np.ones(rows)
    fitted = fit_columns(
        {name: {"kind": "quantile", "masses": m, "clip": True} for name, m in (("x", "auto"), ("n", "all"))},
        wanted,
        weights,
    )
    tilt = 0.4 * (weights - weights.mean())[:, None]  # the network's answers depend on what the weights depend on
    numbers = even_numbers(rows, 2, seed=3)
    targets = calibrated(fitted, crooked(numbers) + tilt.astype(np.float32), weights.astype(np.float32))
    fresh = np.random.default_rng(7).normal(size=(rows, 2))
    made = targets.inverse_columns(crooked(fresh) + tilt.astype(np.float32))
    effective = weights.sum() ** 2 / (weights**2).sum()
    assert max(distances(wanted, made, weights)) < 1.5 / np.sqrt(effective)
    uncalibrated = fitted.inverse_columns(crooked(fresh) + tilt.astype(np.float32))
    assert min(distances(wanted, uncalibrated, weights)) > 4 * 1.5 / np.sqrt(effective)
    assert set(made["n"]) <= set(wanted["n"])
    assert (made["x"] == 0.0).mean() > 0.2


def test_calibration_finds_its_way_back():
    wanted, weights = sample_of(2000, 1)
    fitted = fit_columns({name: {"kind": "quantile", "clip": True} for name in wanted}, wanted, weights)
    targets = calibrated(fitted, crooked(even_numbers(2000, 2, 0)), weights.astype(np.float32))
    z = targets.forward_columns(wanted)
    back = targets.inverse_columns(z)
    assert (back["x"][wanted["x"] == 0.0] == 0.0).all()
    assert np.abs(back["x"] - wanted["x"]).max() < 1e-3
    assert targets.names == fitted.names

"""Maximum likelihood: every flow learns a conditional mixture, weights count, and a stopped training goes on."""

import math

import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.nn.flows import FLOWS, Flow, FlowShape
from lamarrpy.train.likelihood import LikelihoodLearner
from lamarrpy.train.loop import Batch, Plan, fit
from lamarrpy.train.rows import Rows
from lamarrpy.train.schedules import Descent

SEED = tf.constant([0, 0])


def mixture(rows, seed):
    """Two correlated normal peaks, whose shares and places depend on the condition; its exact log density too."""
    random = np.random.default_rng(seed)
    condition = random.normal(size=(rows, 1))
    share = 1.0 / (1.0 + np.exp(-1.5 * condition[:, 0]))
    sign = np.where(random.random(rows) < share, 1.0, -1.0)
    factor = np.linalg.cholesky([[0.25, 0.15], [0.15, 0.25]])
    center = np.concatenate([np.ones_like(condition), 0.6 * condition], axis=1)
    values = sign[:, None] * center + random.normal(size=(rows, 2)) @ factor.T
    peaks = [((values - s * center) @ np.linalg.inv(factor).T, s) for s in (1.0, -1.0)]
    shares = share, 1.0 - share
    density = sum(w * np.exp(-0.5 * (d**2).sum(axis=1)) for (d, _), w in zip(peaks, shares, strict=True))
    log_density = np.log(density / (2 * math.pi * np.linalg.det(factor)))
    return rows_of(condition, values), log_density


def rows_of(conditions, targets, weights=None):
    weights = np.ones(len(targets)) if weights is None else weights
    return Rows(*(np.asarray(part, np.float32) for part in (conditions, targets, weights)))


def batch_of(rows):
    return Batch(*(tf.constant(part) for part in (rows.conditions, rows.targets, rows.weights)))


def flow_of_kind(structure="coupling", kind="spline", **shape):
    return Flow(
        2, 1, FlowShape(**{"blocks": 2, "width": 16, "layers": 1, "bins": 4} | shape, kind=kind, structure=structure)
    )


def weights_of(learner):
    return [variable.numpy() for variable in learner.variables]


def largest_cdf_difference(first, second):
    points = np.sort(np.concatenate([first, second]))
    shares = [np.searchsorted(np.sort(sample), points, side="right") / len(sample) for sample in (first, second)]
    return np.abs(shares[0] - shares[1]).max()


def largest_difference(network, held_out):
    """Largest CDF difference of either target, of their sum and difference, in three bins of the condition."""
    random = np.random.default_rng(3)
    latents = random.normal(size=held_out.targets.shape).astype(np.float32)
    drawn, condition = network([held_out.conditions, latents]).numpy(), held_out.conditions[:, 0]
    return max(
        largest_cdf_difference(drawn[some] @ direction, held_out.targets[some] @ direction)
        for some in (condition < -0.5, np.abs(condition) <= 0.5, condition > 0.5)
        for direction in ([1, 0], [0, 1], [1, 1], [1, -1])
    )


def gaussian_nll(rows, held_out):
    """Of the best normal distribution whose mean is linear in the condition."""
    design, other = (np.hstack([np.ones_like(part.conditions), part.conditions]) for part in (rows, held_out))
    slopes = np.linalg.lstsq(design, rows.targets, rcond=None)[0]
    covariance = np.cov((rows.targets - design @ slopes).T)
    residuals = held_out.targets - other @ slopes
    distance = np.einsum("ni,ij,nj->n", residuals, np.linalg.inv(covariance), residuals)
    return 0.5 * (np.mean(distance) + np.linalg.slogdet(2 * math.pi * covariance)[1])


@pytest.mark.parametrize(
    ("name", "blocks", "layers", "steps", "excess", "difference"),
    [
        ("coupling_spline", 3, 1, 250, 0.05, 0.04),
        ("masked_spline", 3, 1, 250, 0.05, 0.04),
        ("coupling_affine", 4, 2, 300, 0.20, 0.10),
        ("masked_affine", 4, 2, 300, 0.20, 0.10),
    ],
)
def test_learns_a_conditional_mixture(name, blocks, layers, steps, excess, difference):
    """Peaks that are apart are what affine maps, which cannot tear the plane, learn worst."""
    rows, _ = mixture(20_000, 1)
    flow = flow_of_kind(FLOWS[name].structure, FLOWS[name].kind, blocks=blocks, width=32, layers=layers, bins=8)
    learner = LikelihoodLearner(flow, Descent("adam", 7e-3, "cosine", steps, options={"global_clipnorm": 5.0}))
    fit(learner, rows, Plan(steps, 500, every=steps))
    held_out, log_density = mixture(20_000, 2)
    nll = -np.mean(flow.log_density(held_out.targets, held_out.conditions))
    assert nll < gaussian_nll(rows, held_out) - 0.4
    assert -0.02 < nll + np.mean(log_density) < excess
    assert largest_difference(learner.network(), held_out) < difference


@pytest.mark.parametrize("structure", ["coupling", "masked"])
def test_affine_flows_find_a_linear_gaussian(structure):
    random = np.random.default_rng(4)
    factor = np.array([[0.7, 0.0], [0.4, 0.5]])
    condition, noise = random.normal(size=(20_000, 1)), random.normal(size=(20_000, 2))
    rows = rows_of(condition, condition * [0.8, -0.5] + noise @ factor.T)
    exact = -0.5 * (noise**2).sum(axis=1) - math.log(2 * math.pi * np.linalg.det(factor))
    flow = flow_of_kind(structure, "affine")
    steps = 200
    fit(LikelihoodLearner(flow, Descent("adam", 1e-2, "cosine", steps)), rows, Plan(steps, 500, every=steps))
    found = flow.log_density(rows.targets, rows.conditions).numpy()
    assert np.mean(np.abs(found - exact)) < 0.05
    assert abs(np.mean(found - exact)) < 0.01


def test_a_step_reports_the_weighted_negative_log_likelihood():
    learner = LikelihoodLearner(flow_of_kind())
    rows, _ = mixture(50, 5)
    batch = batch_of(rows)._replace(weights=tf.linspace(0.0, 2.0, 50))
    expected = -np.mean(np.linspace(0.0, 2.0, 50) * learner.density.log_density(batch.targets, batch.conditions))
    assert learner.step(batch, SEED)["nll"].numpy() == pytest.approx(expected, rel=1e-5)


def test_rows_without_weight_teach_nothing():
    rows, _ = mixture(40, 6)
    half = rows_of(rows.conditions[:20], rows.targets[:20])
    weighted = rows_of(rows.conditions, rows.targets, np.repeat([2.0, 0.0], 20))
    first, second = (LikelihoodLearner(flow_of_kind(), Descent("sgd", 0.1)) for _ in range(2))
    before = weights_of(first)
    first.step(batch_of(half), SEED)
    second.step(batch_of(weighted), SEED)
    for one, other in zip(weights_of(first), weights_of(second), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(before, weights_of(first), strict=True))


def test_one_row_is_a_batch():
    learner = LikelihoodLearner(flow_of_kind("masked"), average=0.9)
    rows, _ = mixture(1, 7)
    for _ in range(3):
        assert np.isfinite(learner.step(batch_of(rows), SEED)["nll"])
    assert all(np.isfinite(weight).all() for weight in weights_of(learner))


def test_gradients_are_clipped_if_wanted():
    learner = LikelihoodLearner(flow_of_kind(), Descent("sgd", 1.0, options={"global_clipnorm": 1e-3}))
    rows, _ = mixture(100, 8)
    before = learner.density.get_weights()
    learner.step(batch_of(rows), SEED)
    moved = np.concatenate([(a - b).ravel() for a, b in zip(learner.density.get_weights(), before, strict=True)])
    assert np.linalg.norm(moved) == pytest.approx(1e-3, rel=1e-3)


def test_the_network_has_the_averaged_weights():
    learner = LikelihoodLearner(flow_of_kind(), average=0.5)
    rows, _ = mixture(100, 9)
    expected = learner.density.get_weights()
    for step in (1, 2, 3):
        learner.step(batch_of(rows), SEED)
        past = min(0.5, (1 + step) / (10 + step))
        expected = [past * a + (1 - past) * b for a, b in zip(expected, learner.density.get_weights(), strict=True)]
    for found, mean in zip(learner.network().get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, mean, atol=1e-6)
    kept = learner.network().get_weights()
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(kept, learner.density.get_weights(), strict=True))


def test_without_an_average_the_network_is_the_flow_itself():
    learner = LikelihoodLearner(flow_of_kind())
    rows, _ = mixture(100, 10)
    learner.step(batch_of(rows), SEED)
    for found, weight in zip(learner.network().get_weights(), learner.density.get_weights(), strict=True):
        np.testing.assert_array_equal(found, weight)


def test_a_stopped_training_goes_on_to_the_same_weights(tmp_path):
    rows, _ = mixture(45, 11)

    def train(steps, folder):
        learner = LikelihoodLearner(
            flow_of_kind("masked", "affine", blocks=1), Descent("adam", 1e-2, "cosine", 6), average=0.9
        )
        fit(learner, rows, Plan(steps, 50, every=1), folder=folder)
        return learner

    whole = train(6, None)
    train(4, tmp_path)
    resumed = train(6, tmp_path)
    for one, other in zip(weights_of(whole), weights_of(resumed), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("far", [1e30, 1e18])
def test_a_density_that_is_lost_stops_the_training_before_it_spoils_the_weights(far):
    """Far off, the density has no logarithm; not quite so far, only the norm of its gradient overflows."""
    learner = LikelihoodLearner(flow_of_kind("coupling", "affine"), average=0.9)
    batch = Batch(tf.zeros((4, 1)), tf.fill((4, 2), far), tf.ones(4))
    before = weights_of(learner)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected a finite negative log-likelihood"):
        tf.function(learner.step)(batch, SEED)
    for one, other in zip(weights_of(learner), before, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("average", [0.0, 1.0, -0.5])
def test_an_average_is_a_share(average):
    with pytest.raises(ConfigError, match="decay of an average"):
        LikelihoodLearner(flow_of_kind(), average=average)

"""Whole flows: densities that are densities, maps that are undone, the identity at first."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.nn.flows import FLOWS, Flow, FlowShape

SMALL = {
    name: FlowShape(blocks=2, width=16, layers=2, bins=6, kind=shape.kind, structure=shape.structure)
    for name, shape in FLOWS.items()
}


def flow_with(name, targets, seed, size=0.15):
    """A flow with random weights."""
    flow = Flow(targets, 2, SMALL[name], seed=seed)
    random = np.random.default_rng(seed)
    for weight in flow.trainable_variables:
        weight.assign(weight + random.normal(0.0, size, weight.shape).astype(np.float32))
    return flow


def rows_of(targets, rows=40, seed=1):
    random = np.random.default_rng(seed)
    return tuple(tf.constant(random.normal(size=(rows, k)), tf.float32) for k in (targets, 2))


def test_the_four_flows_are_known_by_name():
    known = {name: (shape.structure, shape.kind) for name, shape in FLOWS.items()}
    assert known == {f"{s}_{k}": (s, k) for s in ("coupling", "masked") for k in ("spline", "affine")}


def jacobian_of(function, values):
    """Derivatives of images (n, t) by values (n, t), in float64."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(values)
        columns = tf.unstack(function(values), axis=-1)
    return np.stack([tape.gradient(column, values) for column in columns], axis=1).astype(np.float64)


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("targets", [1, 3])
def test_a_new_flow_is_the_identity(name, targets):
    flow = Flow(targets, 2, SMALL[name])
    values, conditions = rows_of(targets)
    latents, log_volume = flow.forward(values, conditions)
    np.testing.assert_allclose(latents, values, atol=5e-6)
    np.testing.assert_allclose(log_volume, 0.0, atol=1e-5)
    normal = -0.5 * (values.numpy() ** 2).sum(axis=1) - 0.5 * targets * math.log(2 * math.pi)
    np.testing.assert_allclose(flow.log_density(values, conditions), normal, atol=2e-5)


@pytest.mark.parametrize("name", FLOWS)
def test_a_density_of_one_target_integrates_to_one(name):
    flow = flow_with(name, 1, seed=2)
    grid = np.linspace(-14.0, 14.0, 8001, dtype=np.float32)[:, None]
    for conditions in ([0.0, 0.0], [1.5, -2.0]):
        density = np.exp(flow.log_density(grid, np.tile(np.float32(conditions), (len(grid), 1))))
        assert np.sum(density) * 28.0 / 8000 == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("name", FLOWS)
def test_a_density_of_two_targets_integrates_to_one(name):
    flow = flow_with(name, 2, seed=3, size=0.12)
    edge, points = 12.0, 401
    axis = np.linspace(-edge, edge, points, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = np.exp(flow.log_density(grid, np.tile(np.float32([0.7, -0.4]), (len(grid), 1))))
    assert np.abs(density - np.exp(-0.5 * (grid**2).sum(axis=1)) / (2 * math.pi)).max() > 0.02
    assert np.sum(density) * (2 * edge / (points - 1)) ** 2 == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", FLOWS)
def test_log_density_is_the_change_of_variables(name):
    flow = flow_with(name, 3, seed=4)
    values, conditions = rows_of(3)
    latents, log_volume = flow.forward(values, conditions)
    determinant = np.linalg.det(jacobian_of(lambda values: flow.forward(values, conditions)[0], values))
    np.testing.assert_allclose(log_volume, np.log(determinant), atol=1e-4)
    normal = -0.5 * (latents.numpy() ** 2).sum(axis=1) - 1.5 * math.log(2 * math.pi)
    np.testing.assert_allclose(flow.log_density(values, conditions), normal + np.log(determinant), atol=1e-4)


@pytest.mark.parametrize("name", FLOWS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), targets=st.integers(1, 4))
def test_forward_and_inverse_undo_each_other(name, seed, targets):
    flow = flow_with(name, targets, seed, size=0.1)
    values, conditions = rows_of(targets, seed=seed)
    there, _ = flow.forward(values, conditions)
    np.testing.assert_allclose(flow.inverse(there, conditions), values, atol=1e-5)
    back, _ = flow.forward(flow.inverse(values, conditions), conditions)
    np.testing.assert_allclose(back, values, atol=1e-5)
    assert np.abs(there - values).max() > 1e-2


@pytest.mark.parametrize("kind", ["affine", "spline"])
def test_without_reversal_each_latent_belongs_to_a_target(kind):
    flow = Flow(3, 2, FlowShape(blocks=2, width=16, layers=1, bins=6, kind=kind, structure="masked", reverse=False))
    for weight in flow.trainable_variables:
        weight.assign(weight + np.random.default_rng(5).normal(0.0, 0.2, weight.shape).astype(np.float32))
    latents, conditions = rows_of(3)
    jacobian = jacobian_of(lambda latents: flow.inverse(latents, conditions), latents)
    assert not np.triu(jacobian, 1).any()
    assert (np.diagonal(jacobian, axis1=1, axis2=2) > 0.0).all()


def test_a_seed_says_the_first_weights():
    first, same, other = (Flow(3, 2, SMALL["masked_spline"], seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_far_rows_stay_finite():
    for name in FLOWS:
        flow = flow_with(name, 3, seed=6, size=2.0)
        values, conditions = (30.0 * part for part in rows_of(3))
        assert np.isfinite(flow.log_density(values, conditions)).all()
        assert np.isfinite(flow.inverse(values, conditions)).all()


@pytest.mark.parametrize(("targets", "conditions"), [(2, 2), (3, 1), (3, 3), (1, 2)])
def test_rows_of_other_columns_are_refused(targets, conditions):
    flow = Flow(3, 2, SMALL["coupling_affine"])
    with pytest.raises(DomainError, match="expected 3 targets or latents and 2 conditions"):
        flow.log_density(tf.zeros((5, targets)), tf.zeros((5, conditions)))
    with pytest.raises(DomainError, match="expected 3 targets or latents and 2 conditions"):
        flow.inverse(tf.zeros((5, targets)), tf.zeros((5, conditions)))


@pytest.mark.parametrize(("targets", "conditions"), [(0, 1), (1, 0)])
def test_a_flow_needs_something_to_map_and_something_given(targets, conditions):
    with pytest.raises(ConfigError, match="at least one target and one condition"):
        Flow(targets, conditions, FlowShape())

"""Surfaces of losses that are known: parabolas, a saddle, a plane with two valleys."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.study.surfaces import along, curvature, filter_normalised, lanczos, minima


@pytest.fixture
def network():
    given = keras.Input((3,))
    return keras.Model(given, keras.layers.Dense(2, kernel_initializer=keras.initializers.RandomNormal(seed=1))(given))


def quadratic(network, signs):
    kernel, bias = network.trainable_variables

    def loss():
        return tf.reduce_sum(tf.constant(signs, tf.float32) * tf.square(kernel)) + tf.reduce_sum(tf.square(bias))

    return loss


def test_a_direction_is_as_long_as_each_neurons_weights(network):
    weights = [np.array(variable) for variable in network.trainable_variables]
    kernel, bias = filter_normalised(weights, np.random.default_rng(2))
    assert np.linalg.norm(kernel, axis=0) == pytest.approx(np.linalg.norm(weights[0], axis=0), rel=1e-5)
    assert not np.allclose(kernel, weights[0])
    assert not bias.any()


def test_a_neuron_without_weights_stays_where_it_is():
    weights = [np.array([[1.0, 0.0], [2.0, 0.0]], np.float32)]
    (kernel,) = filter_normalised(weights, np.random.default_rng(2))
    assert kernel[:, 0].any()
    assert not kernel[:, 1].any()


def test_the_loss_along_lines_is_the_parabola_and_weights_stay(network):
    weights = [np.array(variable) for variable in network.trainable_variables]
    ways = [filter_normalised(weights, np.random.default_rng(seed)) for seed in (3, 4)]
    loss, at = quadratic(network, np.ones((3, 2))), np.linspace(-1.0, 1.0, 5)
    line = along(network, loss, ways[:1], at)
    wanted = [np.sum((weights[0] + a * ways[0][0]) ** 2) for a in at]
    assert line == pytest.approx(wanted, rel=1e-5)
    plane = along(network, loss, ways, at)
    assert plane.shape == (5, 5)
    assert plane[4, 0] == pytest.approx(np.sum((weights[0] + ways[0][0] - ways[1][0]) ** 2), rel=1e-5)
    for variable, before in zip(network.trainable_variables, weights, strict=True):
        assert np.array_equal(np.array(variable), before)


def test_weights_stay_even_if_the_loss_fails(network):
    before = np.array(network.trainable_variables[0])
    ways = [filter_normalised([np.array(v) for v in network.trainable_variables], np.random.default_rng(5))]

    def fails():
        raise RuntimeError("no loss")

    with pytest.raises(RuntimeError, match="no loss"):
        along(network, fails, ways, np.array([0.5]))
    assert np.array_equal(np.array(network.trainable_variables[0]), before)
    with pytest.raises(ConfigError, match="expected one direction or two"):
        along(network, fails, [], np.array([0.5]))


def test_minima_lie_below_all_neighbours():
    x, y = np.meshgrid(np.linspace(-2.0, 2.0, 41), np.linspace(-2.0, 2.0, 41), indexing="ij")
    assert minima((x**2 - 1.0) ** 2 + y**2) == 2
    assert minima(x**2 - y**2) == 0
    assert minima(x + y) == 0
    assert minima(np.zeros((5, 5))) == 0


@pytest.mark.parametrize(
    ("signs", "wanted"), [([[1, 2], [3, 1], [1, 5]], (2.0, 10.0)), ([[1, -4], [3, 1], [1, 5]], (-8.0, 10.0))]
)
def test_curvature_tells_a_minimum_from_a_saddle(network, signs, wanted):
    assert curvature(network, quadratic(network, signs), turns=8) == pytest.approx(wanted, rel=1e-4)


def test_eigenvalues_are_those_of_the_matrix():
    random = np.random.default_rng(6)
    matrix = random.normal(size=(30, 30))
    matrix += matrix.T
    wanted = np.linalg.eigvalsh(matrix)
    assert lanczos(lambda v: matrix @ v, random.normal(size=30), 30) == pytest.approx(wanted, abs=1e-8)
    ends = lanczos(lambda v: matrix @ v, random.normal(size=30), 15)[[0, -1]]
    assert ends == pytest.approx(wanted[[0, -1]], rel=0.05)
    assert wanted[0] <= ends[0]
    assert ends[1] <= wanted[-1]
    assert lanczos(lambda v: 3.0 * v, np.ones(4), 4) == pytest.approx([3.0])

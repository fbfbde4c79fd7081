"""A watched training is the training that nobody watches, and tells its gradients."""

import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.nn.extrapolators.families import Shape
from lamarrpy.nn.players import Body
from lamarrpy.study.gradients import COMPETITION, Watched, cosine, norms
from lamarrpy.tracks import make_sample
from lamarrpy.train.extrapolation.learner import ExtrapolatorLearner, Weights
from lamarrpy.train.extrapolation.running import rows_of
from lamarrpy.train.loop import Batch
from lamarrpy.train.schedules import Descent

WEIGHTS = {"mlp": Weights(1.0), "pinn": Weights(1.0, 0.5, 0.5), "rk_pinn": Weights(1.0, 2.0, 1.0)}


@pytest.fixture(scope="module")
def batch():
    rows = rows_of(make_sample("box", 64, 1))
    return Batch(*(tf.constant(column) for column in (rows.conditions, rows.targets, rows.weights)))


def learner(kind, family):
    shape = Shape(family, Body((8, 8), residual=False, activation="tanh"), nodes=4, sweeps=1, exact_start=False)
    return kind(shape, WEIGHTS[family], (100.0, 10.0, 0.02, 0.001), Descent("adam", 1e-3))


@pytest.mark.parametrize("family", sorted(WEIGHTS))
def test_it_learns_as_one_that_is_not_watched(family, batch):
    both = [learner(kind, family) for kind in (ExtrapolatorLearner, Watched)]
    for step in range(3):
        told = [one.step(batch, tf.constant((0, step), tf.int32)) for one in both]
        assert float(told[1]["loss"]) == pytest.approx(float(told[0]["loss"]), rel=1e-4)
    for one, other in zip(*(list(x.network().get_weights()) for x in both), strict=True):
        assert other == pytest.approx(one, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("family", sorted(WEIGHTS))
def test_layers_make_up_the_whole_gradient(family, batch):
    watched = learner(Watched, family)
    before = [np.array(variable) for variable in watched.network().trainable_variables]
    with tf.GradientTape() as tape:
        loss = watched.losses(batch, tf.constant((0, 0), tf.int32))["loss"]
    gradient = tape.gradient(loss, watched.network().trainable_variables)
    told = watched.step(batch, tf.constant((0, 0), tf.int32))
    layers = {name: float(value) for name, value in told.items() if name.startswith("gradient/")}
    whole = layers.pop("gradient/all")
    assert len(layers) == len(before) // 2
    assert whole == pytest.approx(np.sqrt(sum(value**2 for value in layers.values())), rel=1e-5)
    wanted = np.sqrt(sum(float(tf.reduce_sum(tf.square(part))) for part in gradient if part is not None))
    assert whole == pytest.approx(wanted, rel=1e-4)
    assert (COMPETITION in told) == (family != "mlp")
    if COMPETITION in told:
        assert -1.0 <= float(told[COMPETITION]) <= 1.0


def test_angles_and_lengths():
    a, b = [tf.constant([3.0, 0.0]), tf.constant([[4.0]])], [tf.constant([0.0, 2.0]), tf.constant([[0.0]])]
    assert float(cosine(a, a)) == pytest.approx(1.0)
    assert float(cosine(a, [-x for x in a])) == pytest.approx(-1.0)
    assert float(cosine(a, b)) == 0.0
    assert float(cosine(a, [0.0 * x for x in a])) == 0.0
    told = {name: float(value) for name, value in norms(a, ["one", "two"]).items()}
    assert told == pytest.approx({"gradient/one": 3.0, "gradient/two": 4.0, "gradient/all": 5.0})

"""The families: what goes in, what comes out, what holds by construction."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.nn.extrapolators.families import FAMILIES, PATH, SIZES, Shape, build
from lamarrpy.nn.players import Body
from lamarrpy.parameterization.network import Network
from lamarrpy.train.export import from_keras, to_keras, to_onnx

SMALL = Body((16, 16), residual=False, activation="silu")


def _tracks(n=300):
    random = np.random.default_rng(2)
    columns = [random.uniform(-r, r, n) for r in (900.0, 800.0, 0.2, 0.2)]
    qop = random.choice((-1.0, 1.0), n) / random.uniform(3e3, 5e4, n)
    z, dz = np.full(n, 4000.0), random.uniform(3000.0, 8000.0, n)
    return np.stack([*columns[:2], z, *columns[2:], qop, dz], axis=1).astype(np.float32)


def _shapes():
    for family in FAMILIES:
        yield Shape(family, SMALL, nodes=6)
    for ends in ("direct", "bend"):
        yield Shape("mlp", SMALL, ends=ends)
        yield Shape("pinn", SMALL, ends=ends)
    yield Shape("mlp", SMALL, batch_norm=True)
    yield Shape("mlp", SMALL, spread=True)
    yield Shape("pinn", SMALL, exact_start=False)


@pytest.mark.parametrize("shape", list(_shapes()), ids=lambda s: f"{s.family}-{s.ends}{'-spread' * s.spread}")
def test_onnx_and_keras_agree(shape):
    network, tracks = build(shape), _tracks()
    assert network.output.shape[-1] == (8 if shape.spread else 4)
    wanted = network(tf.constant(tracks)).numpy()
    assert np.isfinite(wanted).all()
    unit = 1000.0 if shape.ends == "direct" else 10.0  # float32 knows the end itself less well than what it deviates by
    got = Network(to_onnx(network, tracks, unit), {"tracks": 7}, wanted.shape[1], "x")(tracks=tracks)
    assert np.allclose(got, wanted, rtol=1e-5, atol=1e-5 * unit)
    assert np.array_equal(from_keras(to_keras(network))(tf.constant(tracks)), wanted)


@pytest.mark.parametrize("ends", ["direct", "residual", "bend"])
def test_a_pinn_begins_where_the_track_does(ends):
    path = build(Shape("pinn", SMALL, ends=ends)).get_layer(PATH)
    tracks = tf.constant(_tracks())
    assert not path([tracks, tf.zeros((len(tracks), 1))]).numpy().any()
    assert path([tracks, tf.ones((len(tracks), 1))]).numpy().any()


def test_straight_tracks_stay_straight_where_ends_are_over_the_momentum():
    tracks = _tracks()
    tracks[:, 5] = 0.0
    for family in ("mlp", "pinn"):
        assert not build(Shape(family, SMALL, ends="bend"))(tf.constant(tracks)).numpy().any()


@pytest.mark.parametrize(("size", "parameters"), [("tiny", 5e3), ("small", 27e3), ("medium", 100e3), ("wide", 400e3)])
def test_sizes_are_those_of_the_protocol(size, parameters):
    network = build(Shape("mlp", Body(SIZES[size], residual=False)))
    assert network.count_params() == pytest.approx(parameters, rel=0.1)


def test_the_seed_decides_the_first_weights():
    def weights(seed):
        return build(Shape("rk_pinn", Body((8,), residual=False, seed=seed), nodes=4)).get_weights()[0]

    assert np.array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"family": "rkpinn"}, "did you mean 'rk_pinn'"),
        ({"family": "mlp", "ends": "residuals"}, "did you mean 'residual'"),
        ({"family": "pinn", "spread": True}, "spread with pinn"),
        ({"family": "rk_pinn", "batch_norm": True}, "mixes tracks"),
    ],
)
def test_what_does_not_go_together_is_refused(wrong, told):
    with pytest.raises(ConfigError, match=told):
        Shape(**wrong)


def test_a_layer_is_known_by_its_name():
    assert keras.saving.get_registered_object("lamarrpy>Sweeps") is not None

"""Picard sweeps end on the true path, from any guess."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.field import magnetic_field
from lamarrpy.nn.extrapolators.families import Shape, build
from lamarrpy.nn.extrapolators.sweeps import Sweeps
from lamarrpy.nn.extrapolators.tracks import fold
from lamarrpy.nn.players import Body
from lamarrpy.propagation import State, dormand_prince
from lamarrpy.propagation.motion import KAPPA

TINY = Body((8,), residual=False, activation="silu")
CROWD = {"middle": 4500.0, "width": 2500.0}


def _tracks(n=60, p=(5e3, 5e4), seed=1, dz=8000.0):
    random = np.random.default_rng(seed)
    qop = random.choice((-1.0, 1.0), n) / random.uniform(*p, n)
    x, y, tx, ty = (random.uniform(-r, r, n) for r in (800.0, 700.0, 0.2, 0.15))
    return np.stack([x, y, np.full(n, 4000.0), tx, ty, qop, np.full(n, dz)], axis=1)


def _true(tracks, field):
    start = State(*tracks[:, :6].T)
    end = dormand_prince(start, [start.z + tracks[:, 6]], field)
    line = np.stack([start.x + start.tx * tracks[:, 6], start.y + start.ty * tracks[:, 6], start.tx, start.ty])
    return np.stack([part[0] for part in end[:4]]).T - line.T


def _answers(shape, tracks):
    return build(shape)(tf.constant(tracks, tf.float32)).numpy()


@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
@pytest.mark.parametrize(
    ("kind", "settings"),
    [("lhcb", {"nodes": 20, **CROWD}), ("lhcb", {"nodes": 20, **CROWD, "start": 4000.0, "end": 12_000.0}),
     ("dipole_pair", {"nodes": 12}), ("uniform", {"nodes": 8})],
)  # fmt: skip
def test_without_a_network_they_find_the_truth(kind, settings, polarity):
    field = {"kind": kind, "polarity": polarity} | ({"by": 0.3} if kind == "uniform" else {})
    tracks = _tracks()
    differ = _answers(Shape("picard", field=field, sweeps=5, **settings), tracks) - _true(
        tracks, magnetic_field(**field)
    )
    assert np.abs(differ[:, :2]).max() < 2e-3
    assert np.abs(differ[:, 2:]).max() < 5e-7


def test_an_untrained_guess_ends_there_too():
    tracks, field = _tracks(), {"kind": "lhcb"}
    true = _true(tracks, magnetic_field("lhcb"))
    errors = [
        np.abs(_answers(Shape("rk_pinn", TINY, field, nodes=16, sweeps=sweeps, **CROWD), tracks) - true)[:, 0].max()
        for sweeps in (0, 1, 2, 3, 5)
    ]
    assert errors[0] > 100.0 > 30.0 > errors[1] > errors[2] > errors[3]
    assert errors[4] < 0.02


def test_straight_tracks_stay_straight_exactly():
    tracks = _tracks()
    tracks[:, 5] = 0.0
    assert not _answers(Shape("rk_pinn", TINY, {"kind": "lhcb"}, nodes=6), tracks).any()
    assert not _answers(Shape("picard", field={"kind": "none"}, nodes=6), _tracks()).any()


def test_the_end_of_a_uniform_field_is_that_of_the_circle():
    tracks = _tracks(1, (10e3, 10e3))
    tracks[:, :5] = 0.0
    (x, y, tx, ty) = _answers(Shape("picard", field={"kind": "uniform", "by": 0.5}, nodes=10, sweeps=3), tracks)[0]
    radius = 1.0 / (KAPPA * abs(tracks[0, 5]) * 0.5)
    sine = 8000.0 / radius
    assert abs(x) == pytest.approx(radius * (1.0 - np.sqrt(1.0 - sine**2)), rel=1e-5)
    assert abs(tx) == pytest.approx(sine / np.sqrt(1.0 - sine**2), rel=1e-5)
    assert y == ty == 0.0
    assert np.sign(x) == -np.sign(tracks[0, 5])


def test_mirror_images_are_mirror_images():
    tracks = _tracks(200)
    network = build(Shape("rk_pinn", TINY, {"kind": "lhcb"}, nodes=10, **CROWD))
    plain = network(tf.constant(tracks, tf.float32)).numpy()
    for columns, ends in (((0, 3, 5), (0, 2)), ((1, 4), (1, 3))):
        mirrored = tracks.copy()
        mirrored[:, columns] *= -1.0
        signs = np.ones(4, np.float32)
        signs[list(ends)] = -1.0
        assert np.array_equal(network(tf.constant(mirrored, tf.float32)).numpy() * signs, plain)


def test_deviations_are_as_exact_as_float32_allows():
    tracks = _tracks(200, (80e3, 100e3))
    true = _true(tracks, magnetic_field("lhcb"))
    differ = _answers(Shape("picard", field={"kind": "lhcb"}, nodes=20, sweeps=4, **CROWD), tracks) - true
    assert (np.abs(differ[:, 0]) / np.abs(true[:, 0])).max() < 3e-6


def test_the_momentum_cannot_change():
    tracks = tf.constant(_tracks(), tf.float64)
    sweeps = Sweeps({"kind": "lhcb"}, 12, 2, 4500.0, 2500.0)
    way = sweeps.way(fold(tracks, KAPPA))
    path = way.path(way.swept(way.along_line(), 2))
    cosine = 1.0 / np.sqrt(1.0 + path.tx.numpy() ** 2 + path.ty.numpy() ** 2)
    assert (cosine > 0.0).all()
    assert (cosine <= 1.0).all()


def test_it_is_made_again_from_its_settings(tmp_path):
    network = build(Shape("rk_pinn", TINY, {"kind": "lhcb"}, nodes=6, sweeps=1, **CROWD))
    network.save(tmp_path / "x.keras")
    again = keras.saving.load_model(tmp_path / "x.keras")
    tracks = tf.constant(_tracks(), tf.float32)
    assert np.array_equal(again(tracks), network(tracks))

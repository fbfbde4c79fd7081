"""Extrapolators as ONNX: compared with Keras on tracks, gelu too."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.errors import ArtifactError
from lamarrpy.nn.extrapolators.families import Shape, build
from lamarrpy.nn.players import Body
from lamarrpy.study.conversion import disagreeing, tracks_to_onnx
from lamarrpy.study.measuring import inference_times
from lamarrpy.tracks import make_sample
from lamarrpy.train.extrapolation.running import as_input

TOLERANCE = np.array([1e-2, 1e-2, 1e-5, 1e-5])


@pytest.fixture(scope="module")
def tracks():
    sample = make_sample("box", 300, 1)
    return as_input(sample.start, sample.dz)


def test_what_counts_as_equal_goes_with_the_size_of_the_number():
    wanted = np.array([[100.0, 1e-3], [100.0, 1e-3], [0.0, 0.0], [np.nan, 0.0]], np.float32)
    off = np.array([[1.4e-3, 0.0], [0.0, 1e-8], [1.4e-3, 0.0], [0.0, 0.0]], np.float32)
    tolerance = np.array([5e-4, 1e-8])
    assert disagreeing(wanted + off, wanted, tolerance) == 0.25
    assert disagreeing(np.zeros_like(wanted), wanted, tolerance) == 0.75  # the third is right; the last has no answer
    assert disagreeing(np.full_like(wanted, np.nan), wanted, tolerance) == 0.75


@pytest.mark.parametrize("family", ["mlp", "rk_pinn"])
def test_gelu_is_said_in_onnx(family, tracks):
    shape = Shape(family, Body((16,), residual=False, activation="gelu"), nodes=4, sweeps=1)
    assert tracks_to_onnx(build(shape), tracks, TOLERANCE)


def test_an_operation_that_does_otherwise_is_told(tracks):
    given = keras.Input((7,), name="tracks")
    with pytest.raises(ArtifactError, match="noisy: expected ONNX and Keras to agree"):
        tracks_to_onnx(keras.Model(given, _Noise()(given), name="noisy"), tracks, TOLERANCE)


class _Noise(keras.layers.Layer):
    def call(self, inputs):
        return inputs[:, :4] * (1.0 + tf.random.uniform((4,)))


def test_times_are_those_of_a_track(tracks):
    model = tracks_to_onnx(build(Shape("mlp", Body((8,), residual=False, activation="silu"))), tracks, TOLERANCE)
    times = inference_times(model, tracks)
    assert list(times) == ["1", "100", "10000"]
    assert 0.0 < times["10000"] < times["1"]  # a call costs more than a track

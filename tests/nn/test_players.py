"""Players: shapes, seeds, shortcuts, files and ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx

from lamarrpy.errors import ConfigError
from lamarrpy.nn.auxiliary import AuxiliaryFeatures
from lamarrpy.nn.players import (
    ACTIVATIONS,
    HIDDEN,
    Body,
    classifier,
    discriminator,
    generator,
    referee,
    with_probabilities,
)

RNG = np.random.default_rng(7)
CONDITIONS = RNG.normal(size=(50, 3)).astype("f")
LATENTS = RNG.normal(size=(50, 4)).astype("f")
TARGETS = RNG.normal(size=(50, 4)).astype("f")


def _disturbed(model: keras.Model) -> keras.Model:
    """Biases and zero kernels become something, so that nothing agrees by being zero."""
    rng = np.random.default_rng(1)
    model.set_weights([w + 0.1 * rng.normal(size=w.shape).astype("f") for w in model.get_weights()])
    return model


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("widths", [(16,), (16, 16, 16), (8, 16, 16, 4)])
def test_shapes(widths: tuple[int, ...], residual: bool) -> None:
    body = Body(widths, residual)
    assert generator(3, 4, 2, body)([CONDITIONS, LATENTS]).shape == (50, 2)
    assert discriminator(3, 4, body, outputs=5)([CONDITIONS, TARGETS]).shape == (50, 5)
    assert referee(3, 4, body)([CONDITIONS, TARGETS]).shape == (50, 1)


def test_residual_layer_adds_to_its_input() -> None:
    model = _disturbed(discriminator(3, 4, Body((6, 6), activation="silu")))
    w0, b0, w1, b1, w2, b2 = (np.asarray(w, np.float64) for w in model.get_weights())

    def silu(x: Any) -> Any:
        return x / (1.0 + np.exp(-x))

    first = silu(np.hstack([CONDITIONS, TARGETS]) @ w0 + b0)
    expected = (first + silu(first @ w1 + b1)) @ w2 + b2
    np.testing.assert_allclose(model([CONDITIONS, TARGETS]), expected, atol=1e-5)


def test_leaky_relu_has_slope_a_tenth() -> None:
    np.testing.assert_allclose(ACTIVATIONS["leaky_relu"]()(np.array([-2.0, 3.0], "f")), [-0.2, 3.0], rtol=1e-6)


def test_first_weights_depend_on_seed_and_role_alone() -> None:
    one, same = (generator(3, 4, 4, Body((8, 8), seed=5)).get_weights() for _ in range(2))
    other = generator(3, 4, 4, Body((8, 8), seed=6)).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert not np.array_equal(one[0], one[2][:7])
    players = [make(3, 4, Body((8, 8))).get_weights()[0] for make in (discriminator, referee)]
    assert not np.array_equal(*players)


def test_shortcut_begins_as_the_latents_and_adds() -> None:
    model = generator(3, 4, 4, Body((8, 8)), shortcut=True)
    np.testing.assert_array_equal(model([CONDITIONS, LATENTS]), LATENTS)
    plain = generator(3, 4, 4, Body((8, 8)))
    plain.set_weights(_disturbed(model).get_weights())
    np.testing.assert_allclose(model([CONDITIONS, LATENTS]), LATENTS + plain([CONDITIONS, LATENTS]), atol=1e-6)


def test_l2_and_dropout() -> None:
    model = discriminator(3, 4, Body((8, 8), l2=0.5, dropout=0.5))
    kernels = model.get_weights()[::2]
    np.testing.assert_allclose(sum(model.losses), 0.5 * sum((k**2).sum() for k in kernels), rtol=1e-5)
    quiet = [model([CONDITIONS, TARGETS], training=False) for _ in range(2)]
    loud = [model([CONDITIONS, TARGETS], training=True) for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    assert not np.array_equal(*loud)


def test_hidden_layer_has_a_name() -> None:
    assert discriminator(3, 4, Body((8, 5))).get_layer(HIDDEN).output.shape == (None, 5)


def test_auxiliary_features_reach_the_first_layer() -> None:
    knots = {"b": (np.array([-5.0, 5.0]), np.array([-500.0, 500.0]))}
    features = AuxiliaryFeatures(["b * b"], ["a", "b", "c", "d"], knots, [10000.0], [10000.0])
    model = discriminator(3, 4, Body((8,)), features)
    assert model.get_weights()[0].shape == (3 + 4 + 1, 8)
    weights = model.get_weights()
    weights[0][:7] = 0.0
    model.set_weights(weights)
    mirrored = TARGETS * np.array([3.0, -1.0, 3.0, 3.0], "f")
    np.testing.assert_allclose(model([CONDITIONS, mirrored]), model([CONDITIONS, TARGETS]), atol=1e-5)
    assert np.std(model([CONDITIONS, TARGETS])) > 0.0


@pytest.mark.parametrize(("classes", "columns"), [(2, 1), (3, 3)])
def test_classifier_and_its_probabilities(classes: int, columns: int) -> None:
    model = _disturbed(classifier(3, classes, Body((8,))))
    logits = np.asarray(model(CONDITIONS), np.float64)
    assert logits.shape == (50, columns)
    whole = np.hstack([np.zeros((50, 1)), logits]) if classes == 2 else logits
    expected = np.exp(whole) / np.exp(whole).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(with_probabilities(model)(CONDITIONS), expected, atol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of keras, with numpy 2
@pytest.mark.parametrize("shortcut", [False, True])
def test_file_and_onnx_agree_with_the_network(shortcut: bool, tmp_path: Path) -> None:
    model = _disturbed(generator(3, 4, 4, Body((32, 32, 32)), shortcut=shortcut))
    expected = np.asarray(model([CONDITIONS, LATENTS]))
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")([CONDITIONS, LATENTS]), expected)
    names = {"conditions": 3, "latents": 4}
    signature = [tf.TensorSpec((None, width), tf.float32, name=name) for name, width in names.items()]
    function = tf.function(lambda conditions, latents: model([conditions, latents]), input_signature=signature)
    converted, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=17)
    session = onnxruntime.InferenceSession(converted.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"conditions": CONDITIONS, "latents": LATENTS})[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of keras, with numpy 2
def test_discriminator_with_auxiliary_features_can_be_saved(tmp_path: Path) -> None:
    knots = {"b": (np.linspace(-5.0, 5.0, 11), np.linspace(-5.0, 5.0, 11) ** 3)}
    model = discriminator(3, 4, Body((8,)), AuxiliaryFeatures(["abs(b) + 1"], ["a", "b", "c", "d"], knots))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again([CONDITIONS, TARGETS]), model([CONDITIONS, TARGETS]))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Body(()), "hidden layer"),
        (lambda: Body((8, 0)), "hidden layer"),
        (lambda: Body(activation="leaky"), "did you mean 'leaky_relu'"),
        (lambda: Body(dropout=1.0), "dropout"),
        (lambda: Body(l2=-1.0), "l2"),
        (lambda: generator(3, 5, 4, shortcut=True), "one latent for each"),
        (lambda: generator(0, 4, 4), "at least one column of conditions"),
        (lambda: classifier(3, 1), "two classes"),
    ],
)
def test_refused(make: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        make()

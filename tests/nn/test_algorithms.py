"""Algorithms: the names of the thesis, and what a recipe may change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.errors import ConfigError
from lamarrpy.nn.algorithms import ALGORITHMS, Algorithm, algorithm
from lamarrpy.nn.feature_matching import FeatureMatching
from lamarrpy.nn.losses import CrossEntropy, Energy, LeastSquares, Minimax, Wasserstein
from lamarrpy.nn.penalties import AdversarialLipschitzPenalty, GradientPenalty, NoPenalty, WeightClipping
from lamarrpy.nn.players import Body, discriminator

TABLE = {
    "GAN": (Minimax, NoPenalty),
    "BceGAN": (CrossEntropy, NoPenalty),
    "LSGAN": (LeastSquares, NoPenalty),
    "WGAN": (Wasserstein, WeightClipping),
    "WGAN_GP": (Wasserstein, GradientPenalty),
    "CramerGAN": (Energy, GradientPenalty),
    "WGAN_ALP": (Wasserstein, AdversarialLipschitzPenalty),
    "BceGAN_GP": (CrossEntropy, GradientPenalty),
    "BceGAN_ALP": (CrossEntropy, AdversarialLipschitzPenalty),
}


def test_the_nine_of_the_thesis() -> None:
    assert {name: (type(each.loss), type(each.penalty)) for name, each in ALGORITHMS.items()} == TABLE


def test_a_recipe_changes_numbers_and_parts() -> None:
    assert algorithm("BceGAN") == ALGORITHMS["BceGAN"]
    assert algorithm("WGAN-GP") == ALGORITHMS["WGAN_GP"]
    assert algorithm("BceGAN", loss={"smoothing": 0.1}).loss == CrossEntropy(0.1)
    pearson = algorithm("LSGAN", {"a": -1.0, "b": 1.0, "c": 0.0}, matching={"strength": 2.0})
    assert pearson == Algorithm(LeastSquares(-1.0, 1.0, 0.0), matching=FeatureMatching(2.0))
    other = algorithm("GAN", loss={"form": "minimax"}, penalty={"name": "gradient", "sides": 1})
    assert other == Algorithm(Minimax("minimax"), GradientPenalty(sides=1))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: algorithm("BCEGAN"), "did you mean 'BceGAN'"),
        (lambda: algorithm("GAN", loss={"smoothing": 0.1}), "numbers out of form"),
        (lambda: algorithm("GAN", loss={"name": "bcee"}), "did you mean 'bce'"),
        (lambda: algorithm("WGAN", penalty={"bond": 0.1}), "did you mean 'bound'"),
        (lambda: algorithm("GAN", penalty={"strength": 1.0}), "numbers out of none"),
        (lambda: algorithm("GAN", matching={"stregth": 1.0}), "did you mean 'strength'"),
        (lambda: FeatureMatching(player="referee"), "generator, discriminator"),  # type: ignore[arg-type]
        (lambda: FeatureMatching(layer="dense_9").watched(discriminator(1, 1, Body((4,)))), "dense_0"),
    ],
)
def test_refused(make: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        make()


def test_feature_matching_by_hand() -> None:
    real, generated = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([[0.0, 2.0], [1.0, 1.0]])
    # Means of (1, 0) and (2, 3) with weights 0.5 and 1.5: (1.75, 2.25).
    found = FeatureMatching(2.0)(real, generated, tf.constant([0.5, 1.5]))
    assert float(found) == pytest.approx(2.0 * (1.75**2 + 2.25**2) / 2.0)


def test_feature_matching_watches_the_hidden_layer() -> None:
    model = discriminator(2, 1, Body((4, 3), activation="relu"))
    inputs = [np.ones((5, 2), "f"), np.ones((5, 1), "f")]
    scores, hidden = FeatureMatching().watched(model)(inputs)
    kernel, bias = model.get_layer("output").get_weights()
    np.testing.assert_allclose(scores, model(inputs))
    np.testing.assert_allclose(scores, np.asarray(hidden) @ kernel + bias, rtol=1e-5)

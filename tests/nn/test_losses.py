"""Adversarial losses: hand-made numbers, optima, weights, extremes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from lamarrpy.errors import ConfigError
from lamarrpy.nn.losses import LOSSES, CrossEntropy, Energy, LeastSquares, Minimax, Scores, Wasserstein

EVERY = [
    Minimax("minimax"),
    Minimax("non_saturating"),
    CrossEntropy(0.1),
    LeastSquares(),
    LeastSquares(-1.0, 1.0, 0.0),
    Wasserstein(),
    Energy(3),
]


def _scores(loss: Any, seed: int, rows: int, spread: float = 1.0) -> Scores:
    rng = np.random.default_rng(seed)
    made = [tf.constant(spread * rng.normal(size=(rows, loss.outputs)), tf.float32) for _ in range(1 + loss.draws)]
    return Scores(*made)


def _both(loss: Any, scores: Scores, weights: Any) -> list[float]:
    weights = tf.constant(weights, tf.float32)
    return [float(loss.discriminator(scores, weights)), float(loss.generator(scores, weights))]


def _column(*values: float) -> Any:
    return tf.constant(np.array(values)[:, None], tf.float32)


def _log_d(score: float) -> float:
    return -float(np.log1p(np.exp(-score)))


def test_every_loss_is_named() -> None:
    assert {type(loss) for loss in EVERY} == set(LOSSES.values())


def test_minimax_by_hand() -> None:
    scores = Scores(_column(0.3), _column(-1.2))
    assert _both(Minimax("minimax"), scores, [1.0]) == pytest.approx([-_log_d(0.3) - _log_d(1.2), _log_d(1.2)])
    assert _both(Minimax(), scores, [1.0])[1] == pytest.approx(-_log_d(-1.2))


def test_label_smoothing_by_hand() -> None:
    # Labels 1 and 0 become 0.95 and 0.05 with s = 0.1; both players' losses are smoothed.
    scores = Scores(_column(0.3), _column(-1.2))
    real = -0.95 * _log_d(0.3) - 0.05 * _log_d(-0.3)
    generated = -0.05 * _log_d(-1.2) - 0.95 * _log_d(1.2)
    deceived = -0.95 * _log_d(-1.2) - 0.05 * _log_d(1.2)
    assert _both(CrossEntropy(0.1), scores, [1.0]) == pytest.approx([(real + generated) / 2, deceived], rel=1e-6)


def test_smoothed_labels_are_the_best_probabilities() -> None:
    logits = np.linspace(0.0, 6.0, 31)
    for smoothing in (0.0, 0.05, 0.2):
        losses = [_both(CrossEntropy(smoothing), Scores(_column(s), _column(-s)), [1.0])[0] for s in logits]
        best = 1.0 / (1.0 + np.exp(-logits[int(np.argmin(losses))]))
        assert best == pytest.approx(min(1.0 - smoothing / 2.0, 0.9975), abs=0.01)


@pytest.mark.parametrize(("a", "b", "c"), [(-1.0, 1.0, 0.0), (0.0, 1.0, 1.0)])
def test_least_squares_optimum(a: float, b: float, c: float) -> None:
    # For densities p (real) and q the best discriminator says (b p + a q) / (p + q), here all at one point.
    p, q = 0.7, 0.3
    loss = LeastSquares(a, b, c)
    says = np.linspace(-1.5, 1.5, 61)
    # The other half of each loss is zero: generated rows that are called a, real ones that are called b.
    real = [_both(loss, Scores(_column(s), _column(a)), [p])[0] for s in says]
    generated = [_both(loss, Scores(_column(b), _column(s)), [q])[0] for s in says]
    assert says[int(np.argmin(np.add(real, generated)))] == pytest.approx((b * p + a * q) / (p + q), abs=0.026)


def test_pearson_setting_measures_pearson_chi2() -> None:
    # 2 C(G) + (the part that the generator cannot change) = chi2 of (p + q) against 2 q (equation 11 of the paper).
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    best = (p - q) / (p + q)
    loss = LeastSquares(-1.0, 1.0, 0.0)
    weights = tf.constant(3.0 * q, tf.float32)
    generator = float(loss.generator(Scores(_column(*best), _column(*best)), weights))
    real = 0.5 * np.sum(p * best**2)
    assert 2.0 * (generator + real) == pytest.approx(np.sum((2 * q - (p + q)) ** 2 / (p + q)), rel=1e-5)


def test_wasserstein_by_hand() -> None:
    scores = Scores(_column(1.0, 3.0), _column(-1.0, 2.0))
    assert _both(Wasserstein(), scores, [1.0, 2.0]) == pytest.approx([(-2.0 - 2.0) / 2.0, -(-1.0 + 4.0) / 2.0])


def test_energy_by_hand() -> None:
    scores = Scores(tf.constant([[3.0, 4.0]]), tf.constant([[0.0, 0.0]]), tf.constant([[3.0, 0.0]]))
    # f(x) = |x - g'| - |x| = 4 - 5, f(g) = |g - g'| - |g| = 3 - 0.
    assert _both(Energy(2), scores, [1.0]) == pytest.approx([3.0 - (4.0 - 5.0), 5.0 + 4.0 - 3.0], rel=1e-5)


def test_energy_is_least_where_the_distributions_agree() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200_000, 1))
    first, second = rng.normal(size=(2, 200_000, 1))
    values = {}
    for width in (0.3, 0.7, 1.0, 1.4, 2.0):
        scores = Scores(*(tf.constant(x, tf.float32) for x in (real, width * first, width * second)))
        values[width] = _both(Energy(1), scores, np.ones(200_000))[1]
    assert min(values, key=values.__getitem__) == 1.0
    # Twice E|N(0, 2)| minus E|N(0, 2)|.
    assert values[1.0] == pytest.approx(2.0 / np.sqrt(np.pi), abs=0.01)


@pytest.mark.parametrize("loss", EVERY, ids=repr)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 5))
@settings(max_examples=6, deadline=None)
def test_row_of_weight_two_counts_twice(loss: Any, seed: int, rows: int) -> None:
    scores = _scores(loss, seed, rows)
    doubled = Scores(*(tf.concat([part[:1], part], axis=0) for part in scores if part is not None))
    weights = np.ones(rows)
    weights[0] = 2.0
    heavy, twice = _both(loss, scores, weights), _both(loss, doubled, np.ones(rows + 1))
    np.testing.assert_allclose(np.multiply(heavy, rows), np.multiply(twice, rows + 1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", EVERY, ids=repr)
@pytest.mark.parametrize("spread", [0.0, 1.0, 1e4])
def test_finite_with_slopes_for_one_row_and_any_scores(loss: Any, spread: float) -> None:
    scores = Scores(*(tf.Variable(part) for part in _scores(loss, 1, 1, spread) if part is not None))
    for player in (loss.discriminator, loss.generator):
        with tf.GradientTape() as tape:
            value = player(scores, tf.ones(1))
        parts = [part for part in scores if part is not None]
        slopes = tape.gradient(value, parts, unconnected_gradients="zero")
        assert np.isfinite([float(value), *np.concatenate([np.ravel(slope) for slope in slopes])]).all()


def test_non_saturating_form_pulls_where_minimax_does_not() -> None:
    score = tf.Variable([[-20.0]])
    slopes = {}
    for form in ("minimax", "non_saturating"):
        with tf.GradientTape() as tape:
            value = Minimax(form).generator(Scores(score, score), tf.ones(1))  # type: ignore[arg-type]
        slopes[form] = abs(float(tape.gradient(value, score)[0, 0]))
    assert slopes["minimax"] < 1e-8
    assert slopes["non_saturating"] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Minimax("other"), "minimax, non_saturating"),  # type: ignore[arg-type]
        (lambda: CrossEntropy(1.0), "label smoothing"),
        (lambda: Energy(0), "at least one output"),
        (lambda: Energy(1).generator(Scores(_column(1.0), _column(1.0)), tf.ones(1)), "two generated rows"),
    ],
)
def test_refused(make: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        make()

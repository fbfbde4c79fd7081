"""The adversarial game: every algorithm learns, and what a step promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from lamarrpy.errors import ConfigError
from lamarrpy.nn.algorithms import ALGORITHMS, Algorithm, algorithm
from lamarrpy.nn.losses import Scores
from lamarrpy.nn.penalties import AdversarialLipschitzPenalty, GradientPenalty, Pairs
from lamarrpy.nn.players import Body, discriminator, generator, referee
from lamarrpy.train.adversarial import AdversarialLearner, Game, two_sample_auc
from lamarrpy.train.loop import Batch, Plan, fit
from lamarrpy.train.rows import Rows
from lamarrpy.train.schedules import Descent

BATCH = 256
SEED = tf.constant([0, 7])


def _mixture(count: int, seed: int) -> Rows:
    """Two correlated normal clusters, whose places and shares depend on the condition."""
    rng = np.random.default_rng(seed)
    c = rng.normal(size=(count, 1))
    side = np.where(rng.random(count) < 0.5 + 0.3 * np.tanh(c[:, 0]), 1.0, -1.0)
    noise = 0.6 * rng.multivariate_normal([0.0, 0.0], [[1.0, 0.7], [0.7, 1.0]], size=count)
    targets = noise + np.stack([0.9 * side + 0.3 * c[:, 0], -0.5 * side + 0.5 * c[:, 0]], axis=1)
    return Rows(c.astype("f"), targets.astype("f"), np.ones(count, np.float32))


def _learner(rule: Algorithm, game: Game | None = None, watch: bool = False, **body: Any) -> AdversarialLearner:
    layers = Body(**{"widths": (32, 32), **body})
    judge = referee(1, 2, layers) if watch else None
    return AdversarialLearner(
        generator(1, 4, 2, layers), discriminator(1, 2, layers, outputs=rule.loss.outputs), rule, game, judge
    )


def _game(steps: int, generator_rate: float, discriminator_rate: float, **numbers: Any) -> Game:
    rates = (generator_rate, discriminator_rate)
    descents = [Descent("adam", r, "cosine", steps, last=0.05, options={"beta_1": 0.5}) for r in rates]
    return Game(*descents, **{"average": 0.97, **numbers})


def _batch(rows: int, seed: int = 0) -> Batch:
    some = _mixture(rows, seed)
    return Batch(*(tf.constant(column) for column in (some.conditions, some.targets, some.weights)))


def _figures(learner: AdversarialLearner, batch: Batch) -> dict[str, float]:
    return {name: float(value) for name, value in learner.step(batch, SEED).items()}


def _distances(network: keras.Model) -> tuple[float, float]:
    """The largest KS over targets and halves of the conditions, and the error of the correlation."""
    test = _mixture(10_000, 2)
    latents = np.random.default_rng(3).normal(size=(10_000, 4)).astype("f")
    made = np.asarray(network([test.conditions, latents]))
    above = test.conditions[:, 0] > 0.0
    halves = [(made[part, j], test.targets[part, j]) for j in (0, 1) for part in (above, ~above)]
    correlations = [np.corrcoef(both.T)[0, 1] for both in (made, test.targets)]
    return max(ks_2samp(*half).statistic for half in halves), abs(correlations[0] - correlations[1])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_learns(name: str) -> None:
    steps = 700
    rates = {"WGAN": (1e-3, 4e-3), "WGAN_GP": (1e-3, 4e-3), "WGAN_ALP": (1e-3, 4e-3)}.get(name, (2e-3, 4e-3))
    learner = _learner(ALGORITHMS[name], _game(steps, *rates))
    before = _distances(learner.network())
    fit(learner, _mixture(100 * BATCH, 1), Plan(steps, BATCH, every=steps))
    distance, correlation = _distances(learner.network())
    assert before[0] > 0.3
    assert distance < 0.12
    assert correlation < 0.15


@pytest.mark.parametrize(
    ("name", "player"), [*((name, "generator") for name in ALGORITHMS), ("CramerGAN", "discriminator")]
)
def test_one_row_is_enough(name: str, player: str) -> None:
    rule = algorithm(name, matching={"player": player})
    learner = _learner(rule, Game(noise=0.02, average=0.9), watch=True, widths=(4,), l2=1e-3, dropout=0.2)
    assert np.isfinite(list(_figures(learner, _batch(1)).values())).all()
    assert all(np.isfinite(np.asarray(variable, np.float64)).all() for variable in learner.variables)


def test_last_batch_of_one_row() -> None:
    history = fit(_learner(ALGORITHMS["CramerGAN"]), _mixture(BATCH + 1, 1), Plan(4, BATCH))
    assert len(history.entries) == 2
    assert all(np.isfinite(list(entry.values())).all() for entry in history.entries)


def test_clipped_weights_stay_in_their_range() -> None:
    learner = _learner(algorithm("WGAN", penalty={"bound": 0.05}), _game(20, 1e-3, 1e-1))
    fit(learner, _mixture(5 * BATCH, 1), Plan(20, BATCH))
    sizes = [np.abs(weight) for weight in learner.discriminator.get_weights()]
    assert max(size.max() for size in sizes) == np.float32(0.05)
    assert np.abs(learner.generator.get_weights()[0]).max() > 0.05


def _pairs(learner: AdversarialLearner) -> tuple[Any, Pairs]:
    batch = _batch(2000, 5)
    generated = learner.generator([batch.conditions, tf.random.stateless_normal((2000, 4), SEED)])

    def critic(targets: tf.Tensor) -> tf.Tensor:
        return learner.discriminator([batch.conditions, targets])[:, 0]

    return critic, Pairs(batch.targets, generated, critic(batch.targets), critic(generated), batch.weights)


def _trained(rule: Algorithm, steps: int = 100) -> AdversarialLearner:
    """The generator hardly moves, so the discriminator pulls as hard as it may."""
    learner = _learner(rule, _game(steps, 1e-6, 1e-2))
    fit(learner, _mixture(20 * BATCH, 1), Plan(steps, BATCH))
    return learner


def test_gradient_penalty_brings_slopes_to_one() -> None:
    slopes = {}
    for strength in (1e-6, 10.0):
        learner = _trained(algorithm("WGAN-GP", penalty={"strength": strength}))
        slopes[strength] = np.asarray(GradientPenalty().slopes(*_pairs(learner), SEED))
    assert np.median(slopes[1e-6]) > 5.0
    assert np.median(slopes[10.0]) == pytest.approx(1.0, abs=0.1)
    assert np.mean(np.abs(slopes[10.0] - 1.0)) < 0.15


def test_adversarial_penalty_keeps_the_quotient_at_its_bound() -> None:
    quotients = {}
    for bound in (100.0, 0.5):
        learner = _trained(algorithm("WGAN-ALP", penalty={"bound": bound}))
        quotients[bound] = np.asarray(AdversarialLipschitzPenalty().quotients(*_pairs(learner), SEED))
    assert np.median(quotients[100.0]) > 5.0
    assert np.mean(quotients[0.5] < 0.6) > 0.9


def test_stopped_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    rows, rule = _mixture(3 * 64, 1), ALGORITHMS["BceGAN"]
    game = _game(24, 1e-3, 2e-3, average=0.9, noise=0.02, discriminator_steps=2)
    whole, stopped, resumed = (_learner(rule, game, True, widths=(8, 8), dropout=0.1) for _ in range(3))
    fit(whole, rows, Plan(24, 64))
    fit(stopped, rows, Plan(12, 64), folder=tmp_path)
    fit(resumed, rows, Plan(24, 64), folder=tmp_path)
    for one, other in ((whole.network(), resumed.network()), (whole.generator, resumed.generator)):
        for mine, its in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, its)
    assert not np.array_equal(whole.generator.get_weights()[0], stopped.generator.get_weights()[0])
    assert not np.array_equal(whole.generator.get_weights()[0], whole.network().get_weights()[0])


def test_generator_moves_every_nth_step_only() -> None:
    learner = _learner(ALGORITHMS["BceGAN"], Game(discriminator_steps=3))
    one = tf.function(learner.step)
    moved = []
    for _ in range(7):
        before = [player.get_weights()[0] for player in (learner.generator, learner.discriminator)]
        one(_batch(8), SEED)
        after = [player.get_weights()[0] for player in (learner.generator, learner.discriminator)]
        moved.append([not np.array_equal(a, b) for a, b in zip(before, after, strict=True)])
    assert [m[0] for m in moved] == [False, False, True, False, False, True, False]
    assert all(m[1] for m in moved)


def test_average_follows_the_generator() -> None:
    learner = _learner(ALGORITHMS["BceGAN"], Game(average=0.5))
    expected = np.array(learner.generator.get_weights()[0], np.float64)
    for update in range(1, 6):
        learner.step(_batch(8), SEED)
        decay = min(0.5, (1.0 + update) / (10.0 + update))
        expected = decay * expected + (1.0 - decay) * learner.generator.get_weights()[0]
    np.testing.assert_allclose(learner.network().get_weights()[0], expected, atol=1e-6)
    assert learner.network() is not learner.generator


@pytest.mark.parametrize("name", ALGORITHMS)
def test_weights_are_in_every_loss(name: str) -> None:
    # Without weight nothing is learned: neither player moves, whatever the rows are.
    learner = _learner(algorithm(name, matching={}), watch=True, widths=(4,))
    models = [learner.generator, learner.discriminator, learner.referee]
    before = [np.concatenate([np.ravel(w) for w in model.get_weights()]) for model in models]
    clip = 0.01 if name == "WGAN" else np.inf
    learner.step(_batch(16)._replace(weights=tf.zeros(16)), SEED)
    for model, old, bound in zip(models, before, (np.inf, clip, np.inf), strict=True):
        now = np.concatenate([np.ravel(w) for w in model.get_weights()])
        np.testing.assert_array_equal(now, np.clip(old, -bound, bound).astype("f"))


def test_step_is_a_function_of_its_seed() -> None:
    one, same, other = (_learner(ALGORITHMS["WGAN_GP"], Game(noise=0.1)) for _ in range(3))
    figures = [one.step(_batch(8), SEED), same.step(_batch(8), SEED), other.step(_batch(8), SEED + 1)]
    assert float(figures[0]["penalty"]) == float(figures[1]["penalty"]) != float(figures[2]["penalty"])


def test_noise_is_what_the_discriminator_sees() -> None:
    # With very loud noise there is nothing left to tell.
    losses = {}
    for noise in (0.0, 100.0):
        learner = _learner(ALGORITHMS["BceGAN"], _game(60, 1e-6, 1e-2, noise=noise))
        history = fit(learner, _mixture(10 * BATCH, 1), Plan(60, BATCH))
        losses[noise] = history.entries[-1]["discriminator_loss"]
    assert losses[0.0] < 0.45
    assert losses[100.0] > 0.65


def test_referee_tells_how_good_the_generator_is() -> None:
    aucs = {}
    for rate in (1e-6, 2e-3):
        learner = _learner(ALGORITHMS["BceGAN"], _game(150, rate, 2 * rate), watch=True)
        aucs[rate] = fit(learner, _mixture(50 * BATCH, 1), Plan(150, BATCH)).entries[-1]["referee_auc"]
    assert aucs[1e-6] > 0.85
    assert 0.45 < aucs[2e-3] < 0.75


def test_auc_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    real, generated = np.round(rng.normal(size=(2, 300)) + np.array([[0.5], [0.0]]), 1).astype("f")
    weights = rng.uniform(0.0, 2.0, 300).astype("f")
    found = two_sample_auc(Scores(real[:, None], generated[:, None]), tf.constant(weights))
    labels, both = np.repeat([1, 0], 300), np.concatenate([real, generated])
    expected = roc_auc_score(labels, both, sample_weight=np.concatenate([weights, weights]))
    assert float(found) == pytest.approx(expected, abs=1e-5)
    assert float(two_sample_auc(Scores(*[tf.zeros((3, 1))] * 2), tf.zeros(3))) == 0.5


def test_a_learned_generator_can_go_on() -> None:
    first = generator(1, 2, 2, Body((8,)), shortcut=True)
    first.set_weights([w + 0.1 for w in first.get_weights()])
    learner = AdversarialLearner(first, discriminator(1, 2, Body((8,))), game=Game(average=0.999))
    for mine, start in zip(learner.network().get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, start)
    learner.step(_batch(8), SEED)
    assert not np.array_equal(first.get_weights()[0], learner.network().get_weights()[0])


def test_best_weights_stay_when_they_are_averaged() -> None:
    learner = _learner(ALGORITHMS["BceGAN"], Game(average=0.9))
    seen: list[Any] = []

    def score(network: keras.Model) -> float:
        seen.append(network.get_weights()[0])
        return abs(len(seen) - 2)

    fit(learner, _mixture(64, 1), Plan(5, 64), score)
    np.testing.assert_array_equal(learner.network().get_weights()[0], seen[1])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Game(discriminator_steps=0), "discriminator_steps"),
        (lambda: Game(average=1.0), "decay"),
        (lambda: Game(noise=-1.0), "noise"),
        (lambda: AdversarialLearner(generator(1, 4, 2), discriminator(1, 3)), "2 targets"),
        (lambda: AdversarialLearner(generator(1, 4, 2), discriminator(2, 2)), "1 conditions"),
        (lambda: AdversarialLearner(generator(1, 4, 2), discriminator(1, 2), ALGORITHMS["CramerGAN"]), "64 outputs"),
        (lambda: Descent("adm"), "did you mean 'adam'"),
        (lambda: Descent(schedule="cosin", steps=3), "did you mean 'cosine'"),
        (lambda: Descent(schedule="cosine"), "steps of a cosine"),
        (lambda: Descent(options={"rho": 0.9}), "beta_1"),
        (lambda: Descent(rate=0.0), "above zero"),
        (lambda: Descent(last=2.0), "fractions"),
    ],
)
def test_refused(make: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        make()


@pytest.mark.parametrize(
    ("descent", "expected"),
    [
        (Descent(rate=0.1), [0.1, 0.1, 0.1]),
        (Descent(rate=0.1, schedule="exponential", steps=10, decay=0.1), [0.1, 0.1 * 0.1**0.5, 0.01]),
        (Descent(rate=0.1, schedule="cosine", steps=10, last=0.2), [0.1, 0.06, 0.02]),
        (Descent(rate=0.1, schedule="cosine", steps=10, warmup=5), [0.0, 0.1, 0.0]),
    ],
)
@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop", "sgd"])
def test_learning_rates_after_0_5_and_10_updates(name: str, descent: Descent, expected: list[float]) -> None:
    variable = keras.Variable(np.zeros(2, "f"))
    optimizer = Descent(**{**vars(descent), "optimizer": name}).build([variable])
    rates = []
    for _ in range(11):
        rates.append(float(optimizer.learning_rate))
        optimizer.apply([tf.ones(2)], [variable])
    np.testing.assert_allclose([rates[0], rates[5], rates[10]], expected, atol=1e-7)


def test_weight_decay_leaves_biases_alone() -> None:
    model = discriminator(1, 2, Body((4,)))
    model.set_weights([w + 1.0 for w in model.get_weights()])
    before = model.get_weights()
    optimizer = Descent("adamw", 0.1, options={"weight_decay": 0.5}).build(model.trainable_variables)
    optimizer.apply([tf.zeros(w.shape) for w in before], model.trainable_variables)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old * (0.95 if old.ndim == 2 else 1.0), rtol=1e-5)

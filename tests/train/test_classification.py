from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx
from scipy.special import expit

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.nn.players import Body, classifier
from lamarrpy.train.classification import (
    THESIS_PHASES,
    TWO_PHASES,
    ClassificationLearner,
    Phase,
    probabilities,
    validation_cross_entropy,
)
from lamarrpy.train.loop import Batch, Plan, fit
from lamarrpy.train.rows import Rows, mean_one
from lamarrpy.validate.calibration import calibration_line
from lamarrpy.validate.spectra import spectra

SEED = tf.constant((1, 2), tf.int32)
PLAIN = (Phase(1.0, 1e-2, 1e-2),)


def network(conditions: int = 2, outputs: int = 1, width: int = 24, seed: int = 1) -> keras.Model:
    """Two hidden layers, the second one residual."""
    first, second, last = (keras.initializers.GlorotUniform(seed + i) for i in range(3))
    given = keras.Input((conditions,))
    hidden = keras.layers.Dense(width, "silu", kernel_initializer=first)(given)
    hidden = keras.layers.Add()([hidden, keras.layers.Dense(width, "silu", kernel_initializer=second)(hidden)])
    return keras.Model(given, keras.layers.Dense(outputs, kernel_initializer=last)(hidden))


def logistic(logits: list[float]) -> keras.Model:
    """A network that answers with the same logits for whatever condition."""
    given = keras.Input((1,))
    model = keras.Model(given, keras.layers.Dense(len(logits), kernel_initializer="zeros")(given))
    model.layers[-1].bias.assign(logits)
    return model


def rows(conditions: np.ndarray, classes: np.ndarray, count: int = 2, weights: np.ndarray | None = None) -> Rows:
    targets = np.eye(count, dtype=np.float32)[classes.astype(int)]
    return Rows(conditions.astype(np.float32), targets, mean_one(weights, len(classes)))


def efficiency(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two conditions, the probability to pass, whether it did."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 2))
    p = expit(1.5 * x[:, 0] - x[:, 1] ** 2 + 0.5)
    return x, p, random.random(count) < p


def batch(of: Rows) -> Batch:
    return Batch(tf.constant(of.conditions), tf.constant(of.targets), tf.constant(of.weights))


def test_phases_of_the_thesis() -> None:
    learner = ClassificationLearner(network(), 300, THESIS_PHASES)
    for step, rate, smoothing in [
        (0, 1e-2, 0.05),
        (100, 1e-3, 0.05),
        (199, 1e-2 * 10.0 ** (-2.0 * 199 / 200), 0.05),
        (200, 1e-4, 0.0),
        (299, 1e-4, 0.0),
        (1000, 1e-4, 0.0),
    ]:
        now = learner.now(step)
        assert float(now.rate) == pytest.approx(rate, rel=1e-5)
        assert float(now.smoothing) == pytest.approx(smoothing)
        assert float(now.l2) == pytest.approx(5e-4)


@pytest.mark.parametrize(("first", "rates"), [(0.2, (1e-3, 1e-4)), (0.9, (1e-2, 1e-3))])
def test_phase_shorter_than_a_step_is_left_out(first: float, rates: tuple[float, float]) -> None:
    phases = (Phase(first, 1e-2, 1e-2, smoothing=0.1), Phase(1.0 - first, 1e-3, 1e-4))
    learner = ClassificationLearner(network(), 1, phases)
    assert [float(learner.now(step).rate) for step in (0, 1)] == pytest.approx(rates)


def test_phases_are_followed_step_by_step() -> None:
    phases = (Phase(0.5, 1e-2, 1e-3, smoothing=0.2), Phase(0.25, 4e-3, 4e-3), Phase(0.25, 4e-3, 1e-3, l2=0.1))
    learner = ClassificationLearner(network(), 8, phases)
    some = batch(rows(*efficiency(16, 1)[::2]))
    step = tf.function(learner.step)
    figures = [step(some, SEED) for _ in range(8)]
    decay = [1e-2 * 10.0 ** (-i / 4.0) for i in range(4)]
    np.testing.assert_allclose([float(one["rate"]) for one in figures], [*decay, 4e-3, 4e-3, 4e-3, 2e-3], rtol=1e-5)
    assert [float(one["penalty"]) > 0.0 for one in figures] == [False] * 6 + [True] * 2


@pytest.mark.parametrize(("smoothing", "probability", "up"), [(0.05, 0.974, 1), (0.05, 0.976, -1), (0.0, 0.976, 1)])
def test_smoothing_by_hand(smoothing: float, probability: float, up: int) -> None:
    # Smoothed by s, a yes counts as 1 - s / 2: 0.975 is then the probability at which nothing is to be learned.
    logit = float(np.log(probability / (1.0 - probability)))
    model = logistic([logit])
    learner = ClassificationLearner(model, 10, (Phase(1.0, 1e-3, 1e-3, smoothing=smoothing),))
    figures = learner.step(batch(rows(np.zeros((1, 1)), np.ones(1))), SEED)
    # The first step of Adam is as long as its rate.
    assert float(model.layers[-1].bias[0]) - logit == pytest.approx(up * 1e-3, rel=1e-2)
    assert float(figures["loss"]) == pytest.approx(-np.log(probability), rel=1e-4)


def test_smoothing_of_several_classes_by_hand() -> None:
    # s / k for each class: with targets (1, 0, 0) and s = 0.3 the probabilities (0.8, 0.1, 0.1) are what is wanted.
    model = logistic(np.log([0.8, 0.1, 0.1]).tolist())
    learner = ClassificationLearner(model, 1, (Phase(1.0, 1e-2, 1e-2, smoothing=0.3),))
    now = learner.now(0)
    targets = tf.constant([[1.0, 0.0, 0.0]])
    smoothed = targets * (1.0 - now.smoothing) + now.smoothing / learner.classes
    np.testing.assert_allclose(smoothed, [[0.8, 0.1, 0.1]], rtol=1e-6)
    learner.step(Batch(tf.zeros((1, 1)), targets, tf.ones(1)), SEED)
    np.testing.assert_allclose(probabilities(learner.network(), np.zeros((1, 1)))[0], [0.8, 0.1, 0.1], atol=4e-3)


def test_loss_and_accuracy_by_hand() -> None:
    learner = ClassificationLearner(logistic([np.log(3.0)]), 1, PLAIN)
    figures = learner.step(
        Batch(tf.zeros((2, 1)), tf.constant([[0.0, 1.0], [1.0, 0.0]]), tf.constant([1.5, 0.5])), SEED
    )
    assert float(figures["loss"]) == pytest.approx(0.5 * (1.5 * -np.log(0.75) + 0.5 * -np.log(0.25)), rel=1e-5)
    assert float(figures["accuracy"]) == pytest.approx(0.75)


def test_l2_by_hand_holds_for_hidden_kernels_only() -> None:
    model = network()
    kernels = [layer.kernel.numpy() for layer in model.layers if hasattr(layer, "kernel")]
    learner = ClassificationLearner(model, 1, (Phase(1.0, 1e-2, 1e-2, l2=5e-4),))
    figures = learner.step(batch(rows(*efficiency(8, 1)[::2])), SEED)
    expected = 5e-4 * sum(float((kernel**2).sum()) for kernel in kernels[:-1])
    assert float(figures["penalty"]) == pytest.approx(expected, rel=1e-5)


def test_penalties_of_layers_count() -> None:
    given = keras.Input((2,))
    hidden = keras.layers.Dense(8, "relu", kernel_regularizer=keras.regularizers.L2(0.1))(given)
    model = keras.Model(given, keras.layers.Dense(1)(hidden))
    expected = 0.1 * float((model.layers[1].kernel.numpy() ** 2).sum())
    figures = ClassificationLearner(model, 1, PLAIN).step(batch(rows(*efficiency(8, 1)[::2])), SEED)
    assert float(figures["penalty"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("outputs", [1, 2])
def test_learns_an_efficiency(outputs: int) -> None:
    x, _, y = efficiency(30_720, 1)
    learner = ClassificationLearner(network(outputs=outputs), 600)
    fit(learner, rows(x, y), Plan(600, 512, every=200))
    unseen, p, passed = efficiency(30_000, 2)
    answer = probabilities(learner.network(), unseen)
    assert answer.shape == (30_000, 2)
    assert np.abs(answer[:, 1] - p).mean() < 0.02
    line = calibration_line(answer[:, 1], passed)
    assert abs(line.slope - 1.0) < 0.02 + 3.0 * line.slope_error
    edges = np.linspace(-2.5, 2.5, 11)
    columns = {"p": unseen[:, 0], "eta": unseen[:, 1]}
    for found in spectra(columns, dict.fromkeys(columns, edges), answer, passed.astype(int), ("no", "yes")).values():
        assert (found.entries >= 500).sum() >= 6
        worst = found.worst()
        assert worst is not None
        # Within 2 % or 3 standard errors; half as much again, since the training sample fluctuates as well.
        assert worst < 1.5


def test_learns_several_classes() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(20_000, 2))
    logits = np.stack([np.zeros(20_000), 1.5 * x[:, 0], x[:, 1] - 1.0], axis=1)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = (random.random((20_000, 1)) > np.cumsum(p, axis=1)[:, :2]).sum(axis=1)
    learner = ClassificationLearner(network(outputs=3), 400)
    history = fit(learner, rows(x, classes, 3), Plan(400, 512, every=100))
    answer = probabilities(learner.network(), x)
    np.testing.assert_allclose(answer.sum(axis=1), 1.0, atol=1e-5)
    assert np.abs(answer - p).mean() < 0.02
    ideal = -np.mean(np.log(p[np.arange(20_000), classes]))
    assert history.entries[-1]["loss"] == pytest.approx(ideal, abs=0.01)
    assert history.entries[-1]["accuracy"] == pytest.approx(np.mean(p.argmax(axis=1) == classes), abs=0.02)


def test_integer_weights_are_repeated_rows() -> None:
    x, _, y = efficiency(64, 4)
    weights = np.random.default_rng(5).integers(0, 4, 64)
    again = np.repeat(np.arange(64), weights)
    once, repeated = rows(x, y, weights=weights.astype(float)), rows(x[again], y[again])
    learners = [ClassificationLearner(network(), 6, THESIS_PHASES) for _ in range(2)]
    for _ in range(6):
        figures = [learner.step(batch(of), SEED) for learner, of in zip(learners, (once, repeated), strict=True)]
        for name in ("loss", "accuracy", "penalty"):
            assert float(figures[0][name]) == pytest.approx(float(figures[1][name]), rel=1e-4)
    score = [validation_cross_entropy(of)(learners[0].network()) for of in (once, repeated)]
    assert score[0] == pytest.approx(score[1], rel=1e-6)


def test_score_is_the_cross_entropy() -> None:
    of = Rows(np.zeros((3, 1), np.float32), np.eye(2, dtype=np.float32)[[0, 1, 1]], np.array([1, 1, 0.5], np.float32))
    learner = ClassificationLearner(logistic([np.log(3.0)]), 1)
    expected = -(np.log(0.25) + 1.5 * np.log(0.75)) / 2.5
    assert validation_cross_entropy(of)(learner.network()) == pytest.approx(expected, rel=1e-6)
    certain = ClassificationLearner(logistic([-300.0]), 1)
    assert np.isfinite(validation_cross_entropy(of)(certain.network()))


def test_best_weights_are_those_of_the_best_score() -> None:
    x, _, y = efficiency(384, 6)
    learner, unseen = ClassificationLearner(network(width=48), 400, PLAIN), rows(*efficiency(2000, 7)[::2])
    history = fit(learner, rows(x, y), Plan(400, 64, every=12), validation_cross_entropy(unseen))
    assert min(history.scores) < history.scores[-1] - 0.01  # it did learn too much
    assert validation_cross_entropy(unseen)(learner.network()) == min(history.scores)


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("outputs", [1, 3])
def test_any_batch(size: int, outputs: int) -> None:
    x, _, _ = efficiency(size, 1)
    classes = np.arange(size) % max(2, outputs)
    learner = ClassificationLearner(network(outputs=outputs), 2)
    for weights in (np.ones(size), np.zeros(size)):
        some = batch(rows(x, classes, max(2, outputs)))._replace(weights=tf.constant(weights, tf.float32))
        figures = tf.function(learner.step)(some, SEED)
        assert all(np.isfinite(float(value)) for value in figures.values())
    assert all(np.isfinite(weight).all() for weight in learner.network().get_weights())


@pytest.mark.parametrize(("average", "dropout"), [(None, 0.2), (0.9, 0.0)])
def test_stopped_training_ends_with_the_same_weights(tmp_path: Path, average: float | None, dropout: float) -> None:
    x, _, y = efficiency(200, 8)
    seen, score = rows(x, y), validation_cross_entropy(rows(*efficiency(200, 9)[::2]))

    def learn(steps: int, folder: Path | None) -> ClassificationLearner:
        learner = ClassificationLearner(classifier(2, 2, Body((8, 8), dropout=dropout)), 20, average=average)
        fit(learner, seen, Plan(steps, 64, seed=5), score, folder)
        return learner

    whole = learn(20, None)
    learn(8, tmp_path)
    resumed = learn(20, tmp_path)
    for a, b in zip(whole.variables, resumed.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    for a, b in zip(whole.network().get_weights(), resumed.network().get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_average_follows_the_weights() -> None:
    some = batch(rows(*efficiency(32, 1)[::2]))
    learner = ClassificationLearner(network(), 30, PLAIN, average=0.5)
    weights = learner.model.layers[-1].kernel
    mean = weights.numpy()
    for step in range(6):
        learner.step(some, SEED)
        decay = min(0.5, (2 + step) / (11 + step))
        mean = decay * mean + (1 - decay) * weights.numpy()
    np.testing.assert_allclose(learner._averaged.layers[-1].kernel.numpy(), mean, rtol=1e-5)
    assert np.abs(mean - weights.numpy()).max() > 1e-4
    expected = keras.ops.sigmoid(learner._averaged(some.conditions))
    np.testing.assert_allclose(learner.network()(some.conditions)[:, 1:], expected, rtol=1e-6)


@pytest.mark.parametrize("outputs", [1, 2, 4])
def test_export_agrees(tmp_path: Path, outputs: int) -> None:
    model = network(conditions=3, outputs=outputs)
    exported = ClassificationLearner(model, 10, average=0.9).network()
    x = np.random.default_rng(2).normal(0.0, 4.0, (200, 3)).astype(np.float32)
    expected = exported(x).numpy()
    assert expected.shape == (200, max(2, outputs))
    np.testing.assert_allclose(expected.sum(axis=1), 1.0, atol=1e-6)
    logits = model(x).numpy()
    logits = np.pad(logits, ((0, 0), (1, 0))) if outputs == 1 else logits
    np.testing.assert_allclose(expected, keras.ops.softmax(logits), atol=1e-6)
    exported.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(x).numpy(), expected)
    signature = [tf.TensorSpec((None, 3), tf.float32, name="conditions")]
    graph, _ = tf2onnx.convert.from_function(tf.function(exported), input_signature=signature, opset=17)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    assert np.abs(session.run(None, {"conditions": x})[0] - expected).max() < 1e-5


@pytest.mark.parametrize("classes", [2, 3])
def test_network_of_the_players_learns(classes: int) -> None:
    model = classifier(2, classes, Body((16,) * 4, residual=True, dropout=0.1, seed=4))
    learner = ClassificationLearner(model, 5, THESIS_PHASES, average=0.9)
    x, _, _ = efficiency(10, 1)
    some = batch(rows(x, np.arange(10) % classes, classes))
    before = probabilities(learner.network(), x)
    figures = [learner.step(some, SEED) for _ in range(5)]
    assert all(np.isfinite(float(value)) for one in figures for value in one.values())
    after = probabilities(learner.network(), x)
    assert after.shape == (10, classes)
    assert np.abs(after - before).max() > 1e-4


def test_small_probabilities_survive() -> None:
    answer = probabilities(ClassificationLearner(logistic([20.0]), 1).network(), np.zeros((1, 1)))
    assert answer[0, 0] == pytest.approx(expit(-20.0), rel=1e-4)


def test_no_rows_have_no_probabilities() -> None:
    assert probabilities(ClassificationLearner(network(outputs=3), 3).network(), np.empty((0, 2))).shape == (0, 3)


def test_shares_of_the_defaults() -> None:
    for phases in (TWO_PHASES, THESIS_PHASES):
        assert sum(phase.share for phase in phases) == pytest.approx(1.0)
        assert [phase.smoothing for phase in phases] == [0.05, 0.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"share": 0.0}, "share"),
        ({"share": 1.5}, "share"),
        ({"rate": -1.0}, "rate"),
        ({"final_rate": float("inf")}, "final_rate"),
        ({"smoothing": 1.0}, "smoothing"),
        ({"l2": -1.0}, "l2"),
    ],
)
def test_bad_phases_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=f"mend its {message}"):
        Phase(**({"share": 1.0, "rate": 1e-3, "final_rate": 1e-3} | arguments))


def test_bad_plans_and_networks_are_refused() -> None:
    with pytest.raises(ConfigError, match="sum to one"):
        ClassificationLearner(network(), 10, (Phase(0.5, 1e-3, 1e-3),))
    with pytest.raises(ConfigError, match="one step or more"):
        ClassificationLearner(network(), 0, PLAIN)
    with pytest.raises(ConfigError, match="decay of an average"):
        ClassificationLearner(network(), 10, average=1.0)
    given = keras.Input((2,))
    for last in (keras.layers.Dense(2, "softmax"), keras.layers.Dense(1, "sigmoid"), keras.layers.Softmax()):
        with pytest.raises(DomainError, match="ends in logits"):
            ClassificationLearner(keras.Model(given, last(given)), 10)
    with pytest.raises(DomainError, match="2 one-hot columns"):
        ClassificationLearner(network(), 10).step(Batch(tf.zeros((1, 2)), tf.zeros((1, 1)), tf.ones(1)), SEED)

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.parameterization.network import Network
from lamarrpy.train.boosted import boosted_classifier
from lamarrpy.train.tree_ensemble import rounded_down, trees_as_onnx
from lamarrpy.validate.calibration import calibration_line, log_loss


def run(model: bytes, conditions: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    assert [(one.name, one.type, one.shape[-1]) for one in session.get_inputs()] == [
        ("conditions", "tensor(float)", conditions.shape[1])
    ]
    assert [one.name for one in session.get_outputs()] == ["probabilities"]
    return session.run(None, {"conditions": conditions})[0]


def toy(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Conditions, the true probability, and what came true."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2)).astype(np.float32)
    p = expit(1.5 * x[:, 0] + np.sin(2.0 * x[:, 1]) - 0.5)
    return x, p, (random.random(rows) < p).astype(int)


@pytest.fixture(scope="module")
def learned() -> tuple[bytes, dict[str, float | int]]:
    x, _, y = toy(20_000)
    return boosted_classifier(x, y, seed=3)


def test_learns_the_probability(learned: tuple[bytes, dict[str, float | int]]) -> None:
    x, p, y = toy(20_000, seed=1)
    answer = run(learned[0], x)
    assert answer.dtype == np.float32
    assert answer.shape == (20_000, 2)
    np.testing.assert_allclose(answer.sum(axis=1), 1.0, atol=1e-6)
    assert log_loss(answer[:, 1], y) < log_loss(p, y) + 0.01
    assert abs(calibration_line(answer[:, 1], y).slope - 1.0) < 0.1


def test_metrics(learned: tuple[bytes, dict[str, float | int]]) -> None:
    x, _, _ = toy(20_000)
    _, metrics = learned
    assert 5 < metrics["iterations"] < 500
    assert metrics["rows"] == len(x)
    assert 0.0 < metrics["onnx_difference"] < 1e-5
    assert metrics["training_log_loss"] < metrics["validation_log_loss"] < 0.69


def test_same_rows_and_seed_give_the_same_bytes(learned: tuple[bytes, dict[str, float | int]]) -> None:
    x, _, y = toy(20_000)
    assert boosted_classifier(x, y, seed=3) == learned
    assert boosted_classifier(x, y, seed=4)[0] != learned[0]


def test_trees_after_the_best_are_cut() -> None:
    x, _, y = toy(1000)
    _, metrics = boosted_classifier(x, y, iterations=300, learning_rate=0.3, patience=300)
    assert metrics["iterations"] < 100
    _, whole = boosted_classifier(x, y, iterations=30, validation=0.0)
    assert whole["iterations"] == 30
    assert "validation_log_loss" not in whole


def test_more_than_two_classes() -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=(8000, 3)).astype(np.float32)
    logits = np.stack([x[:, 0], -x[:, 1], 0.5 * x[:, 2]], axis=1)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = (random.random((8000, 1)) > np.cumsum(p, axis=1)[:, :2]).sum(axis=1)
    model, metrics = boosted_classifier(x, y)
    answer = run(model, x)
    np.testing.assert_allclose(answer.sum(axis=1), 1.0, atol=1e-6)
    assert np.abs(answer - p).mean() < 0.05
    assert metrics["onnx_difference"] < 1e-5


def test_weights_count() -> None:
    x, _, y = toy(4000)
    heavier = np.where(y == 1, 3.0, 1.0)
    model, _ = boosted_classifier(x, y, heavier)
    mean = np.average(run(model, x)[:, 1], weights=heavier)
    assert mean == pytest.approx(np.average(y, weights=heavier), abs=0.02)


@pytest.mark.parametrize("classes", [2, 3])
def test_neighbouring_floats_take_the_same_branches(classes: int) -> None:
    # Thresholds lie between neighbouring numbers of float32: half of them would round to the upper one.
    random = np.random.default_rng(6)
    step = random.integers(0, 16, 4000)
    x = (np.float32(1.0) + np.float32(2.0**-23) * step.astype(np.float32))[:, None]
    y = (step * classes // 16 + (random.random(4000) < 0.2)) % classes
    with threadpool_limits(1):
        trees = HistGradientBoostingClassifier(max_iter=20).fit(x, y)
        np.testing.assert_allclose(run(trees_as_onnx(trees), x), trees.predict_proba(x), atol=1e-6)
    thresholds = trees._predictors[0][0].nodes["num_threshold"]
    assert (thresholds.astype(np.float32) > thresholds).any()  # or nothing would have been tested


@given(st.floats(-1e30, 1e30), st.integers(-3, 3))
def test_rounding_down_keeps_comparisons(value: float, steps: int) -> None:
    found = rounded_down(np.array([value]))[0]
    x = np.float32(value)
    for _ in range(abs(steps)):
        x = np.nextafter(x, np.float32(np.inf * np.sign(steps)))
    assert (x <= found) == (float(x) <= value)


def test_a_row_is_answered_alike_wherever_it_is(learned: tuple[bytes, dict[str, float | int]]) -> None:
    x, _, _ = toy(3000)
    order = np.random.default_rng(8).permutation(3000)
    network = Network(learned[0], {"conditions": 2}, 2, "the toy")
    np.testing.assert_array_equal(network(conditions=x[order]), network(conditions=x)[order])
    np.testing.assert_array_equal(network(conditions=x[2999:]), network(conditions=x)[2999:])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"labels": np.zeros(50, int)}, DomainError, "classes numbered"),
        ({"labels": np.arange(50) % 2 * 2}, DomainError, "classes numbered"),
        ({"labels": np.arange(50) % 2 / 2.0}, DomainError, "dtype float64"),
        ({"labels": np.zeros(49, int)}, DomainError, "number of its class"),
        ({"labels": np.append(np.zeros(49, int), 1)}, DomainError, "put some of every class aside"),
        ({"conditions": np.full((50, 2), np.nan)}, DomainError, "finite conditions"),
        ({"weights": np.full(50, -1.0)}, DomainError, "none below 0"),
        ({"leaves": 1}, ConfigError, "leaves=1"),
        ({"validation": 1.0}, ConfigError, "validation=1.0"),
        ({"iterations": 0}, ConfigError, "iterations=0"),
    ],
)
def test_bad_rows_and_options_are_refused(change: dict[str, object], error: type[Exception], message: str) -> None:
    x, _, y = toy(50)
    with pytest.raises(error, match=message):
        boosted_classifier(**({"conditions": x, "labels": y} | change))  # type: ignore[arg-type]

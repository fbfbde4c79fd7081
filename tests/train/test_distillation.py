"""Distillation: a student learns a teacher who is known, every row is asked about as often as it weighs."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import ndtr
from small_training import linear_generator

from lamarrpy.nn.players import Body, generator
from lamarrpy.train.distillation import RegressionLearner, teach
from lamarrpy.train.loop import Batch, Plan, fit
from lamarrpy.train.rows import Rows
from lamarrpy.train.schedules import Descent
from lamarrpy.train.scores import apply

MATRIX = np.array([[1.0, 0.6], [0.0, 0.8]], np.float32)
OFFSET = np.array([[0.5, -0.5], [0.0, 1.0]], np.float32)
PLAIN = np.eye(2, dtype=np.float32)


@pytest.fixture(scope="module")
def lessons():
    conditions = np.random.default_rng(1).normal(size=(500, 2)).astype(np.float32)
    return teach(linear_generator(MATRIX, OFFSET), conditions, np.ones(500, np.float32), 6000, seed=3).rows


def test_lessons_are_what_the_teacher_says(lessons):
    given, latents = lessons.conditions[:, :2], lessons.conditions[:, 2:]
    assert lessons.conditions.shape == (6000, 4)
    assert np.allclose(lessons.targets, latents @ MATRIX + given @ OFFSET, atol=1e-5)
    assert (lessons.weights == 1.0).all()
    for column in latents.T:
        assert np.abs(np.sort(ndtr(column)) - (np.arange(6000) + 0.5) / 6000).max() < 0.025
    assert abs(np.corrcoef(latents.T)[0, 1]) < 0.05


def test_lessons_depend_on_the_seed_alone():
    teacher = linear_generator(MATRIX, OFFSET)
    conditions, weights = np.arange(20, dtype=np.float32).reshape(10, 2), np.ones(10, np.float32)
    first, same, other = (teach(teacher, conditions, weights, 30, seed).rows for seed in (1, 1, 2))
    assert np.array_equal(first.conditions, same.conditions)
    assert np.array_equal(first.targets, same.targets)
    assert not np.array_equal(first.conditions, other.conditions)


@pytest.mark.parametrize("pairs", [5, 20, 1000, 1003])
def test_rows_are_asked_about_as_often_as_they_weigh(pairs):
    weights = np.array([0.0, 1.0, 2.0, 0.5, 0.0, 1.0, 1.0, 2.5, 0.0], np.float32)
    conditions = np.stack([np.arange(9), np.zeros(9)], axis=1).astype(np.float32)
    asked = teach(linear_generator(MATRIX, OFFSET), conditions, weights, pairs, seed=5).rows.conditions[:, 0]
    counts = np.bincount(asked.astype(int), minlength=9)
    assert counts.sum() == pairs
    assert np.abs(counts - pairs * weights / weights.sum()).max() < 1.0
    assert (counts[weights == 0.0] == 0).all()
    if pairs == 1000:
        assert (np.diff(asked) < 0).mean() > 0.2  # in no order


def test_the_metric_makes_what_conditions_leave_open_round():
    """Answers to the same question, of covariance MATRIX^T MATRIX here, are of width one in every direction."""
    conditions = np.random.default_rng(1).normal(size=(500, 2)).astype(np.float32)
    metric = teach(linear_generator(MATRIX, OFFSET), conditions, np.ones(500, np.float32), 60_000, seed=3).metric
    assert np.allclose(metric, metric.T, atol=1e-6)
    assert np.allclose(metric @ (MATRIX.T @ MATRIX) @ metric, np.eye(2), atol=0.03)


def test_targets_that_are_the_same_are_of_the_least_width():
    same = np.array([[1.0, 1.0], [0.0, 0.0]], np.float32)
    metric = teach(linear_generator(same, OFFSET), np.zeros((9, 2), np.float32), np.ones(9, np.float32), 4000, 1).metric
    assert np.allclose(np.linalg.eigvalsh(metric), [np.sqrt(0.5), 100.0], rtol=0.05)


def student_of(layers=(16, 16), **body):
    return generator(2, 2, 2, Body(layers, activation="silu", **body), True, "student")


def test_a_student_learns_a_linear_teacher(lessons):
    student = student_of()
    learner = RegressionLearner(student, Descent("adam", 0.01, "cosine", 400).build(student.trainable_variables), PLAIN)
    history = fit(learner, lessons, Plan(400, 256, every=100))
    losses = [entry["regression_loss"] for entry in history.entries]
    assert losses[-1] < 0.02 * losses[0]
    random = np.random.default_rng(9)
    conditions, latents = random.normal(size=(2, 2000, 2)).astype(np.float32)
    away = apply(learner.network(), conditions, latents) - (latents @ MATRIX + conditions @ OFFSET)
    assert np.sqrt((away**2).mean()) < 0.1


def loss_of(student, rows, metric=PLAIN):
    learner = RegressionLearner(student, Descent("sgd", 1e-30).build(student.trainable_variables), metric)
    batch = Batch(*(tf.constant(part) for part in (rows.conditions, rows.targets, rows.weights)))
    return float(learner.step(batch, tf.constant([0, 0]))["regression_loss"])


def test_the_loss_is_pseudo_huber(lessons):
    """A student that has learned nothing gives the random numbers back: what it is away is known."""
    away = (lessons.conditions[:, 2:] - lessons.targets).astype(np.float64)
    expected = np.mean(0.01 * (np.sqrt(1.0 + (away / 0.1) ** 2) - 1.0))
    assert loss_of(student_of(), lessons) == pytest.approx(expected, rel=1e-5)


def test_mistakes_are_measured_by_the_metric(lessons):
    away = (lessons.conditions[:, 2:] - lessons.targets).astype(np.float64) @ [[2.0, 1.0], [1.0, 2.0]]
    expected = np.mean(0.01 * (np.sqrt(1.0 + (away / 0.1) ** 2) - 1.0))
    assert loss_of(student_of(), lessons, np.float32([[2.0, 1.0], [1.0, 2.0]])) == pytest.approx(expected, rel=1e-5)


def test_a_row_of_weight_two_is_two_rows(lessons):
    weights = np.where(np.arange(6000) < 2000, 2.0, 1.0)
    twice = np.repeat(np.arange(6000), weights.astype(int))
    weighted = Rows(lessons.conditions, lessons.targets, (weights / weights.mean()).astype(np.float32))
    repeated = Rows(lessons.conditions[twice], lessons.targets[twice], np.ones(len(twice), np.float32))
    assert loss_of(student_of(), weighted) == pytest.approx(loss_of(student_of(), repeated), rel=1e-5)


def test_squared_kernels_hold_a_student_back(lessons):
    sizes = []
    for l2 in (0.0, 0.1):
        student = student_of(l2=l2)
        learner = RegressionLearner(student, Descent("adam", 0.01).build(student.trainable_variables), PLAIN)
        fit(learner, lessons, Plan(60, 500))
        sizes.append(
            sum(float((layer.kernel.numpy() ** 2).sum()) for layer in student.layers if hasattr(layer, "kernel"))
        )
    assert sizes[1] < 0.5 * sizes[0]


def test_variables_are_all_that_a_stop_has_to_keep(lessons):
    student = student_of(dropout=0.2)
    learner = RegressionLearner(student, Descent("adam", 0.01).build(student.trainable_variables), PLAIN)
    kept = {id(variable) for variable in learner.variables}
    assert {id(variable) for variable in student.variables} <= kept
    assert any("seed" in variable.path for variable in student.variables)
    assert len(kept) == len(learner.variables)
    assert isinstance(learner.network(), keras.Model)

"""The training loop: every row once a pass, the same bits again after a stop, the best weights in the end."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_training import LinearLearner, Stopped, stop_after

from lamarrpy.errors import ArtifactError, DomainError
from lamarrpy.train.checkpoint import CHECKPOINT
from lamarrpy.train.loop import DivergenceError, Plan, fit
from lamarrpy.train.rows import Rows, mean_one


def rows_of(count, seed=0, columns=2):
    random = np.random.default_rng(seed)
    conditions = random.normal(size=(count, columns)).astype(np.float32)
    targets = conditions @ np.arange(1, columns + 1, dtype=np.float32)[:, None] + np.float32(0.5)
    return Rows(conditions, targets, np.ones(count, np.float32))


class CountingLearner:
    """Notes which row, whose number is its condition, was seen in which step."""

    def __init__(self, rows, steps):
        given = keras.Input((1,), name="conditions")
        self.model = keras.Model(given, keras.layers.Dense(1)(given))
        self.seen, self.now = tf.Variable(tf.zeros((steps, rows), tf.int32)), tf.Variable(0)
        self.seeds = tf.Variable(tf.zeros((steps, 2), tf.int32))

    def step(self, batch, seed):
        row = tf.cast(batch.conditions[:, 0], tf.int32)
        self.seen.scatter_nd_add(tf.stack([self.now + 0 * row, row], axis=1), tf.ones_like(row))
        self.seeds.scatter_nd_update([[self.now]], [seed])
        self.now.assign_add(1)
        return {"rows": tf.cast(tf.size(row), tf.float32), "mean": tf.reduce_mean(batch.conditions)}

    @property
    def variables(self):
        return [*self.model.variables, self.seen, self.now, self.seeds]

    def network(self):
        return self.model


def counted(rows, batch, steps, seed=0):
    learner = CountingLearner(rows, steps)
    numbers = np.arange(rows, dtype=np.float32)[:, None]
    history = fit(learner, Rows(numbers, numbers, np.ones(rows, np.float32)), Plan(steps, batch, seed))
    return learner, history


@pytest.mark.parametrize(("rows", "batch"), [(65, 64), (7, 1), (65, 1000), (1, 64)])
def test_every_row_is_seen_once_a_pass_whatever_the_batch(rows, batch):
    a_pass = math.ceil(rows / batch)
    learner, history = counted(rows, batch, 3 * a_pass)
    seen = learner.seen.numpy().reshape(3, a_pass, rows)
    assert (seen.sum(axis=1) == 1).all()
    assert (seen.sum(axis=2)[:, :-1] == min(batch, rows)).all()
    assert [entry["step"] for entry in history.entries] == [a_pass, 2 * a_pass, 3 * a_pass]
    assert history.entries[0]["rows"] == pytest.approx(rows / a_pass)


def test_rows_come_in_another_order_each_pass_and_with_each_seed():
    orders = []
    for seed in (0, 0, 1):
        learner, _ = counted(50, 1, 100, seed)
        orders.append(np.argmax(learner.seen.numpy(), axis=1))
    assert np.array_equal(orders[0], orders[1])
    assert (orders[0][:50] != orders[0][50:]).any()
    assert (orders[0] != orders[2]).any()


def test_each_step_has_random_numbers_of_its_own():
    learner, _ = counted(10, 5, 6, seed=3)
    seeds = learner.seeds.numpy()
    assert len(np.unique(seeds, axis=0)) == 6
    other, _ = counted(10, 5, 6, seed=4)
    assert not (seeds == other.seeds.numpy()).all(axis=1).any()


def test_it_ends_within_a_pass_when_the_steps_are_done():
    learner, history = counted(10, 4, 5)
    assert learner.now.numpy() == 5
    assert learner.seen.numpy().sum() == 10 + 8
    assert [entry["step"] for entry in history.entries] == [3, 5]


def test_evaluations_come_after_whole_passes():
    _, history = fitted(Plan(10, 10, every=3), count=20)
    assert [entry["step"] for entry in history.entries] == [4, 8, 10]


def fitted(plan, count=40, score=None, folder=None, progress=None, **options):
    learner = LinearLearner(**options)
    history = fit(learner, rows_of(count), plan, score, folder, progress)
    return learner, history


def bits(learner):
    return [np.asarray(variable).tobytes() for variable in learner.variables]


def test_it_learns():
    learner, history = fitted(Plan(400, 20), noise=0.0)
    assert np.allclose(np.ravel(learner.model.get_weights()[0]), [1.0, 2.0], atol=1e-3)
    losses = [entry["loss"] for entry in history.entries]
    assert losses[-1] < 1e-4 < losses[0]


def test_the_same_seed_gives_the_same_bits():
    first, second, other = (fitted(Plan(30, 7, seed))[0] for seed in (5, 5, 6))
    assert bits(first) == bits(second)
    assert bits(first) != bits(other)


def distance(network):
    """A score: how far the weights are from some place on their way, so that the best is not the last."""
    return float(np.abs(np.ravel(network.get_weights()[0]) - [0.6, 1.2]).sum())


@pytest.mark.parametrize(("passes", "score"), [(2, None), (3, None), (1, distance), (7, distance)])
def test_a_stopped_training_goes_on_to_the_same_bits(tmp_path, passes, score):
    plan = Plan(48, 7, seed=2, every=12, patience=3)  # 6 steps a pass: every second pass is evaluated
    whole, expected = fitted(plan, score=score)
    with pytest.raises(Stopped):
        fitted(plan, score=score, folder=tmp_path / "phase", progress=stop_after(passes))
    again, history = fitted(plan, score=score, folder=tmp_path / "phase")
    assert bits(again) == bits(whole)
    assert history == expected


def test_a_training_that_is_over_is_not_done_again(tmp_path):
    whole, expected = fitted(Plan(12, 10), score=distance, folder=tmp_path)
    told = []
    again, history = fitted(Plan(12, 10), score=distance, folder=tmp_path, progress=lambda *now: told.append(now))
    assert not told
    assert history == expected
    assert bits(again)[:2] == bits(whole)[:2]


@pytest.mark.parametrize(
    ("plan", "options"),
    [(Plan(12, 9), {}), (Plan(12, 10, seed=1), {}), (Plan(12, 10), {"inputs": 3}), (Plan(12, 10), {"targets": 2})],
    ids=["batch", "seed", "inputs", "targets"],
)
def test_the_checkpoint_of_another_training_is_refused(tmp_path, plan, options):
    fitted(Plan(12, 10), folder=tmp_path)
    learner = LinearLearner(**options)
    with pytest.raises(ArtifactError, match=r"checkpoint.npz: expected the checkpoint of this training.*delete it"):
        fit(learner, rows_of(40), plan, folder=tmp_path)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    fitted(Plan(12, 10), folder=tmp_path)
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArtifactError, match=r"expected a checkpoint, got: .*delete it to begin anew"):
        fitted(Plan(12, 10), folder=tmp_path)


def test_the_weights_with_the_best_score_are_kept():
    learner, history = fitted(Plan(100, 10), score=distance)
    assert distance(learner.network()) == min(history.scores)
    assert history.scores[-1] > 2 * min(history.scores)
    last, _ = fitted(Plan(100, 10))
    assert np.allclose(np.ravel(last.network().get_weights()[0]), [1.0, 2.0], atol=0.1)


@pytest.mark.parametrize("patience", [1, 3])
def test_it_ends_when_the_score_does_not_get_better(patience):
    scores = iter([5.0, 3.0, 4.0, 3.0, 3.5, 9.0, 1.0, 0.0])
    _, history = fitted(Plan(1000, 40, patience=patience), score=lambda network: next(scores))
    assert history.scores == [5.0, 3.0, 4.0, 3.0, 3.5][: 2 + patience]


def test_of_equal_scores_the_first_counts():
    scores = iter([5.0, 3.0, 3.0])
    learner, _ = fitted(Plan(3, 40), score=lambda network: next(scores))
    second, _ = fitted(Plan(2, 40))
    assert bits(learner)[:2] == bits(second)[:2]


def test_a_score_that_is_no_number_is_the_worst():
    scores = iter([math.nan, math.inf, 2.0, math.nan])
    learner, history = fitted(Plan(4, 40), score=lambda network: next(scores))
    assert history.scores == [math.inf, math.inf, 2.0, math.inf]
    third, _ = fitted(Plan(3, 40))
    assert bits(learner)[:2] == bits(third)[:2]


@pytest.mark.parametrize("score", [None, lambda network: math.nan])
def test_a_training_that_goes_astray_says_so(score):
    with pytest.raises(DivergenceError, match=r"expected finite weights and losses.* lower rate") as caught:
        fitted(Plan(40, 40), rate=1e4, score=score)
    assert "\n" not in str(caught.value)


def test_a_training_that_goes_astray_keeps_what_was_good_before():
    learner, history = fitted(Plan(40, 40), rate=1e4, score=distance)
    assert distance(learner.network()) == min(history.scores) < math.inf


def test_numbers_that_a_graph_refuses_are_a_training_that_goes_astray():
    class Careful(LinearLearner):
        def step(self, batch, seed):
            figures = super().step(batch, seed)
            return {"loss": tf.debugging.check_numerics(figures["loss"], "expected a finite loss")}

    with pytest.raises(DivergenceError, match=r"after \d+ steps"):
        fit(Careful(rate=1e4), rows_of(40), Plan(40, 40))


def test_errors_of_a_learner_are_not_hidden():
    class Wrong(LinearLearner):
        def step(self, batch, seed):
            return {"loss": tf.reduce_sum(tf.gather(batch.weights, [10_000]))}

    with pytest.raises(tf.errors.InvalidArgumentError):
        fit(Wrong(), rows_of(40), Plan(1, 40))


def test_a_row_of_weight_two_is_two_rows():
    rows = rows_of(30)
    weights = np.where(np.arange(30) < 10, 2.0, 1.0)
    twice = np.repeat(np.arange(30), weights.astype(int))
    weighted = Rows(rows.conditions, rows.targets, mean_one(weights, 30))
    repeated = Rows(rows.conditions[twice], rows.targets[twice], mean_one(None, 40))
    learners = [LinearLearner(noise=0.0) for _ in range(2)]
    for learner, some in zip(learners, (weighted, repeated), strict=True):
        fit(learner, some, Plan(20, 40))
    first, second = (learner.model.get_weights() for learner in learners)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("weights", "words"), [([-1.0, 2.0], "not negative"), ([0.0, 0.0], "not all zero"), ([math.nan, 1.0], "finite")]
)
def test_weights_that_mean_nothing_are_refused(weights, words):
    with pytest.raises(DomainError, match=words):
        mean_one(np.array(weights), 2)


def test_rows_have_to_be_finite_and_of_one_number():
    rows = rows_of(5)
    with pytest.raises(DomainError, match="as many conditions, targets and weights"):
        Rows(rows.conditions, rows.targets[:4], rows.weights)
    with pytest.raises(DomainError, match="at least one row"):
        Rows(rows.conditions[:0], rows.targets[:0], rows.weights[:0])
    rows.targets[3] = np.inf
    with pytest.raises(DomainError, match="finite targets, got 1 others, the first in row 3"):
        Rows(rows.conditions, rows.targets, rows.weights)

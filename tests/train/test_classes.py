"""Classes: which values are classes, their rows, and classifiers that learn from them."""

import numpy as np
import pytest
from small_training import TINY, problem_of

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.parameterization.network import Network
from lamarrpy.train.classes import class_rows, classes_of, learn_boosted, learn_classes
from lamarrpy.train.learned import Watch


def coin_columns(rows=4000, seed=0):
    """A yes whose probability is known, and a kind of three that one condition gives away."""
    random = np.random.default_rng(seed)
    p, q = random.normal(size=(2, rows))
    yes = random.random(rows) < 1.0 / (1.0 + np.exp(-1.5 * p))
    kind = np.digitize(q + 0.3 * random.normal(size=rows), [-0.5, 0.5]) * 10 - 10
    return {"p": p, "q": q, "yes": yes, "kind": kind, "x": p, "weight": np.where(p > 0.0, 2.0, 1.0)}


def problem_with(target, algorithm="classifier", columns=None, **changes):
    recipe = {"conditions": ["p", "q"], "targets": [target], "options": {}} | changes
    return problem_of(coin_columns() if columns is None else columns, algorithm, **recipe)


@pytest.mark.parametrize(("target", "classes"), [("yes", (0.0, 1.0)), ("kind", (-10.0, 0.0, 10.0))])
def test_classes_are_the_values_of_the_target(target, classes):
    problem = problem_with(target)
    assert classes_of(problem) == classes
    for part in ("training", "validation", "test"):
        rows = class_rows(problem, part, classes)
        assert rows.targets.shape == (len(problem.parts[part]), len(classes))
        assert (rows.targets.sum(axis=1) == 1.0).all()
        assert np.array_equal(np.asarray(classes)[rows.targets.argmax(axis=1)], problem.parts[part][target])


def test_a_class_too_rare_for_the_training_rows_is_a_class():
    columns = coin_columns(200)
    columns["kind"][:] = np.arange(200) % 2
    problem = problem_with("kind", columns=columns)
    test = problem.parts["test"]["p"][0]
    columns["kind"][columns["p"] == test] = 7
    problem = problem_with("kind", columns=columns)
    assert 7 not in problem.parts["training"]["kind"]
    assert classes_of(problem) == (0.0, 1.0, 7.0)
    assert class_rows(problem, "training", classes_of(problem)).targets.shape == (100, 3)


def test_what_is_no_class_is_refused():
    with pytest.raises(DomainError, match=r"target 'x': expected 2 to 100 classes, got 4000 values; .* distilled"):
        classes_of(problem_with("x"))
    with pytest.raises(DomainError, match="got 1 values"):
        classes_of(problem_with("kind", columns=coin_columns() | {"kind": np.zeros(4000, int)}))
    with pytest.raises(ConfigError, match="expected one target of a classifier, got yes, kind: train one for each"):
        classes_of(problem_of(coin_columns(), "classifier", conditions=["p"], targets=["yes", "kind"]))


def test_trees_need_training_rows_of_every_class():
    columns = coin_columns(200)
    columns["kind"][:] = np.arange(200) % 2
    rare = problem_with("kind", "boosted", columns).parts["test"]["p"][0]
    columns["kind"][columns["p"] == rare] = 7
    with pytest.raises(DomainError, match="expected training rows of every class, got none of 7"):
        learn_boosted(problem_with("kind", "boosted", columns), Watch())


def cross_entropy(answers, problem, target):
    column = np.searchsorted(classes_of(problem), problem.parts["test"][target].astype(float))
    return -np.log(answers[np.arange(len(column)), column]).mean()


@pytest.mark.parametrize("target", ["yes", "kind"])
def test_a_network_learns_probabilities(target):
    problem = problem_with(target, training={"steps": 200, "batch": 500, "rate": 0.01}, network=TINY)
    watch = Watch()
    learned = learn_classes(problem, watch)
    assert learned.kind == "classifier"
    assert learned.classes == classes_of(problem)
    answers = learned.network(problem.given("test"), training=False).numpy()
    assert np.allclose(answers.sum(axis=1), 1.0, atol=1e-6)
    shares = class_rows(problem, "test", learned.classes).targets.mean(axis=0)
    knows_nothing = -(shares * np.log(shares)).sum()
    assert cross_entropy(answers, problem, target) < 0.85 * knows_nothing
    assert np.abs(answers.mean(axis=0) - shares).max() < 0.05
    assert min(watch.curves["classifier"].scores) < 0.85 * knows_nothing


def test_boosted_trees_learn_probabilities_with_weights():
    problem = problem_with("yes", "boosted", weight="weight", options={"iterations": 50})
    learned = learn_boosted(problem, Watch())
    answers = Network(learned.model, {"conditions": 2}, 2, "trees")(conditions=problem.given("test"))
    p = problem.parts["test"]["p"]
    assert np.abs(answers[:, 1] - 1.0 / (1.0 + np.exp(-1.5 * p))).mean() < 0.08


def test_without_validation_rows_the_last_weights_are_taken():
    problem = problem_with("yes", split=[0.6, 0.0, 0.4], training={"steps": 4, "batch": 1000})
    watch = Watch()
    learn_classes(problem, watch)
    assert watch.curves["classifier"].scores == []


@pytest.mark.parametrize(
    ("algorithm", "options", "words"),
    [
        (
            "boosted",
            {"leafs": 3},
            r"boosted: expected options out of iterations, .*, got 'leafs'; did you mean 'leaves'",
        ),
        ("boosted", {"leaves": "many"}, "boosted: expected leaves as int such as 31, got 'many'"),
        ("classifier", {"leaves": 3}, "classifier: expected no options, got 'leaves'"),
    ],
)
def test_options_that_do_not_exist_are_refused(algorithm, options, words):
    learn = learn_boosted if algorithm == "boosted" else learn_classes
    with pytest.raises(ConfigError, match=words):
        learn(problem_with("yes", algorithm, options=options), Watch())

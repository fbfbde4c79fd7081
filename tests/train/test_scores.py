"""Scores: none for the perfect generator, more the further away, and the same whatever else is trained."""

import math

import keras
import numpy as np
import pytest
from small_training import linear_generator, problem_of

from lamarrpy.errors import ConfigError, LamarrpyError
from lamarrpy.train.density import train_density
from lamarrpy.train.learned import Watch
from lamarrpy.train.recipe import NetworkRecipe, TrainingRecipe
from lamarrpy.train.scores import SCORES, apply, draw, make_score
from lamarrpy.validate.metrics import ks_distance


def normal_columns(rows=6000, seed=0, slope=0.8):
    """Two targets that are normal given the conditions."""
    random = np.random.default_rng(seed)
    p, q = random.normal(size=(2, rows))
    x = slope * p + 0.6 * random.normal(size=rows)
    return {"p": p, "q": q, "x": x, "y": random.normal(size=rows)}


RECIPE = {"conditions": {"p": "identity", "q": "identity"}, "targets": ["x", "y"], "split": [0.2, 0.8, 0.0]}


def problem_with(columns=None, **changes):
    return problem_of(columns or normal_columns(), **RECIPE | changes)


def generator(slope, width=0.6, shift=0.0):
    """As the truth, for a slope of 0.8: targets are as wide as normal ones."""
    network = linear_generator([[width, 0.0], [0.0, 1.0]], [[slope, 0.0], [0.0, 0.0]])
    if shift:
        moved = keras.layers.Rescaling(1.0, shift)(network.output)
        network = keras.Model(network.inputs, moved)
    return network


@pytest.fixture(scope="module")
def problem():
    return problem_with()


@pytest.mark.parametrize(("name", "most"), [("ks", 0.06), ("wasserstein", 0.1)])
def test_the_truth_has_nearly_no_score_and_others_have_more(problem, name, most):
    score = make_score(name, problem)
    perfect, independent, shifted = (score(generator(*how)) for how in ((0.8,), (0.0, 1.0), (0.8, 0.6, 0.5)))
    assert perfect < most
    assert independent > perfect + most
    assert shifted > perfect + most


def test_a_classifier_does_not_know_the_truth_from_itself():
    score = make_score("auc", problem_with(normal_columns(2000), split=[0.5, 0.5, 0.0]))
    assert abs(score(generator(0.8))) < 0.06
    assert score(generator(0.8, 0.6, 0.5)) > 0.1


def test_bins_see_what_the_whole_sample_does_not(problem):
    """Targets that do not depend on p, though they should, are right on average."""
    independent = generator(0.0, 1.0)
    part = problem.parts["validation"]
    made = problem.targets.inverse_columns(draw(independent, problem.given("validation"), 0))
    assert ks_distance(part["x"], made["x"]) < 0.03
    assert make_score("ks", problem)(independent) > 0.25
    elsewhere = problem_with(score_bins=["q"])
    assert make_score("ks", elsewhere)(independent) < 0.06


def test_few_rows_are_compared_as_a_whole():
    small = problem_with(normal_columns(200))
    assert make_score("ks", small)(generator(0.0, 1.0)) < 0.2


def test_constant_conditions_make_one_bin():
    columns = normal_columns() | {"q": np.full(6000, 2.0)}
    assert make_score("ks", problem_with(columns))(generator(0.8, 0.6)) < 0.06


@pytest.mark.parametrize(("name", "rows"), [("ks", 8000), ("wasserstein", 8000), ("ks", 1000)])
def test_a_row_of_weight_two_is_two_rows(name, rows):
    """In bins and, if there are few, as a whole; of a network that asks for no random numbers.

    Rows of a group come to the same part.
    """
    columns = normal_columns(rows) | {"row": np.arange(rows)}
    weight = 1 + (columns["p"] > 0.0)
    twice = np.repeat(np.arange(rows), weight)
    weighted = problem_with(columns | {"w": weight}, weight="w", group="row")
    repeated = problem_with({key: values[twice] for key, values in columns.items()}, group="row")
    network = generator(0.8, 0.0)
    scores = [make_score(name, problem)(network) for problem in (weighted, repeated)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)
    assert abs(make_score(name, problem_with(columns, group="row"))(network) - scores[0]) > 1e-3


def test_the_same_network_has_the_same_score(problem):
    score = make_score("ks", problem)
    assert score(generator(0.5)) == score(generator(0.5)) == make_score("ks", problem)(generator(0.5))


def test_weights_that_have_changed_are_seen(problem):
    network, score = generator(0.8), make_score("ks", problem)
    before = score(network)
    network.get_layer("shift").set_weights([np.zeros((2, 2), np.float32)])
    assert score(network) > before + 0.1


@pytest.mark.parametrize("name", ["ks", "wasserstein", "auc"])
def test_a_network_without_finite_answers_has_the_worst_score(problem, name):
    network = generator(0.8)
    network.get_layer("mix").set_weights([np.full((2, 2), np.nan, np.float32)])
    assert make_score(name, problem)(network) == math.inf


def test_the_likelihood_of_a_density(problem):
    """Histograms that know nothing are standard normal: their score is the entropy of the targets' normal numbers."""
    watch = Watch()
    knows_nothing = TrainingRecipe(steps=1, batch=100, rate=1e-30)
    network = train_density(problem, watch, "autoregressive", NetworkRecipe(layers=1, width=8), knows_nothing, {})
    (score,) = watch.curves["autoregressive"].scores
    rows = problem.rows("validation").epoch(0)
    exact = 0.5 * np.log(2 * np.pi) * 2 + 0.5 * np.mean(np.sum(rows.targets.astype(float) ** 2, axis=1))
    assert score == pytest.approx(exact, rel=1e-4)
    assert make_score("nll", problem)(network) == pytest.approx(score, rel=1e-6)


def test_a_network_without_density_has_no_likelihood(problem):
    with pytest.raises(LamarrpyError, match="densit"):
        make_score("nll", problem)(generator(0.8))


def test_names(problem):
    assert make_score(None, problem) is None
    assert make_score("ks", problem_with(split=[1.0, 0.0, 0.0])) is None
    with pytest.raises(ConfigError, match=f"expected a score out of {', '.join(SCORES)}, got 'kss'; did you mean 'ks'"):
        make_score("kss", problem)


def test_many_rows_are_answered_in_pieces():
    network = generator(0.8)
    random = np.random.default_rng(0)
    conditions, latents = random.normal(size=(2, 40_001, 2)).astype(np.float32)
    whole = latents @ [[0.6, 0.0], [0.0, 1.0]] + conditions @ [[0.8, 0.0], [0.0, 0.0]]
    assert np.allclose(apply(network, conditions, latents), whole, atol=1e-6)
    assert draw(network, conditions, 1).shape == (40_001, 2)
    assert np.array_equal(draw(network, conditions, 1), draw(network, conditions, 1))
    assert not np.array_equal(draw(network, conditions, 1), draw(network, conditions, 2))

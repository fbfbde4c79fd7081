"""Adversarial learning by recipe: the players that a recipe asks for, features, and a student that is tuned."""

import numpy as np
import pytest
from small_training import TINY, linear_generator, problem_of

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.train import game
from lamarrpy.train.game import knots_of, learn_adversarially, tune
from lamarrpy.train.learned import Watch
from lamarrpy.train.recipe import TuningRecipe
from lamarrpy.train.scores import make_score


@pytest.fixture
def players(monkeypatch):
    """The learners that are made, to be looked at."""
    made = []

    class Seen(game.AdversarialLearner):
        def __init__(self, *given):
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr(game, "AdversarialLearner", Seen)
    return made


def test_the_players_are_as_the_recipe_says(columns, players):
    problem = problem_of(
        columns,
        "LSGAN",
        network={"layers": 3, "width": 8, "latents": 5, "activation": "tanh"},
        adversarial={
            "discriminator": {"layers": 1, "width": 12},
            "discriminator_rate": 0.02,
            "discriminator_steps": 2,
            "average": 0.0,
            "noise": 0.3,
            "referee": False,
        },
        training={"steps": 4, "batch": 300, "rate": 0.01, "optimizer": "rmsprop"},
    )
    learned = learn_adversarially(problem, Watch())
    (seen,) = players
    assert learned.network.inputs[1].shape[-1] == 5
    assert [layer.units for layer in seen.generator.layers if hasattr(layer, "units")] == [8, 8, 8, 2]
    assert [layer.units for layer in seen.discriminator.layers if hasattr(layer, "units")] == [12, 1]
    assert seen.referee is None
    assert (seen.game.noise, seen.game.average, seen.game.discriminator_steps) == (0.3, None, 2)
    assert (seen.game.generator.rate, seen.game.discriminator.rate) == (0.01, 0.02)
    assert seen.game.generator.optimizer == "rmsprop"
    assert learned.network is seen.generator


def test_usual_players(columns, players):
    problem = problem_of(
        columns, training={"steps": 1, "batch": 300, "rate": 0.01}, adversarial={"discriminator": TINY}
    )
    learned = learn_adversarially(problem, watch := Watch())
    (seen,) = players
    assert learned.network.inputs[1].shape[-1] == 2
    assert "shortcut" in [layer.name for layer in learned.network.layers]
    assert seen.game.discriminator.rate == pytest.approx(0.02)
    assert seen.game.average == 0.999
    assert learned.network is not seen.generator
    assert seen.referee is not None
    assert {"referee_auc", "generator_loss", "discriminator_loss", "score"} <= set(
        watch.curves["adversarial"].entries[0]
    )


def test_features_reach_discriminator_and_referee_in_physical_units(columns, players):
    players_of = {"discriminator": TINY}
    problem = problem_of(columns, auxiliary=["dll - 2 * ndof", "ndof * ndof"], adversarial=players_of)
    learn_adversarially(problem, Watch())
    (seen,) = players
    rows = problem.rows("training").epoch(0)
    truth = {name: problem.parts["training"][name].astype(float) for name in ("dll", "ndof")}
    expected = np.stack([truth["dll"] - 2 * truth["ndof"], truth["ndof"] ** 2], axis=1)
    features = []
    for player in (seen.discriminator, seen.referee):
        (layer,) = [layer for layer in player.layers if hasattr(layer, "formulas")]
        assert np.abs(layer.physical(rows.targets).numpy() - expected).max() < 0.02 * np.abs(expected).max()
        assert np.abs(layer(rows.targets).numpy().mean(axis=0)).max() < 0.05
        assert player.get_layer("dense_0").kernel.shape[0] == 3 + 2 + 2
        features.append(layer)
    assert features[0] is not features[1]


def test_features_come_from_names_that_are_there(columns):
    with pytest.raises(ConfigError, match="expected names out of dll, ndof, got 'dl'; did you mean 'dll'"):
        learn_adversarially(problem_of(columns, auxiliary=["dl * 2"]), Watch())
    constant = problem_of(columns | {"same": np.full(600, 2.0)}, targets=["same", "dll"], auxiliary=["same * 2"])
    with pytest.raises(DomainError, match="constant in the sample says nothing"):
        learn_adversarially(constant, Watch())


def test_knots_are_the_way_back(columns):
    problem = problem_of(columns, targets=["dll", "ndof", "dx"])
    for name in ("dll", "ndof", "dx"):
        z, x = knots_of(problem.targets, name)
        assert (np.diff(z) > 0.0).all()
        between = np.random.default_rng(0).normal(size=500)
        exact = problem.targets.columns[name].inverse(between)[:, 0]
        away = np.abs(np.interp(between, z, x) - exact)
        assert np.quantile(away, 0.95) < 0.01 * np.ptp(x)


def linear_problem(rows=4000):
    random = np.random.default_rng(0)
    p, q = random.normal(size=(2, rows))
    columns = {"p": p, "q": q, "x": 0.8 * p + 0.6 * random.normal(size=rows), "y": random.normal(size=rows)}
    return problem_of(columns, conditions={"p": "identity", "q": "identity"}, targets=["x", "y"], split=[0.5, 0.5, 0.0])


@pytest.mark.parametrize("rate", [1e-3, 1e-2])
def test_tuning_never_leaves_a_student_with_a_worse_score(rate):
    problem = linear_problem()
    student = linear_generator([[0.6, 0.0], [0.0, 1.0]], [[0.8, 0.0], [0.0, 0.0]])
    score = make_score("ks", problem)
    before, weights = score(student), student.get_weights()
    training = {"steps": 40, "batch": 500, "rate": rate, "score": "ks"}
    recipe = TuningRecipe(training=training, adversarial={"discriminator": TINY})
    watch = Watch()
    tuned = tune(problem, watch, student, recipe)
    best = min(watch.curves["tuning"].scores)
    assert score(tuned) == min(best, before)
    moved = max(np.abs(a - b).max() for a, b in zip(tuned.get_weights(), weights, strict=True))
    assert (moved > 0.0) == (best < before)


def test_tuning_makes_a_bad_student_better():
    problem = linear_problem()
    student = linear_generator([[0.4, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]])
    before = make_score("ks", problem)(student)
    recipe = TuningRecipe(
        training={"steps": 200, "batch": 500, "rate": 0.01}, adversarial={"discriminator": {"layers": 2, "width": 32}}
    )
    tuned = tune(problem, Watch(), student, recipe)
    assert make_score("ks", problem)(tuned) < 0.6 * before


def test_names_and_options_that_do_not_exist(columns):
    with pytest.raises(ConfigError, match="BceGAN: expected no options, got 'bins'"):
        learn_adversarially(problem_of(columns, options={"bins": 3}), Watch())
    with pytest.raises(ConfigError, match="expected a score out of"):
        learn_adversarially(problem_of(columns, training={"steps": 1, "score": "kss"}), Watch())
    with pytest.raises(ConfigError, match=r"expected numbers out of .*, got 'smothing'; did you mean 'smoothing'"):
        learn_adversarially(problem_of(columns, adversarial={"loss": {"smothing": 0.1}}), Watch())

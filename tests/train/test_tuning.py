"""The search for better numbers: it finds what is better, goes on where it was, and gives up what falls behind."""

import math

import optuna
import pytest
from small_training import TINY, recipe_of, toy_columns, write_table

from lamarrpy.errors import ConfigError
from lamarrpy.train import tuning
from lamarrpy.train.learned import Learned
from lamarrpy.train.loop import DivergenceError, History
from lamarrpy.train.recipe import as_yaml, read_recipe
from lamarrpy.train.running import train
from lamarrpy.train.tuning import tune


@pytest.fixture(autouse=True)
def silent():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


SEARCH = {"training.rate": {"low": 1e-3, "high": 1e-1, "log": True}, "network.width": {"choices": [8, 16]}}


def pretend(monkeypatch, scores_of):
    """Take trainings whose scores are known for real ones: a function of the recipe gives those of each evaluation."""

    def learn(problem, watch):
        history = watch.curves["adversarial"] = History()
        for step, score in enumerate(scores_of(problem.recipe), 1):
            history.entries.append({"step": step, "score": score})
            watch.tell("adversarial", step, 99, history.entries[-1])
            watch.tell("adversarial", step, 99, history.entries[-1])  # two passes, one evaluation
        return Learned("generator")

    monkeypatch.setattr(tuning, "learner", lambda name: learn)


def near(recipe):
    return [abs(math.log10(recipe.training.rate) + 2.0) + (recipe.network.width == 8)] * 3


@pytest.fixture
def storage(tmp_path):
    return f"sqlite:///{tmp_path / 'study.db'}"


def test_it_finds_what_is_better(data, monkeypatch):
    pretend(monkeypatch, near)
    best, study = tune(recipe_of(search=SEARCH), data, 25)
    assert best.network.width == 16
    assert abs(math.log10(best.training.rate) + 2.0) < 0.25
    assert study.best_value == near(best)[0]
    assert best.training.score == "ks"
    assert best.training.steps == 2


def test_the_same_seed_searches_the_same(data, monkeypatch):
    pretend(monkeypatch, near)
    first, second, other = (
        [trial.params for trial in tune(recipe_of(search=SEARCH, seed=seed), data, 4)[1].trials] for seed in (0, 0, 1)
    )
    assert first == second
    assert first != other


def test_a_stored_study_goes_on_and_tries_nothing_twice(data, monkeypatch, storage):
    pretend(monkeypatch, near)
    told = []
    for trials in (3, 4):
        _, study = tune(recipe_of(search=SEARCH), data, trials, storage, tell=lambda *now: told.append(now))
    assert [number for number, *_ in told] == list(range(7))
    assert len(study.trials) == 7
    assert len({trial.params["training.rate"] for trial in study.trials}) == 7
    assert min(value for _, value, _ in told if value is not None) == study.best_value
    _, another = tune(recipe_of(search=SEARCH), data, 1, storage, study="another")
    assert len(another.trials) == 1


def test_processes_that_begin_together_try_different_numbers(data, monkeypatch, storage):
    """Two of them with a study each in memory would do the same; in one storage their trials have other numbers."""
    pretend(monkeypatch, near)
    alone = [tune(recipe_of(search=SEARCH), data, 1)[1].trials[0].params for _ in range(2)]
    assert alone[0] == alone[1]
    together = [tune(recipe_of(search=SEARCH), data, 1, storage)[1].trials[-1].params for _ in range(2)]
    assert together[0]["training.rate"] != together[1]["training.rate"]


def test_what_falls_behind_is_given_up(data, monkeypatch):
    evaluated = []

    def scores(recipe):
        bad = len(evaluated) >= 6
        for step in range(10):
            if step == 0:
                evaluated.append(0)
            evaluated[-1] += 1
            yield 5.0 if bad else 1.0 / (step + 1)

    pretend(monkeypatch, scores)
    told = []
    _, study = tune(recipe_of(search=SEARCH), data, 8, tell=lambda *now: told.append(now))
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE"] * 6 + ["PRUNED"] * 2
    assert evaluated == [10] * 6 + [2] * 2
    assert [value for _, value, _ in told] == [0.1] * 6 + [None] * 2


def test_trainings_that_go_astray_are_given_up(data, monkeypatch):
    def scores(recipe):
        yield 1.0
        if recipe.network.width == 8:
            raise DivergenceError("gone")
        yield 0.5

    pretend(monkeypatch, scores)
    best, study = tune(recipe_of(search=SEARCH), data, 8)
    assert best.network.width == 16
    assert {trial.state.name for trial in study.trials} == {"COMPLETE", "PRUNED"}
    pretend(monkeypatch, lambda recipe: [math.inf])
    with pytest.raises(ConfigError, match="expected a trial that was not given up, got none out of 2: make more"):
        tune(recipe_of(search=SEARCH), data, 2)


def test_other_mistakes_are_not_hidden(data, monkeypatch):
    def scores(recipe):
        raise RuntimeError("a bug")

    pretend(monkeypatch, scores)
    with pytest.raises(RuntimeError, match="a bug"):
        tune(recipe_of(search=SEARCH), data, 2)


@pytest.mark.parametrize(
    ("changes", "score", "found"),
    [
        ({}, None, ("ks", None)),
        ({}, "auc", ("auc", None)),
        ({"training": {"score": "wasserstein"}}, None, ("wasserstein", None)),
        ({"tuning": {}}, "auc", (None, "auc")),
        ({"tuning": {"training": {"score": "wasserstein"}}}, None, (None, "wasserstein")),
    ],
)
def test_the_last_phase_is_what_is_judged(data, monkeypatch, changes, score, found):
    seen = []

    def scores(recipe):
        seen.append((recipe.training.score, recipe.tuning and recipe.tuning.training.score))
        return [1.0]

    pretend(monkeypatch, scores)
    tune(recipe_of("distilled", search=SEARCH, **changes), data, 1, score=score)
    assert seen == [found]


def test_a_search_that_has_changed_is_told(data, monkeypatch, storage):
    pretend(monkeypatch, near)
    tune(recipe_of(search=SEARCH), data, 1, storage)
    wider = recipe_of(search=SEARCH | {"network.width": {"choices": [8, 16, 32]}})
    with pytest.raises(ConfigError, match=r"search like that of the earlier trials .* network.width: .* --study"):
        tune(wider, data, 1, storage)


@pytest.mark.parametrize(
    "storage", ["nowhere", "sqlite:////no/such/folder/study.db", "postgresql://nobody@localhost:1/x"]
)
def test_a_storage_that_cannot_be_opened_is_told(data, storage):
    with pytest.raises(ConfigError, match=r"expected a storage such as sqlite:///FILE .* cannot be opened: ") as caught:
        tune(recipe_of(search=SEARCH), data, 1, storage)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("recipe", "score", "words"),
    [
        (recipe_of(split=[0.5, 0.0, 0.5]), None, "expected validation rows to score on"),
        (recipe_of("neighbours"), None, "expected an algorithm that trains a network, got 'neighbours'"),
        (recipe_of("classifier"), "ks", "expected no --score with a classifier"),
        (recipe_of(), "kss", "expected a score out of ks, wasserstein, auc, nll, got 'kss'"),
    ],
)
def test_what_cannot_be_tuned_is_told(data, recipe, score, words):
    with pytest.raises(ConfigError, match=words):
        tune(recipe, data, 1, score=score)


@pytest.mark.parametrize("algorithm", ["BceGAN", "classifier"])
@pytest.mark.usefixtures("no_figures")
def test_the_best_recipe_of_real_trials_trains(algorithm, tmp_path, monkeypatch):
    monkeypatch.setattr("lamarrpy.train.marginals._ROWS", 3000)
    data = write_table(toy_columns(600), tmp_path / "toy.parquet")
    search = {"training.rate": SEARCH["training.rate"]}
    recipe = recipe_of(algorithm, search=search, network=TINY, training={"steps": 3, "batch": 300})
    best, study = tune(recipe, data, 2)
    assert best.search == recipe.search
    assert best.name == "toy"
    path = tmp_path / "best.yaml"
    path.write_text(as_yaml(best))
    assert read_recipe(path) == best
    model = train(best, data, tmp_path / "model")
    curve = (tmp_path / "model" / "curves").glob("*.csv")
    rows = next(curve).read_text().splitlines()
    column = rows[0].split(",").index("score")
    scores = [float(row.split(",")[column]) for row in rows[1:]]
    assert min(scores) == pytest.approx(study.best_value, rel=1e-6)
    assert model.manifest.recipe["training"]["rate"] == study.best_params["training.rate"]

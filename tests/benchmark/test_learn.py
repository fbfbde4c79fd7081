"""The benchmark of learning: its made-up detector, its names, its figures."""

import re
from pathlib import Path

import numpy as np
import pytest

from lamarrpy.benchmark.learn import checks, competitors
from lamarrpy.benchmark.learn.sample import CONDITIONS, INTEGERS, MASS, TARGETS, draw_sample
from lamarrpy.errors import ConfigError
from lamarrpy.nn.algorithms import ALGORITHMS
from lamarrpy.nn.flows import FLOWS
from lamarrpy.train.learners import LEARNERS
from lamarrpy.train.recipe import make_recipe

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()


def test_the_sample_is_as_awkward_as_it_says():
    sample = draw_sample(50_000, 7)
    assert list(sample) == [*CONDITIONS, *TARGETS]
    assert (sample[MASS] == 0.0).mean() == pytest.approx(0.74, abs=0.02)
    assert all(sample[name].dtype.kind == "i" for name in (*INTEGERS, "n_tracks", "charge"))
    assert all(np.isfinite(values).all() for values in sample.values())
    heavy = sample["dx"] / sample["dx"].std()
    assert (np.abs(heavy) > 5).mean() > 20 * 5.7e-7  # twenty times a normal's
    soft, hard = sample["p"] < 5000, sample["p"] > 20_000
    assert sample["dx"][soft].std() > 1.5 * sample["dx"][hard].std()
    assert (sample[MASS][hard] == 0.0).mean() < (sample[MASS][soft] == 0.0).mean() - 0.2


def test_other_seeds_give_other_rows_of_the_same_distribution():
    first, second, again = draw_sample(2000, 1), draw_sample(2000, 2), draw_sample(2000, 1)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not any(np.array_equal(first[name], second[name]) for name in first)


def test_every_algorithm_takes_part():
    assert tuple(ALGORITHMS) == competitors.ADVERSARIAL
    assert set(competitors.FLOWS) == set(FLOWS)
    assert {*competitors.GENERATORS, *competitors.CLASSIFIERS} == {*LEARNERS, "tuned"}


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("name", competitors.GENERATORS)
def test_recipes_say_nothing_but_a_name(name, quick):
    recipe = make_recipe(competitors.recipe(name, TARGETS, quick))
    assert recipe.algorithm == ("distilled" if name == "tuned" else name)
    assert (recipe.tuning is not None) == (name == "tuned")
    assert recipe.split[0] == pytest.approx(10 / 11)
    if not quick:
        assert recipe.training.steps is None


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="did you mean 'BceGAN'"):
        next(checks.learn_checks(quick=True, only=["BceGan"]))


def documented(name):
    known = (*competitors.GENERATORS, *competitors.CLASSIFIERS)
    spelled = re.sub(rf"\.({'|'.join(known)})$", ".NAME", name)
    return f"| `{spelled}` |" in PAGE


def test_every_check_is_documented_and_measured(tmp_path, monkeypatch):
    """Names and bars of all checks, with competitors that are not trained for it."""
    result = competitors.Result(0.6, 0.002, 0.01, 0.02, 100.0, 1e6)
    monkeypatch.setattr(checks, "measure_generator", lambda *_: result)
    monkeypatch.setattr(checks, "measure_classifier", lambda name, *_: checks._unmeasured(name))
    monkeypatch.setattr(checks, "training_rate", lambda quick: 70_000.0)
    monkeypatch.setattr(checks, "generation_rate", lambda folder, quick: 500_000.0)
    monkeypatch.setattr(checks, "_ideal", lambda: 0.5)
    monkeypatch.setattr(checks, "make_samples", lambda *_: None)
    full = {check.name: check for check in checks.learn_checks(quick=False)}
    quick = {check.name: check for check in checks.learn_checks(quick=True)}
    some = {check.name: check for check in checks.learn_checks(quick=False, only=["LSGAN", "neighbours"])}
    assert list(full) == list(quick) == list(some)
    assert all(documented(name) for name in full)
    assert not full["learn.auc.distilled"].ok
    assert full["learn.ks.distilled"].ok
    assert full["learn.auc.best_gan"].value == 0.6
    assert not full["learn.auc.best_gan"].ok
    assert full["learn.cpu.autoregressive"].high == 300.0
    assert quick["learn.auc.distilled"].value is None
    assert quick["learn.rate.distilled"].value == 1e6
    assert quick["learn.rate.LSGAN"].value is None
    assert some["learn.auc.distilled"].value is None
    assert some["learn.auc.LSGAN"].value == 0.6


def test_every_name_of_the_page_is_one():
    listed = PAGE[PAGE.index("NAME is\n") : PAGE.index("| `learn.auc.ideal`")]
    names = set(re.findall(r"`(\w+)`", listed))
    assert names == {*competitors.GENERATORS, *competitors.CLASSIFIERS}

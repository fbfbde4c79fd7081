"""Every algorithm, from a recipe and a file to a model that keeps every promise."""

from types import SimpleNamespace

import pytest
from small_training import recipe_of

from lamarrpy.errors import ConfigError
from lamarrpy.testing import check_parameterization
from lamarrpy.train.learners import LEARNERS, learner
from lamarrpy.train.players import lengthened
from lamarrpy.train.recipe import Schedule
from lamarrpy.train.running import checkpoints, train


@pytest.mark.parametrize("algorithm", LEARNERS)
@pytest.mark.usefixtures("no_figures")
def test_every_algorithm_trains_and_keeps_its_promises(algorithm, data, tmp_path, monkeypatch):
    monkeypatch.setattr("lamarrpy.train.marginals._ROWS", 3000)
    model = train(recipe_of(algorithm), data, tmp_path / "model")
    check_parameterization(tmp_path / "model")
    assert model.manifest.algorithm == algorithm
    assert model.manifest.metrics["rows"] == 240
    assert not checkpoints(tmp_path / "model").exists()


def test_names_may_have_hyphens():
    assert learner("WGAN-GP") is LEARNERS["WGAN_GP"]
    assert learner("coupling-spline") is LEARNERS["coupling_spline"]


def test_unknown_names_are_refused_before_anything_is_read(tmp_path):
    words = f"expected an algorithm out of {', '.join(LEARNERS)}, got 'BceGAM'; did you mean 'BceGAN'"
    with pytest.raises(ConfigError, match=words):
        train(recipe_of("BceGAM"), tmp_path / "nothing.parquet", tmp_path / "model")


@pytest.mark.parametrize(
    ("rows", "steps"), [(100, 750), (75_000, 750), (150_000, 1500), (300_000, 3000), (10**7, 7500)]
)
def test_more_rows_are_learned_from_longer_and_few_not_by_heart(rows, steps):
    problem = SimpleNamespace(parts={"training": range(rows)})
    assert lengthened(Schedule(1500, 1024, 1e-3), problem).steps == steps

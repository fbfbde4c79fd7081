"""The models of the trained chain that ship: all there, whole, of the recipes beside them, small enough to ship."""

import pytest

from lamarrpy.parameterization.folder import verify
from lamarrpy.shipped import shipped
from lamarrpy.testing import check_parameterization
from lamarrpy.train.chain import jobs
from lamarrpy.train.recipe import find_recipe, read_recipe

JOBS = jobs()
ADVERSARIAL = [job for job in jobs(gan=True) if (shipped("models") / job.name).is_dir()]

FEWEST_ROWS = 20_000
LARGEST = 25_000_000


@pytest.mark.parametrize("job", [*JOBS, *ADVERSARIAL], ids=lambda job: job.name)
def test_a_model_is_whole_and_of_its_recipe(job):
    manifest = verify(shipped("models") / job.name)
    recipe = read_recipe(find_recipe(str(job.recipe), job.part))
    assert manifest.algorithm == recipe.algorithm
    assert [condition.name for condition in manifest.conditions] == list(recipe.conditions)
    assert [target.name for target in manifest.targets] == list(recipe.targets)
    assert manifest.sample["split"]["training"] >= FEWEST_ROWS
    assert {"card.md", "figures/test.png"} <= set(manifest.files)


@pytest.mark.parametrize("name", ["rich/kaon/distilled", "efficiency/charged/classifier", "occupancy/event/gan"])
def test_models_keep_their_promises(name):
    check_parameterization(shipped("models") / name)


def test_they_are_small_together():
    folders = [shipped("models") / job.name for job in (*JOBS, *ADVERSARIAL)]
    assert sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file()) < LARGEST

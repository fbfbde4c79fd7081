"""What the documentation shows works as it stands there."""

import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import yaml

import lamarrpy
from lamarrpy.generate import load_recipe
from lamarrpy.pipeline import load_pipeline
from lamarrpy.testing import check_stage, example_events
from lamarrpy.train.names import read_names
from lamarrpy.train.recipe import make_recipe

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_stage_of_the_tutorial_conforms(monkeypatch):
    source = next(block for block in blocks("docs/adding-a-stage.md", "python") if "class ArrivalTime" in block)
    module = types.ModuleType("arrival_time")
    monkeypatch.setitem(sys.modules, "arrival_time", module)
    exec(source, module.__dict__)
    stage = module.ArrivalTime()
    check_stage(stage)
    pipeline = load_pipeline({"stages": [{"kind": "propagation"}]})
    result, _ = lamarrpy.Pipeline("with time", (*pipeline.stages, stage))(example_events(), seed=1)
    time, z, reaches = result.arrays("particles", "t_ecal", "z", "reaches_ecal")
    shortest = (12490 - z) / 299.79  # of light along the beam
    assert np.array_equal(np.isfinite(time), reaches)
    assert (time[reaches] > shortest[reaches] - 0.3).all()
    assert 1.0 < np.median((time / shortest)[reaches]) < 1.03


def test_the_pipeline_of_the_page_is_one():
    (text,) = blocks("docs/pipelines.md", "yaml")
    pipeline = load_pipeline(yaml.safe_load(text))
    assert pipeline.name == "my_study"
    assert pipeline.stages[0].polarity == "MagDown"


@pytest.mark.parametrize("text", blocks("docs/generating.md", "yaml"))
def test_the_recipes_of_the_page_are_ones(text):
    recipe = yaml.safe_load(text)
    assert load_recipe(recipe).kind == recipe["kind"]


LEARNING = [yaml.safe_load(text) for text in blocks("docs/learning.md", "yaml")]


@pytest.mark.parametrize("content", [content for content in LEARNING if "conditions" in content])
def test_the_recipes_of_learning_are_ones(content):
    recipe = make_recipe(content)
    assert recipe.algorithm.replace("-", "_") in {"distilled", "BceGAN_ALP"}


def test_the_names_of_learning_are_those_of_its_recipe(tmp_path):
    (names,) = (content for content in LEARNING if "conditions" not in content)
    (tmp_path / "names.yaml").write_text(yaml.safe_dump(names))
    recipe = next(make_recipe(c) for c in LEARNING if c.get("weight") == "weight")
    assert set(read_names(tmp_path / "names.yaml")) == {*recipe.columns}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_stage_stands_in_the_readme():
    text = (ROOT / "README.md").read_text()
    for kind in lamarrpy.STAGES:
        assert f"`{kind.removeprefix('parametric_')}`" in text

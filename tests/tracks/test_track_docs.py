"""What docs/tracks.md shows works as it stands there."""

import re
from pathlib import Path

import yaml

from lamarrpy.tracks import load_track_recipe, make_sample, shipped_track_recipes
from lamarrpy.tracks.sample import COLUMNS

PAGE = (Path(__file__).parents[2] / "docs" / "tracks.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_recipe_of_the_page_makes_tracks():
    (text,) = blocks("yaml")
    sample = make_sample(yaml.safe_load(text), 50, seed=1)
    assert set(sample.end.z.round(6)) <= {2485.0, 8520.0, 10_000.0}


def test_the_python_of_the_page_runs():
    (text,) = blocks("python")
    names = {}
    exec(text, names)
    assert len(names["sample"]) == 1000


def test_every_shipped_recipe_and_column_is_on_the_page():
    for name in shipped_track_recipes():
        assert f"`{name}`" in PAGE
        assert load_track_recipe(name).name == name
    for column in COLUMNS:
        assert f"`{column}`" in PAGE

"""Samples of a study: made once, again if they are to be others."""

import numpy as np
import pytest

from lamarrpy.errors import InputError
from lamarrpy.study.samples import Samples, SampleSpec
from lamarrpy.tracks import load_track_recipe, make_sample

BOX = load_track_recipe("box").as_data()


def spec(tracks=50, seed=1):
    return SampleSpec("main.train", BOX, tracks, seed)


def test_a_sample_is_what_its_recipe_makes_and_how_it_came_to_be_is_told(tmp_path):
    samples = Samples(tmp_path)
    samples.make(spec())
    got, wanted = samples.read("main.train"), make_sample("box", 50, 1)
    for name, column in got.columns().items():
        assert np.array_equal(column, wanted.columns()[name]), name
    about = samples.about("main.train")
    assert about["sample"]["tracks"] == 50
    assert about["drawn"] >= 50
    assert sum(about["fractions"].values()) == pytest.approx(1.0)


def test_it_is_made_again_only_if_it_is_to_be_another(tmp_path):
    samples = Samples(tmp_path)
    made = samples.make(spec()).stat().st_mtime_ns
    assert samples.make(spec()).stat().st_mtime_ns == made
    before = samples.read("main.train").start.x
    samples.make(spec(seed=2))
    after = samples.read("main.train").start.x
    assert len(after) == 50
    assert not np.array_equal(before, after)


def test_what_was_stopped_half_way_is_made_again(tmp_path):
    samples = Samples(tmp_path)
    path = samples.make(spec())
    (tmp_path / "main.train.json").unlink()
    path.write_bytes(b"half")
    samples.make(spec())
    assert len(samples.read("main.train")) == 50


def test_one_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="run the study again"):
        Samples(tmp_path).read("main.test")

"""Configurations of a study: what may be set, and how mistakes are told."""

from pathlib import Path

import pytest

from lamarrpy.errors import ConfigError
from lamarrpy.study.config import load_study, merged, shipped_studies
from lamarrpy.study.running import chosen
from lamarrpy.study.study import Study

SMALL = {"name": "small", "sets": {"main": {"recipe": "box"}}}


def study(**keys):
    return Study(Path("nowhere"), load_study({**SMALL, **keys}))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"track": {}}, "unknown key 'track'.*did you mean 'tracks'"),
        ({"families": {"mpl": {}}}, "did you mean 'mlp'"),
        ({"sets": {"mine": {"recipe": "box"}}}, "expected one that is called 'main', got mine"),
        ({"sets": {"main": {"recipe": "bxo"}}}, "did you mean 'box'"),
        ({"sets": {"main": {"recipe": "box", "changes": {"momentum": {"q": 1}}}}}, "unknown key 'q'"),
        ({"tracks": {"train": 0}}, "tracks.train"),
    ],
)
def test_mistakes_are_told_with_their_key(wrong, told):
    with pytest.raises(ConfigError, match=told):
        load_study({**SMALL, **wrong})


def test_neither_a_file_nor_a_name_is_an_error():
    with pytest.raises(ConfigError, match="did you mean 'quick'"):
        load_study("quik")


def test_a_list_is_no_study(tmp_path):
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError, match="expected a mapping"):
        load_study(tmp_path / "list.yaml")


@pytest.mark.parametrize("name", sorted(shipped_studies()))
def test_shipped_studies_have_all_that_experiments_ask_for(name):
    config = load_study(name)
    assert config.name == name
    assert set(config.sets) >= {"main", "low", "mid", "high"}
    assert len(chosen(config)) == 12


def test_the_full_study_has_the_sizes_of_the_protocol():
    config = load_study("full")
    assert (config.sizes("main").train, config.sizes("main").test) == (50_000_000, 1_000_000)
    assert {config.sizes(name).train for name in ("low", "mid", "high")} == {10_000_000}
    assert config.sets["main"].made().momentum.p[0][0] == 500.0


def test_only_changes_what_runs_and_unknown_names_are_told():
    config = load_study({**SMALL, "without": ["volume"]})
    assert chosen(config, ["momentum", "architecture"]) == ["architecture", "momentum"]
    assert "volume" not in chosen(config)
    with pytest.raises(ConfigError, match="did you mean 'momentum'"):
        chosen(config, ["momentun"])


def test_settings_of_experiments_are_checked_before_anything_runs():
    with pytest.raises(ConfigError, match=r"experiments.volume: unknown key 'share'.*did you mean 'shares'"):
        chosen(load_study({**SMALL, "experiments": {"volume": {"share": [1]}}}))
    with pytest.raises(ConfigError, match="expected experiments out of"):
        chosen(load_study({**SMALL, "experiments": {"speed": {}}}))


def test_merging_goes_down_into_mappings_but_not_into_another_kind():
    base = {"a": {"b": 1, "c": 2}, "start": {"kind": "box", "x": 1}}
    assert merged(base, {"a": {"b": 3}, "d": 4}) == {**base, "a": {"b": 3, "c": 2}, "d": 4}
    assert merged(base, {"start": {"x": 2}})["start"] == {"kind": "box", "x": 2}
    assert merged(base, {"start": {"kind": "other"}})["start"] == {"kind": "other"}
    assert base["a"] == {"b": 1, "c": 2}


def test_recipes_take_the_field_of_their_tracks_and_what_the_family_begins_with():
    one = study(families={"rk_pinn": {"architecture": {"nodes": 7}, "training": {"steps": 5}}})
    recipe = one.recipe("rk_pinn", "tiny", training={"batch": 16})
    assert recipe.name == "rkpinn_tiny"
    assert recipe.field == {"kind": "lhcb", "polarity": "MagUp"}
    made = recipe.architecture
    assert (made.nodes, made.start, made.end, made.size) == (7, 4000.0, 12000.0, "tiny")
    assert (recipe.training.steps, recipe.training.batch) == (5, 16)
    assert study().recipe("mlp").architecture.start is None
    with pytest.raises(ConfigError, match=r"recipe mlp_medium: .*unknown key 'colour'"):
        one.recipe("mlp", colour="red")


def test_variable_lengths_are_not_taken_as_fixed():
    one = study(sets={**SMALL["sets"], "variable": {"recipe": "variable"}})
    assert one.recipe("rk_pinn", data="variable").architecture.end is None


def test_samples_have_sizes_and_seeds_of_their_own():
    one = study(sets={"main": {"recipe": "box"}, "few": {"recipe": "box", "tracks": {"train": 7}}}, seed=5)
    assert one.spec("few.train").tracks == 7
    seeds = {one.spec(f"main.{part}").seed for part in ("train", "validation", "test")}
    assert len(seeds) == 3
    with pytest.raises(ConfigError, match=r"did you mean 'main\.train'"):
        one.spec("main.trian")

"""Pipeline files: what is wrong is named by its path, with the closest thing that would be right."""

import json
import pickle

import numpy as np
import pytest

from lamarrpy.errors import ConfigError
from lamarrpy.field import magnetic_field, write_grid
from lamarrpy.pipeline import load_pipeline
from lamarrpy.pipeline.spec import json_schema, shipped_pipelines
from lamarrpy.stages import STAGES


def write(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", sorted(shipped_pipelines()))
def test_shipped_pipelines_load_by_name_and_by_path(name):
    pipeline = load_pipeline(name)
    assert pipeline == load_pipeline(shipped_pipelines()[name])
    assert pipeline.name == name
    assert pickle.loads(pickle.dumps(pipeline)) == pipeline


def test_the_named_pipelines_ship():
    assert set(shipped_pipelines()) == {"charged", "lhcb2016", "parametric", "photons"}


def test_every_stage_is_in_a_shipped_pipeline():
    found = [type(stage) for name in shipped_pipelines() for stage in load_pipeline(name).stages]
    assert {*found} == {*STAGES.values()}


def test_the_whole_chain_is_that_of_charged_particles_and_of_photons():
    whole, charged, photons = (load_pipeline(name).stages for name in ("lhcb2016", "charged", "photons"))
    assert whole == charged + photons


def test_conditions_reach_the_stages_that_ask_for_them():
    conditions = {"year": 2016, "polarity": "MagDown"}
    spec = {"conditions": conditions, "stages": [{"kind": "primary_vertex"}, {"kind": "propagation"}]}
    first, second = load_pipeline(spec).stages
    assert (first.year, first.polarity, second.polarity) == (2016, "MagDown", "MagDown")


def test_a_stage_may_have_conditions_of_its_own():
    spec = {"conditions": {"polarity": "MagDown"}, "stages": [{"kind": "propagation", "polarity": "MagUp"}]}
    assert load_pipeline(spec).stages[0].polarity == "MagUp"


def test_the_caller_may_turn_the_magnet():
    assert load_pipeline("parametric", polarity="MagDown").stages[0].polarity == "MagDown"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stages:\n- kind: propagation\n  methd: x\n", r"unknown key 'stages\[0\].methd'; did you mean 'method'\?"),
        ("stagse:\n- kind: parametric_occupancy\n", "unknown key 'stagse'; did you mean 'stages'"),
        ("stages:\n- kind: parametric_occupancy\nconditions: {yaer: 2016}\n", "'conditions.yaer'; did you mean 'year'"),
        ("stages:\n- kind: parametric_ocupancy\n", "got 'parametric_ocupancy'; did you mean 'parametric_occupancy'"),
        ("stages:\n- flavour: b\n", r"stages\[0\]: expected a 'kind' out of .*; got None"),
        ("stages:\n- parametric_occupancy\n", r"stages\[0\]"),
        ("stages: []\n", "stages: expected at least one, got none"),
        ("name: x\n", "missing key 'stages'"),
        ("stages:\n- kind: propagation\n  method: kick\n", "got 'kick'; did you mean 'single_kick'"),
        ("stages:\n- kind: propagation\n  p_min: fast\n", r"stages\[0\].p_min: input should be a valid number"),
        ("stages:\n- kind: propagation\n  planes: [mid_ttt]\n", r"stages\[0\] \(propagation\): .*mid_tt"),
        ("stages:\n- kind: primary_vertex\n  year: 1999\n", r"stages\[0\] \(primary_vertex\): .*2016"),
        ("stages:\n- kind: parametric_resolution\n", "'resolution' needs tracks.*the stages that do: efficiency"),
        ("stages:\n- kind: parametric_occupancy\noutput: {track: all}\n", "output: no stage makes the table 'track'"),
        ("stages:\n- kind: parametric_occupancy\noutput: {events: 3}\n", "expected 'all' or a list of columns, got 3$"),
        ("stages:\n- kind: parametric_occupancy\nconditions: 5\n", "conditions: expected a mapping of keys, got 5"),
        ("stages: [\n", "expected YAML, got"),
        ("stages:\n- kind: parametric_occupancy\nstages:\n- kind: parametric_occupancy\n", "key 'stages' stands twice"),
        ("- kind: parametric_occupancy\n", "expected a mapping with the key 'stages', got list"),
        ("", "expected a mapping with the key 'stages', got NoneType"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=f"^{path}: .*{message}"):
        load_pipeline(path)


def test_several_mistakes_are_named_together(tmp_path):
    with pytest.raises(ConfigError, match=r"stages\[0\].flavor'.*; unknown key 'nam'"):
        load_pipeline(write(tmp_path, "nam: x\nstages:\n- kind: parametric_occupancy\n  flavor: b\n"))


def test_an_unknown_pipeline_names_the_shipped_ones():
    known = r"\(charged, lhcb2016, parametric, photons\)"
    with pytest.raises(ConfigError, match=rf"shipped pipeline {known}, got 'parametrc', .*did you mean"):
        load_pipeline("parametrc")


def test_the_json_schema_knows_every_stage_and_setting():
    schema = json_schema()
    json.dumps(schema)
    kinds = schema["properties"]["stages"]["items"]["discriminator"]["mapping"]
    assert set(kinds) == set(STAGES)
    settings = schema["$defs"]["propagation"]["properties"]
    assert "single_kick" in settings["method"]["enum"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["propagation"]["additionalProperties"] is False


def test_files_are_relative_to_the_pipeline_that_names_them(tmp_path, monkeypatch):
    field = magnetic_field("uniform", by=0.5)
    axis = np.linspace(-4000.0, 14000.0, 4)
    write_grid(field, tmp_path / "map.npz", axis, axis, axis)
    path = write(tmp_path, "stages:\n- kind: propagation\n  field: grid\n  field_file: map.npz\n")
    monkeypatch.chdir("/")
    assert load_pipeline(path).stages[0].field_file == str(tmp_path / "map.npz")

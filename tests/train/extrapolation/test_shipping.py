"""Plans of extrapolators, the folders that come of them, and the extrapolators that ship."""

import json

import numpy as np
import pytest
import tensorflow as tf

from lamarrpy.errors import ConfigError, OutputError
from lamarrpy.field import magnetic_field
from lamarrpy.parameterization.folder import read_file, read_manifest, verify
from lamarrpy.propagation.neural import NeuralExtrapolator
from lamarrpy.shipped import shipped
from lamarrpy.tracks import load_track_recipe, make_sample
from lamarrpy.train.export import from_keras
from lamarrpy.train.extrapolation.plan import ExtrapolatorPlan, read_plan
from lamarrpy.train.extrapolation.running import as_input
from lamarrpy.train.extrapolation.shipping import ship

SHIPPED = ("fixed", "variable")
TESTS = {"fixed": ("box", "acceptance"), "variable": ("variable",)}


def _small(name):
    """A plan of the project, with few tracks and steps."""
    plan = read_plan(shipped("models", "extrapolator", f"{name}.yaml"), {"steps": 30})
    content = plan.model_dump()
    for leg in content["legs"]:
        for part in leg["samples"]:
            part["tracks"] = 400
    return ExtrapolatorPlan.model_validate(content | {"tests": dict.fromkeys(plan.tests, 200)})


@pytest.mark.parametrize("name", SHIPPED)
def test_a_plan_becomes_a_folder(name, tmp_path):
    plan = _small(name)
    told = []
    metrics = ship(plan, tmp_path / name, lambda *what: told.append(what[0]))
    manifest = verify(tmp_path / name)
    assert manifest.metrics == metrics
    assert manifest.kind == "extrapolator"
    assert set(told) == {"magnet"}
    assert "## How well" in (tmp_path / name / "card.md").read_text()
    assert (tmp_path / name / "curves" / "magnet.csv").read_text().startswith("step,")
    for leg in plan.legs:
        assert {leg.onnx, leg.keras} <= set(manifest.files)
    neural = NeuralExtrapolator(tmp_path / name, magnetic_field("lhcb", "MagDown"))
    assert len(neural.legs.legs) == len(plan.legs)


def test_weights_are_those_of_the_leg_that_learned(tmp_path):
    ship(_small("variable"), tmp_path / "x")
    manifest = read_manifest(tmp_path / "x")
    magnet, through = (from_keras(read_file(tmp_path / "x", manifest, f"{leg}.keras")) for leg in ("magnet", "through"))
    for one, other in zip(magnet.get_weights(), through.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"notes\.txt"):
        ship(_small("fixed"), tmp_path)


def test_a_mistake_in_a_plan_is_told_with_its_place(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(json.dumps({"name": "x", "description": "", "field": {}, "legs": [{"name": "a"}], "loss": {}}))
    with pytest.raises(ConfigError, match=r"plan\.yaml: .*legs\.0\.low"):
        read_plan(path)


@pytest.mark.parametrize("name", ["fixed", "variable", "fixed_dipole_pair", "variable_dipole_pair"])
def test_the_plans_of_the_project_are_read(name):
    plan = read_plan(shipped("models", "extrapolator", f"{name}.yaml"))
    assert plan.name == name
    assert plan.as_legs().legs


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_is_what_its_plan_says(name):
    folder = shipped("models", "extrapolator", name)
    plan = read_plan(shipped("models", "extrapolator", f"{name}.yaml"))
    manifest = verify(folder)
    assert manifest.recipe == plan.model_dump(mode="json", exclude_defaults=True)
    assert NeuralExtrapolator(folder, magnetic_field("lhcb")).legs == plan.as_legs()


@pytest.mark.parametrize(("name", "recipe"), [(name, recipe) for name in SHIPPED for recipe in TESTS[name]])
def test_what_ships_is_as_near_to_the_truth_as_promised(name, recipe):
    sample = make_sample(load_track_recipe(recipe), 3000, seed=11)
    neural = NeuralExtrapolator(shipped("models", "extrapolator", name), magnetic_field("lhcb"))
    end, inside = neural.extrapolate(sample.start, sample.start.z + sample.dz)
    off = 1e3 * np.hypot(end.x - sample.end.x, end.y - sample.end.y)
    assert inside.mean() > (0.999 if name == "fixed" else 0.9)
    stiff = inside & (sample.p >= 5000.0)
    assert np.quantile(off[stiff], 0.95) < (1.5 if name == "fixed" else 1.0)
    assert np.quantile(off[inside], 0.68) < 1.0
    assert np.quantile(off[inside], 0.95) < (5.0 if name == "fixed" else 10.0)
    for got, true, unit in ((end.x, sample.end.x, 1e3), (end.tx, sample.end.tx, 1e6)):
        assert abs(np.mean(got[stiff] - true[stiff])) * unit < 0.1


@pytest.mark.parametrize("name", SHIPPED)
def test_onnx_and_keras_of_what_ships_agree(name):
    folder = shipped("models", "extrapolator", name)
    neural = NeuralExtrapolator(folder, magnetic_field("lhcb"))
    sample = make_sample(load_track_recipe(TESTS[name][0]), 500, seed=5)
    tracks = as_input(sample.start, sample.dz)
    for leg in neural.legs.legs:
        some = tracks.copy()
        some[:, 2] = leg.low if leg.whole else np.clip(some[:, 2], leg.low, leg.high - 1.0)
        some[:, 6] = leg.high - some[:, 2]
        keras = from_keras(read_file(folder, neural.manifest, leg.keras))(tf.constant(some)).numpy()
        onnx = neural._networks[leg.name](tracks=some)
        near = np.hypot(keras[:, 2], keras[:, 3]) < 1.0
        assert np.quantile(np.abs(onnx - keras)[near, :2], 0.99) < 1e-3
        assert np.quantile(np.abs(onnx - keras)[near, 2:], 0.99) < 1e-6


def test_an_extrapolator_trained_for_another_field_says_so():
    with pytest.raises(ConfigError, match="trained in"):
        NeuralExtrapolator(shipped("models", "extrapolator", "fixed"), magnetic_field("none"))

"""Recipes: every key, shorthands, changes, and errors that name the key meant."""

import pytest
import yaml

from lamarrpy.errors import ConfigError
from lamarrpy.train.recipe import (
    Layers,
    Recipe,
    Schedule,
    as_yaml,
    changed,
    checked_options,
    find_recipe,
    make_recipe,
    read_recipe,
)

EVERYTHING = """
name: everything
description: Every key there is.
conditions:
  p: log
  eta: {transform: standard, unit: none}
  charge: {transform: one_hot}
  z: [asinh, {kind: min_max, to: [0, 1]}]
  n_tracks:
targets:
  dx: {unit: mm, masses: []}
  ndof: {integer: true}
  dll: {masses: [0.0]}
  prob: {low: 0, high: 1, masses: auto}
reads: [p, eta, charge, z, n_tracks, dx, ndof, dll, prob, weight, event_id]
weight: weight
group: event_id
algorithm: distilled
network: {layers: 3, width: 32, residual: false, activation: gelu, latents: 7, dropout: 0.1, l2: 1e-6}
training: {steps: 10, batch: 20, rate: 1e-3, optimizer: adamw, patience: 3, score: wasserstein}
adversarial:
  loss: {name: cross_entropy, smoothing: 1e-2}
  penalty: {name: gradient, strength: 10}
  matching: {strength: 0.5}
  noise: 0.01
  discriminator: {width: 16}
  discriminator_rate: 2e-3
  discriminator_steps: 2
  average: 0.99
  referee: false
teacher:
  algorithm: coupling_spline
  network: {layers: 1}
  training: {steps: 5}
  options: {bins: 16, bound: 4e0}
  pairs: 1000
tuning:
  algorithm: LSGAN
  training: {steps: 7}
  adversarial: {noise: 0.0}
options: {some: 1}
auxiliary: ["dx * 2", dll - dx]
score_bins: [p, eta]
search:
  training.rate: {low: 1e-4, high: 1e-2, log: true}
  network.layers: {low: 2, high: 4, integer: true}
  network.width: {choices: [16, 32]}
seed: 11
split: [0.6, 0.2, 0.2]
"""


def written(folder, text, name="mine.yaml"):
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def recipe(tmp_path):
    return read_recipe(written(tmp_path, EVERYTHING))


def test_every_key_is_read(recipe):
    assert set(yaml.safe_load(EVERYTHING)) == set(Recipe.model_fields)
    assert recipe.conditions["p"].transform == "log"
    assert recipe.conditions["eta"].unit == "none"
    assert recipe.conditions["z"].transform == ["asinh", {"kind": "min_max", "to": [0, 1]}]
    assert recipe.conditions["n_tracks"].transform is None
    assert recipe.targets["dx"].masses == ()
    assert recipe.targets["dll"].masses == (0.0,)
    assert recipe.targets["ndof"].integer is True
    assert (recipe.targets["prob"].low, recipe.targets["prob"].high) == (0.0, 1.0)
    assert recipe.network.l2 == 1e-6
    assert recipe.adversarial.loss == {"name": "cross_entropy", "smoothing": 0.01}
    assert recipe.teacher.options == {"bins": 16, "bound": 4.0}
    assert recipe.tuning.training.steps == 7
    assert recipe.split == (0.6, 0.2, 0.2)
    assert recipe.search["network.width"].choices == (16, 32)


def test_yaml_comes_back_the_same(recipe, tmp_path):
    assert read_recipe(written(tmp_path, as_yaml(recipe), "other.yaml")) == recipe


@pytest.mark.parametrize("name", ["model", "another"])
def test_the_shortest_recipe_comes_back_with_its_name(tmp_path, name):
    short = make_recipe({"name": name, "conditions": ["p"], "targets": ["x"]})
    assert read_recipe(written(tmp_path, as_yaml(short))) == short
    assert short.algorithm == "distilled"
    assert short.split == (0.5, 0.1, 0.4)


def test_what_is_left_out_is_as_usual(recipe):
    usual = Layers(5, 128, "relu", latents=64)
    assert recipe.network.over(usual) == Layers(3, 32, "gelu", False, 0.1, 1e-6, 7)
    assert recipe.teacher.network.over(usual) == usual._replace(layers=1)
    assert recipe.tuning.training.over(Schedule(1, 2, 3.0, score="ks")) == Schedule(7, 2, 3.0, score="ks")


@pytest.mark.parametrize(
    "conditions",
    ["[p, eta]", "{p: , eta: }", "{p: {}, eta: {}}", "[p: , eta: {}]"],
)
def test_columns_may_be_a_list_or_a_mapping(tmp_path, conditions):
    recipe = read_recipe(written(tmp_path, f"conditions: {conditions}\ntargets: [x]"))
    assert recipe == make_recipe({"name": "mine", "conditions": ["p", "eta"], "targets": ["x"]})


def test_a_list_may_hold_transforms(tmp_path):
    recipe = read_recipe(written(tmp_path, "conditions:\n- p: log\n- eta\ntargets: [x]"))
    assert recipe.conditions["p"].transform == "log"
    assert list(recipe.conditions) == ["p", "eta"]


def test_the_name_is_that_of_the_file_or_the_stage(tmp_path):
    short = "conditions: [p]\ntargets: [x]"
    assert read_recipe(written(tmp_path, short, "kaons.yaml")).name == "kaons"
    stage = tmp_path / "rich"
    stage.mkdir()
    assert read_recipe(written(stage, short, "recipe.yaml")).name == "rich"


def test_columns_that_are_needed(recipe):
    short = make_recipe({"conditions": ["p"], "targets": ["x"], "weight": "p", "group": "event"})
    assert short.needed == short.columns == ("p", "x", "event")
    assert recipe.columns == (*recipe.conditions, *recipe.targets, "weight", "event_id")
    assert recipe.needed == recipe.reads


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"training.steps": 99}, lambda r: r.training.steps == 99 and r.training.batch == 20),
        ({"teacher.training.rate": 0.5}, lambda r: r.teacher.training.rate == 0.5 and r.teacher.training.steps == 5),
        ({"conditions.p.transform": "asinh"}, lambda r: r.conditions["p"].transform == "asinh"),
        ({"targets.dll.masses": "all"}, lambda r: r.targets["dll"].masses == "all"),
        ({"conditions.n_tracks": "log"}, lambda r: r.conditions["n_tracks"].transform == "log"),
        ({"conditions.x": "log"}, lambda r: list(r.conditions)[-1] == "x"),
        ({"tuning": None}, lambda r: r.tuning is None),
        ({"seed": 3, "network.width": 8}, lambda r: (r.seed, r.network.width, r.network.layers) == (3, 8, 3)),
        ({"options.more": "2e-1"}, lambda r: r.options == {"some": 1, "more": 0.2}),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_dotted_changes(tmp_path, changes, found):
    assert found(read_recipe(written(tmp_path, EVERYTHING), changes))


def test_a_list_of_columns_can_be_changed_too(tmp_path):
    path = written(tmp_path, "conditions: [p]\ntargets: [x, y]")
    assert read_recipe(path, {"targets.y.low": 0.0}).targets["y"].low == 0.0


def test_changes_leave_the_content_alone():
    content = {"training": {"steps": 1}}
    assert changed(content, {"training.steps": 2, "network.width": 3}) == {
        "training": {"steps": 2},
        "network": {"width": 3},
    }
    assert content == {"training": {"steps": 1}}


def test_a_change_through_a_value_is_refused():
    with pytest.raises(ConfigError, match=r"a key of a recipe such as training.steps, got 'seed.more': seed holds no"):
        changed({"seed": 1}, {"seed.more": 2})


def broken(content, **changes):
    with pytest.raises(ConfigError) as caught:
        make_recipe(changed({"conditions": ["p"], "targets": ["x"]} | content, changes), "a.yaml")
    message = str(caught.value)
    assert message.startswith("a.yaml: expected a recipe, got: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"trainig": {}}, "unknown key 'trainig'; did you mean 'training'?; known keys: name,"),
        ({"training": {"step": 3}}, "training: unknown key 'step'; did you mean 'steps'?"),
        ({"targets": {"x": {"mass": [0]}}}, "targets.x: unknown key 'mass'; did you mean 'masses'?"),
        (
            {"adversarial": {"discriminator": {"widht": 3}}},
            "adversarial.discriminator: unknown key 'widht'; did you mean",
        ),
        ({"training": {"steps": 0}}, "training.steps: Input should be greater than or equal to 1"),
        ({"training": {"steps": "many"}}, "training.steps: Input should be a valid integer"),
        ({"training": {"rate": float("nan")}}, "training.rate"),
        ({"network": {"dropout": 1.0}}, "network.dropout: Input should be less than 1"),
        ({"seed": -1}, "seed: Input should be greater than or equal to 0"),
        ({"conditions": []}, "conditions: Dictionary should have at least 1 item"),
        ({"targets": "x"}, "targets: Input should be a valid dictionary"),
        ({"conditions": {"p": None, "x": None}}, "different columns as conditions and targets, got x as both"),
        ({"split": [0.5, 0.1]}, "split"),
        ({"split": [0.5, 0.4, 0.2]}, "expected shares of training, validation and test rows up to 1"),
        ({"split": [0.0, 0.5, 0.5]}, "expected shares of training"),
        ({"split": [0.6, -0.1, 0.4]}, "expected shares of training"),
        ({"score_bins": ["pp"]}, "score_bins: expected conditions, got 'pp'; did you mean 'p'?"),
        ({"search": {"training.rate": {"low": 1.0}}}, "search.training.rate: expected either choices, or low and high"),
        ({"search": {"seed": {"low": 2, "high": 1}}}, "expected low < high"),
        ({"search": {"seed": {"low": 0, "high": 1, "log": True}}}, "low > 0 with log"),
        ({"search": {"seed": {"low": 0, "high": 1, "choices": [1]}}}, "expected either choices, or low and high"),
        ({"targets": {"x": {"masses": "most"}}}, "targets.x.masses"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_errors_name_the_key(content, words):
    assert words in broken(content)


def test_a_file_that_is_no_recipe_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected a recipe with conditions and targets, got list"):
        read_recipe(written(tmp_path, "[1, 2]"))
    with pytest.raises(ConfigError, match="expected YAML"):
        read_recipe(written(tmp_path, "a: [1"))
    with pytest.raises(ConfigError, match=r"mine.yaml: expected a recipe, got: conditions: Field required"):
        read_recipe(written(tmp_path, "targets: [x]"))


def test_a_recipe_is_found_by_path_or_stage(tmp_path):
    mine = written(tmp_path, "conditions: [p]\ntargets: [x]", "recipe.yaml")
    assert find_recipe(str(mine)) == mine
    assert find_recipe(str(mine), "kaon") == mine
    own = written(tmp_path, "conditions: [p]\ntargets: [x]", "recipe_kaon.yaml")
    assert find_recipe(str(mine), "kaon") == own
    assert find_recipe(str(mine), "pion") == mine
    shared = written(tmp_path, "conditions: [p]\ntargets: [x]", "recipe_is_muon.yaml")
    assert find_recipe(str(mine), "kaon_is_muon") == shared
    assert find_recipe(str(mine), "kaon") == own
    with pytest.raises(ConfigError, match=r"expected a recipe file or the name of a shipped recipe"):
        find_recipe("nothing_like_it")


def test_options_are_those_of_the_algorithm():
    usual = {"bins": 8, "bound": 4.0, "kind": "spline", "reverse": True}
    assert checked_options("flow", {"bins": 3, "bound": 2, "reverse": False}, usual) == {
        "bins": 3,
        "bound": 2,
        "reverse": False,
    }
    with pytest.raises(ConfigError, match=r"flow: expected options out of bins, .*, got 'bin'; did you mean 'bins'"):
        checked_options("flow", {"bin": 3}, usual)
    with pytest.raises(ConfigError, match="GAN: expected no options, got 'bins'"):
        checked_options("GAN", {"bins": 3}, {})
    for name, value in {"bins": 2.5, "bound": "wide", "kind": 3, "reverse": 1}.items():
        with pytest.raises(ConfigError, match=f"flow: expected {name} as "):
            checked_options("flow", {name: value}, usual)
    with pytest.raises(ConfigError, match="flow: expected bins as int such as 8, got True"):
        checked_options("flow", {"bins": True}, usual)

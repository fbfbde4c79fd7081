"""Recipes of tracks: the shipped ones, and what is wrong with others."""

import json

import numpy as np
import pytest

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError, InputError
from lamarrpy.field import magnetic_field, write_grid
from lamarrpy.tables.schemas import PLANES
from lamarrpy.tracks import load_track_recipe, make_sample, shipped_track_recipes
from lamarrpy.tracks.recipe import Length, Momentum

PLAIN = {
    "field": {"kind": "none"},
    "start": {"kind": "box", "z": 0, "x": [-1, 1], "y": [-1, 1], "tx": [-0.1, 0.1], "ty": [-0.1, 0.1]},
    "momentum": {"p": [1000, 2000]},
    "length": {"dz": 1000},
}


def rows(n=20000, seed=5):
    return Draws(seed, "tracks").rows(np.arange(n))


@pytest.mark.parametrize("name", shipped_track_recipes())
def test_shipped_recipes_survive_json(name):
    recipe = load_track_recipe(name)
    assert recipe.name == name
    assert recipe.description
    assert load_track_recipe(json.loads(json.dumps(recipe.as_data()))) == recipe
    recipe.field.make()


@pytest.mark.parametrize(("name", "mean"), [("protocol_low", 1.95), ("protocol_mid", 10.8), ("protocol_high", 49.7)])
def test_momenta_have_the_mean_that_the_protocol_quotes(name, mean):
    p = 1e-3 / np.abs(load_track_recipe(name).momentum.qop(rows(100_000)))
    assert p.mean() == pytest.approx(mean, rel=0.015)


@pytest.mark.parametrize("law", ["log_uniform", "uniform", "uniform_qop"])
def test_laws_of_the_momentum(law):
    momentum = Momentum(p=[[1000, 2000], [8000, 10_000]], law=law)
    qop = momentum.qop(rows())
    p = 1.0 / np.abs(qop)
    to_flat = {"log_uniform": np.log, "uniform": float, "uniform_qop": lambda value: -1.0 / value}[law]
    first, second = to_flat(2000.0) - to_flat(1000.0), to_flat(10_000.0) - to_flat(8000.0)
    share = first / (first + second)
    assert ((p >= 999.999) & (p <= 2000.001) | (p >= 7999.99) & (p <= 10_000.01)).all()
    assert np.mean(p < 3000.0) == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / len(p)))
    middle = np.array([to_flat(value) for value in p[p < 3000.0]])
    assert middle.mean() == pytest.approx(
        0.5 * (to_flat(1000.0) + to_flat(2000.0)), abs=5 * first / np.sqrt(12 * len(middle))
    )
    assert abs(np.sign(qop).sum()) < 5 * np.sqrt(len(qop))


def test_momenta_without_upper_end():
    momentum = Momentum(p=[500, None], law="uniform_qop")
    qop = 1e3 * momentum.qop(rows())
    assert np.abs(qop).max() <= 2.0
    assert np.mean(np.abs(qop) < 0.5) == pytest.approx(0.25, abs=0.016)
    assert Momentum(**json.loads(momentum.model_dump_json())) == momentum


def test_any_plane_beyond_the_start():
    length = Length(planes=["mid_t", "ecal", 5000.0])
    z = np.linspace(0.0, 12_000.0, 3000)
    end = z + length.draw(z, rows(3000))
    for first, allowed in ((0.0, {5000.0, 8520.0, 12490.0}), (5000.0, {8520.0, 12490.0}), (8520.0, {12490.0})):
        assert set(np.round(end[z >= first], 6)) <= {*allowed}
        last = z >= first
        assert (end[last] > z[last]).all()
    assert np.mean(end[z < 5000.0] < 6000.0) == pytest.approx(1 / 3, abs=0.07)


def test_the_protocol_is_the_protocol():
    recipe = load_track_recipe("protocol")
    sample = make_sample(recipe, 300, seed=9)
    assert (sample.start.z == 4000.0).all()
    assert (sample.dz == 8000.0).all()
    assert np.abs(sample.start.qop).max() <= 2e-3
    by = recipe.field.make()(0.0, 0.0, 5000.0)[1]
    assert by < 0.0


def test_variable_lengths_end_at_reference_planes():
    sample = make_sample("variable", 400, seed=2)
    planes = np.array(list(PLANES.values()))
    assert np.min(np.abs(sample.end.z[:, None] - planes), axis=1).max() < 1e-9
    assert (sample.dz > 0.0).all()
    assert sample.start.z.min() < 300.0
    assert sample.start.z.max() > 6500.0


def changed(**parts):
    return {key: {**PLAIN[key], **parts.get(key, {})} for key in PLAIN} | {
        key: value for key, value in parts.items() if key not in PLAIN
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({key: PLAIN[key] for key in ("field", "start", "length")}, "recipe: missing key 'momentum'"),
        (changed(momentum={"p": [0, 5]}), "momentum: p: expected momenta above 0"),
        (changed(momentum={"low": "log"}), "momentum: unknown key 'low'"),
        (changed(momentum={"p": [5, None]}), "only with the law uniform_qop"),
        (changed(momentum={"p": [5, float("inf")]}), "momentum.p"),
        (changed(start={"x": [1, -1]}), r"start.x: expected low < high"),
        (changed(start={"slope": 1}), "start: unknown key 'slope'"),
        (changed(start={"kind": "ball"}), "start: "),
        (changed(field={"kind": "lhc"}), "field.kind: expected a field out of .*; did you mean 'lhcb'"),
        (changed(field={"polarity": "up"}), "field.polarity"),
        (changed(length={"planes": ["mid_t"]}), "length: expected either dz or planes"),
        (changed(length={"dz": 0}), "length: dz: expected distances above 0 mm"),
        (changed(length={"dz": None, "planes": ["mid_tee"]}), "did you mean 'mid_t'"),
        (changed(length={"dz": None, "planes": []}), "at least one plane"),
        (changed(length={"dz": 2e5}), "within"),
        (
            changed(start={"z": [0, 9000]}, length={"dz": None, "planes": ["mid_t"]}),
            "expected a plane beyond every start",
        ),
        (changed(keep={"x": -1}), "keep.x"),
        (changed(nme="a"), "unknown key 'nme'; did you mean 'name'"),
        (
            PLAIN | {"start": {"kind": "acceptance", "eta": [5, 2], "z": 10}},
            r"start.eta: expected low < high",
        ),
        (PLAIN | {"start": {"kind": "displaced", "eta": [0.1, 2], "z": 10}}, "pseudorapidities of at least 0.2"),
    ],
)
def test_mistakes_are_named_with_their_place(content, said):
    with pytest.raises(ConfigError, match=said):
        load_track_recipe(content)


def test_names_and_files(tmp_path):
    with pytest.raises(ConfigError, match="did you mean 'protocol'"):
        load_track_recipe("protocoll")
    file = tmp_path / "mine.yaml"
    file.write_text("[1, 2]")
    with pytest.raises(ConfigError, match="expected a mapping"):
        load_track_recipe(file)
    file.write_text(json.dumps(PLAIN))
    assert load_track_recipe(file).name == "mine"


def test_a_setting_that_the_field_does_not_take():
    recipe = load_track_recipe(PLAIN | {"field": {"kind": "uniform", "settings": {"bq": 1}}})
    with pytest.raises(ConfigError, match="bq"):
        recipe.field.make()


def test_another_lhcb_field():
    terms = [[0.5, 5000.0, 500.0], [-0.5, 6000.0, 500.0]]
    field = load_track_recipe(PLAIN | {"field": {"kind": "lhcb", "settings": {"terms": terms}}}).field.make()
    assert field == magnetic_field("lhcb", terms=tuple(map(tuple, terms)))


def test_the_map_lies_beside_the_recipe(tmp_path):
    axis = np.linspace(-2000.0, 2000.0, 3)
    write_grid(magnetic_field("uniform", by=0.1), tmp_path / "map.npz", axis, axis, axis)
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(json.dumps(PLAIN | {"field": {"kind": "grid", "settings": {"file": "map.npz"}}}))
    assert load_track_recipe(recipe).field.make()(0.0, 0.0, 0.0)[1] == pytest.approx(0.1)
    recipe.write_text(json.dumps(PLAIN | {"field": {"kind": "grid", "settings": {"file": "none.npz"}}}))
    with pytest.raises(InputError, match=r"none\.npz"):
        load_track_recipe(recipe).field.make()

"""Recipe files: the shipped ones work, mistakes are named with the path of the key."""

import json

import numpy as np
import pytest

from lamarrpy.errors import ConfigError, OutputError
from lamarrpy.generate import GENERATORS, generate, load_recipe, shipped_recipes
from lamarrpy.generate.batch import rounded
from lamarrpy.generate.output import generate_file, provenance
from lamarrpy.io import read_batch
from lamarrpy.tables import EventBatch


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_shipped_recipes_load_by_name_and_by_path(name):
    recipe = load_recipe(name)
    assert recipe == load_recipe(shipped_recipes()[name])
    assert recipe.description
    assert isinstance(recipe, GENERATORS[recipe.kind])


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_a_recipe_survives_its_provenance(name):
    recipe = load_recipe(name)
    written = json.loads(json.dumps(recipe.model_dump(mode="json", exclude_unset=True)))
    assert load_recipe(written) == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: particle_gan", "'kind' out of particle_gun, .*did you mean 'particle_gun'"),
        ("species: {}", "'kind' out of"),
        ("- a", "expected a mapping"),
        ("kind: [", "expected YAML"),
        ("kind: particle_gun\nkind: pythia8", "'kind' stands twice"),
        (
            "kind: decay_gun\ndecay: B0 -> K+ pi-\nprimary_vertices: {yaer: 2016}",
            "primary_vertices: unknown key 'yaer'",
        ),
        ("kind: decay_gun\ndecay: B0 -> K+ pi-\neta: {kind: uniform, low: 2}", "missing key 'eta.high'"),
        ("kind: particle_gun", "missing key 'species'"),
    ],
)
def test_mistakes_are_named(tmp_path, text, message):
    file = tmp_path / "recipe.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_recipe(file)


def test_unknown_recipes():
    with pytest.raises(ConfigError, match=r"shipped recipe .*did you mean 'gun'"):
        load_recipe("gunn")


@pytest.mark.parametrize("wrong", [{"events": -1}, {"first_event": -1}, {"chunk_events": 0}])
def test_senseless_numbers(wrong):
    with pytest.raises(ConfigError, match="negative"):
        generate("gun", **({"events": 1} | wrong))


def test_rounding():
    values = np.array([0.0, 1.0, -np.pi, 1e-300, 123456.789])
    assert rounded(values, 53).tolist() == values.tolist()
    in_range = values[abs(values) != 1e-300]
    assert rounded(in_range, 24).tolist() == in_range.astype(np.float32).astype(float).tolist()
    coarse = next(generate({**load_recipe("lb_lcmunu").model_dump(exclude_unset=True), "significant_bits": 12}, 5))
    px = coarse.array("particles", "px")
    assert (rounded(px, 12) == px).all()


@pytest.mark.parametrize("name", ["events", "events.root", "events.db"])
def test_events_written_are_the_events_generated(tmp_path, name):
    recipe, seen = load_recipe("lb_lcmunu"), []
    rows = generate_file(tmp_path / name, recipe, 25, 4, chunk_events=10, progress=seen.append)
    assert rows == {"events": 25, "vertices": 25, "particles": 175}
    assert seen == [10, 10, 5]
    got, expected = read_batch(tmp_path / name), EventBatch.concat(list(generate(recipe, 25, 4)))
    for table in expected:
        for column in expected[table].column_names:
            assert (got.array(table, column) == expected.array(table, column)).all()


def test_one_file_holds_the_particles(tmp_path):
    import pyarrow.parquet as pq

    file = tmp_path / "particles.parquet"
    recipe = load_recipe("lb_lcmunu")
    assert generate_file(file, recipe, 5) == {"particles": 35}
    written = json.loads(pq.read_schema(file).metadata[b"lamarrpy"])
    assert written == json.loads(json.dumps(provenance(recipe, 5, 0)))
    assert pq.read_schema(file).field("px").metadata[b"unit"] == b"MeV"


def test_one_file_refuses_events_that_it_would_lose(tmp_path):
    recipe = load_recipe(
        {"kind": "particle_gun", "species": {"mu+": 1}, "p": 1e4, "eta": 3, "particles_per_event": {"poisson": 0.5}}
    )
    with pytest.raises(OutputError, match="events without particles"):
        generate_file(tmp_path / "particles.parquet", recipe, 50)
    assert list(tmp_path.iterdir()) == []

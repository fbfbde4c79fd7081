"""The particle gun shoots what its recipe says, the same for any grouping of events."""

import numpy as np
import pytest

from lamarrpy.errors import ConfigError
from lamarrpy.generate import generate, load_recipe
from lamarrpy.tables import EventBatch, generator_level

RECIPE = {
    "kind": "particle_gun",
    "species": {"pi+": 3, "K-": 1},
    "particles_per_event": {"poisson": 5},
    "pt": {"kind": "exponential", "mean": 1000},
    "eta": {"kind": "uniform", "low": 2, "high": 5},
    "z": {"kind": "exponential", "mean": 10},
    "window": {"p": [2000, 100000], "pt": [300, 20000]},
    "primary_vertices": {"further_collisions": 0.5},
}


def shoot(recipe, events, seed=1, **how):
    return EventBatch.concat(list(generate(recipe, events, seed, **how)))


def test_species_numbers_and_window():
    batch = shoot(RECIPE, 20_000)
    pid, px, py, pz = batch.arrays("particles", "pid", "px", "py", "pz")
    assert len(pid) / 20_000 == pytest.approx(5, rel=0.01)
    assert set(np.unique(pid).tolist()) == {-321, 211}
    assert (pid == 211).mean() == pytest.approx(0.75, abs=0.01)
    pt = np.hypot(px, py)
    p = np.hypot(pt, pz)
    assert p.min() >= 2000 * (1 - 1e-12)
    assert p.max() <= 100_000 * (1 + 1e-12)
    assert pt.min() >= 300 * (1 - 1e-12)
    assert abs(np.arctan2(py, px).mean()) < 0.03


def test_origins_relative_to_the_first_vertex():
    batch = shoot(RECIPE, 5000)
    first = batch.array("vertices", "vertex_id") == 0
    position = dict(
        zip(batch.array("vertices", "event_id")[first], batch.array("vertices", "true_z")[first], strict=True)
    )
    event, x, z = batch.arrays("particles", "event_id", "x", "z")
    dz = z - np.array([position[e] for e in event])
    assert dz.min() >= 0
    assert dz.mean() == pytest.approx(10, rel=0.05)
    assert x.std() == pytest.approx(0.029, rel=0.1)
    assert (batch.array("particles", "vertex_id") == 0).all()


def test_momentum_spectrum_of_p():
    recipe = {
        "kind": "particle_gun",
        "species": {13: 1},
        "p": {"kind": "log_uniform", "low": 1000, "high": 100000},
        "eta": 3.0,
    }
    px, py, pz = shoot(recipe, 20_000).arrays("particles", "px", "py", "pz")
    p = np.sqrt(px**2 + py**2 + pz**2)
    assert np.log(p).mean() == pytest.approx(np.log(1e4), abs=0.03)
    assert np.arctanh(pz / p) == pytest.approx(np.full(len(p), 3.0))


@pytest.mark.parametrize("name", ["gun", "lb_lcmunu"])
def test_chunks_and_starting_points_change_nothing(name):
    whole = shoot(name, 101, chunk_events=1000)
    for pieces in (
        list(generate(name, 101, 1, chunk_events=7)),
        [*generate(name, 50, 1), *generate(name, 51, 1, first_event=50, chunk_events=13)],
    ):
        for table in whole:
            assert EventBatch.concat(pieces)[table].equals(whole[table])


def test_seeds_give_other_events():
    a, b = (shoot("gun", 5, seed).array("particles", "px") for seed in (1, 2))
    assert not np.isin(a, b).any()


def test_tables_have_the_generator_level_columns():
    batch = shoot(RECIPE, 3)
    for table in ("events", "vertices", "particles"):
        assert batch[table].schema.equals(generator_level(table).arrow)


def test_events_without_particles_stay():
    batch = shoot(RECIPE | {"particles_per_event": {"poisson": 0.2}}, 200)
    assert batch["events"].num_rows == 200
    assert len(np.unique(batch.array("particles", "event_id"))) < 100


def test_the_shipped_gun_is_realistic():
    batch = shoot("gun", 2000)
    pid, px, py, pz = batch.arrays("particles", "pid", "px", "py", "pz")
    assert len(pid) == 40 * 2000
    pt = np.hypot(px, py)
    p, eta = np.hypot(pt, pz), np.arcsinh(pz / pt)
    assert p.min() >= 999.9
    assert eta.min() >= 1.59
    assert eta.max() <= 5.21
    # of charged particles with p > 2 GeV and 2 < eta < 5 in LHCb events (fact sheet, section 8)
    hard = (p > 2000) & (eta > 2) & (eta < 5)
    assert np.quantile(p[hard], [0.05, 0.5, 0.9]) == pytest.approx([2.4e3, 7.7e3, 29e3], rel=0.2)
    assert np.quantile(pt[hard], [0.25, 0.5, 0.75]) == pytest.approx([270, 480, 860], rel=0.15)
    assert (abs(pid) == 211).mean() == pytest.approx(0.74, abs=0.01)
    assert (abs(pid) == 321).mean() == pytest.approx(0.117, abs=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p": 1000}, "either p or pt"),
        ({"eta": None}, "expected spectra of eta"),
        ({"species": {"pi+": -1, "K+": 3}}, "shares that are not negative"),
        ({"species": {"pion": 1}}, "got 'pion'"),
        ({"species": {999999: 1}}, "got '999999'"),
        ({"particles_per_event": -1}, "0 to 10000"),
        ({"windw": {}}, "unknown key 'windw'; did you mean 'window'"),
        ({"window": {"pT": [0, 1]}}, "window: unknown key 'pT'; did you mean 'pt'"),
    ],
)
def test_senseless_recipes_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        load_recipe(RECIPE | change)


def test_a_window_that_is_never_hit_is_an_error():
    with pytest.raises(ConfigError, match="window"):
        shoot(RECIPE | {"window": {"p": [1.0, 2.0]}}, 1)

from __future__ import annotations

import numpy as np
import pytest
from photon_models import LEARNED, particles, photon_events, write_efficiency, write_resolution

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError, SchemaError
from lamarrpy.shipped import shipped
from lamarrpy.stages.calorimeter_front import energy_resolution
from lamarrpy.stages.photon_conditions import conditions as known
from lamarrpy.stages.photon_conditions import photons
from lamarrpy.stages.photon_efficiency import PhotonEfficiency, can_be_found
from lamarrpy.stages.photon_resolution import PROBABILITIES, PhotonResolution, conditions, physical, targets
from lamarrpy.testing import check_stage
from lamarrpy.yaml_file import read_yaml


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_efficiency(folder, lost_below=300.0)
    return write_resolution(folder)


def with_clusters(batch, models):
    stage = PhotonEfficiency(models=models)
    return stage(batch, Draws(1, stage.name))


def run(batch, models):
    stage = PhotonResolution(models=models)
    return stage(with_clusters(batch, models), Draws(1, stage.name))


def drawn(n, seed=1):
    """Answers of a model at random."""
    random = np.random.default_rng(seed)
    learned = {name: 3.0 * random.normal(size=n) for name in LEARNED}
    learned["energy"] = random.uniform(0.0, 1.0, n)
    return learned | {name: random.uniform(-1.0, 1.0, n) for name in ("right", "above")}


def test_conformance(models):
    check_stage(PhotonResolution(models=models), with_clusters(photon_events(), models))


def test_a_missing_model_is_told_at_once(models):
    with pytest.raises(ConfigError, match="photon"):
        PhotonResolution(version="by hand", models=models)


def test_a_cluster_of_no_photon_is_told(models):
    batch = with_clusters(photon_events(), models)
    elsewhere = batch.with_columns(
        PhotonResolution(models=models).reads["particles"].only("pid"),
        {"pid": np.full(batch["particles"].num_rows, 2112, np.int32)},
    )
    stage = PhotonResolution(models=models)
    with pytest.raises(SchemaError, match="photons that end on the calorimeter"):
        stage(elsewhere, Draws(1, stage.name))


def test_what_holds_by_construction():
    """Within the Moliere radius and two standard deviations of the energy, which is positive; 0 to 1."""
    _, columns = photons(photon_events(events=60))
    hard = can_be_found(known(columns))
    columns = {name: values[hard] for name, values in columns.items()}
    made = physical(drawn(len(columns["p"])), columns)
    apart = np.hypot(made["x"] - columns["ecal_x"], made["y"] - columns["ecal_y"])
    assert (apart <= 35.0 + 1e-9).all()
    assert (made["e"] > 0.0).all()
    window = 2.0 * energy_resolution(columns["p"]) * (1.0 + 1e-12)
    assert (made["e"] <= columns["p"] + window).all()
    assert (made["e"] >= columns["p"] - window).all()
    for name in PROBABILITIES:
        assert ((made[name] >= 0.0) & (made[name] <= 1.0)).all()


def test_what_is_learned_gives_the_measurement_back():
    _, columns = photons(photon_events())
    learned = drawn(len(columns["p"]))
    made = physical(learned, columns)
    measured = {f"cluster_{name}": made[name] for name in ("x", "y", "e")} | {
        name: made[name] for name in PROBABILITIES
    }
    again = targets(columns | measured)
    for name in LEARNED:
        np.testing.assert_allclose(again[name], learned[name], rtol=1e-6, atol=1e-8, err_msg=name)


def test_sure_classifiers_have_finite_logits():
    _, columns = photons(particles(([500.0], [500.0]), [5e3]))
    at = {"cluster_x": np.array([500.0]), "cluster_y": np.array([500.0]), "cluster_e": np.array([5e3])}
    for sure in (0.0, 1.0):
        learned = targets(columns | at | {name: np.array([sure]) for name in PROBABILITIES})
        assert all(np.isfinite(values).all() for values in learned.values())


def test_a_mirrored_photon_has_a_mirrored_cluster():
    _, columns = photons(photon_events())
    learned = drawn(len(columns["p"]))
    flipped = columns | {"ecal_x": -columns["ecal_x"]}
    one, other = physical(learned, columns), physical(learned, flipped)
    np.testing.assert_allclose(other["x"], -one["x"], rtol=1e-12)
    np.testing.assert_allclose(other["y"], one["y"], rtol=1e-12)


def test_every_cluster_is_measured(models):
    batch = run(photon_events(), models)
    x, of_cluster, of_event = batch.arrays("clusters", "x", "particle_id", "event_id")
    event, particle, ecal_x, found = batch.arrays("particles", "event_id", "particle_id", "ecal_x", "cluster_type")
    own = {(e, p): at for e, p, at in zip(event[found > 0], particle[found > 0], ecal_x[found > 0], strict=True)}
    expected = np.array([own[key] for key in zip(of_event, of_cluster, strict=True)])
    assert len(x) > 100
    assert (np.abs(x - expected) <= 35.0).all()
    assert np.std(x - expected) > 1.0


def test_beyond_what_was_trained(models):
    """These models have seen up to 40 GeV."""
    batch = run(particles(([500.0] * 2, [500.0] * 2), [3.9e4, 4.1e4], event_id=[0, 1]), models)
    assert batch.array("clusters", "outside_photon_resolution").tolist() == [False, True]


@pytest.mark.parametrize("name", ["recipe", "gan"])
def test_conditions_are_those_of_the_recipes(name):
    recipe = read_yaml(shipped("models", "photon_resolution", f"{name}.yaml"))
    _, columns = photons(photon_events())
    seen = conditions(columns | {"cluster_type": np.ones(len(columns["p"]), np.int32)})
    assert set(recipe["conditions"]) == set(seen)
    assert set(recipe["targets"]) == set(LEARNED)

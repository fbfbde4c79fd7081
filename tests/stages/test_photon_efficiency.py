from __future__ import annotations

import numpy as np
import pytest
from photon_models import Z, particles, photon_events, write_efficiency

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.shipped import shipped
from lamarrpy.stages.calorimeter_front import calorimeter
from lamarrpy.stages.photon_conditions import close_pairs, photons
from lamarrpy.stages.photon_conditions import conditions as known
from lamarrpy.stages.photon_efficiency import CONDITIONS, PhotonEfficiency, can_be_found, conditions, targets
from lamarrpy.testing import check_stage
from lamarrpy.yaml_file import read_yaml


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return write_efficiency(tmp_path_factory.mktemp("models"))


def run(batch, models):
    stage = PhotonEfficiency(models=models)
    return stage(batch, Draws(1, stage.name))


def test_conformance(models):
    check_stage(PhotonEfficiency(models=models))
    check_stage(PhotonEfficiency(models=models), photon_events())


def test_a_missing_model_is_told_at_once(models):
    with pytest.raises(ConfigError, match="photon"):
        PhotonEfficiency(version="by hand", models=models)


def test_the_calorimeter_is_that_of_the_detailed_simulation():
    """Otherwise the models have to be trained again."""
    own = calorimeter()
    theirs = read_yaml(shipped("models", "detailed", "calorimeter", "calorimeter.yaml"))
    magnet = read_yaml(shipped("models", "detailed", "detector.yaml"))["magnet"]
    for name in ("z", "pixel", "hole", "regions"):
        assert own[name] == theirs["ecal"][name]["value"]
    assert own["matching"]["distance"] == theirs["profile"]["moliere_radius"]["value"]
    assert own["magnet"] == magnet["aperture"]["value"]
    assert own["softest"] == read_yaml(shipped("models", "detailed", "tuning.yaml"))["calo_seed_et"]["value"]


def test_who_ends_on_the_cells():
    """Those in the hole (323 x 242 mm) and beyond the edge (3878 x 3151 mm) do not; nor who is no undecayed photon."""
    x = np.array([0.0, 322.0, 324.0, 0.0, 3870.0, 3890.0, 0.0, 1e3, 1e3, 1e3])
    y = np.array([0.0, 0.0, 0.0, 244.0, 0.0, 0.0, 3160.0, 1e3, 1e3, 1e3])
    pid = np.array([22] * 8 + [2112, 22])
    batch = particles((x, y), 5e3, pid=pid, status=np.array([1] * 9 + [2]))
    rows, columns = photons(batch)
    assert rows.tolist() == [2, 3, 4, 7]
    np.testing.assert_allclose(columns["ecal_x"], x[rows])
    np.testing.assert_allclose(columns["ecal_y"], y[rows], atol=1e-9)
    np.testing.assert_allclose(columns["p"], 5e3)


def test_photons_from_behind_are_not_looked_at():
    behind = particles((np.full(2, 500.0), np.full(2, 500.0)), 5e3, z=np.array([9e3, Z + 10.0]))
    assert photons(behind)[0].tolist() == [0]


def test_a_cluster_for_each_reconstructed_photon(models):
    batch = run(photon_events(), models)
    in_ecal, kind, cluster = batch.arrays("particles", "in_ecal", "cluster_type", "cluster_id")
    assert 0 < np.count_nonzero(in_ecal) < len(in_ecal)
    assert (kind[~in_ecal] == 0).all()
    assert ((cluster >= 0) == (kind > 0)).all()
    event, particle = batch.arrays("particles", "event_id", "particle_id")
    found = kind > 0
    for name, column in (("event_id", event), ("particle_id", particle), ("cluster_id", cluster)):
        np.testing.assert_array_equal(batch.array("clusters", name), column[found])
    np.testing.assert_array_equal(batch.array("clusters", "cluster_type"), kind[found])


def test_a_hard_sibling_splits(models):
    """Photons 1 and 2 of one neutral pion, 3 of another; the model by hand splits with siblings above 10 GeV."""
    batch = particles(
        ([500.0] * 5, [500.0, 500.0, 540.0, 800.0, 500.0]),
        [2e4, 5e3, 2e4, 2e4, 2e4],
        pid=[111, 22, 22, 22, 111],
        status=[2, 1, 1, 1, 2],
        mother_id=[-1, 0, 0, 4, -1],
    )
    assert run(batch, models).array("particles", "cluster_type").tolist() == [0, 2, 1, 1, 0]


def test_softer_than_any_cluster(models):
    """ET = p sin theta: sin theta is 0.1 here, and below 50 MeV nothing is found."""
    radius = Z * np.tan(np.arcsin(0.1))
    batch = run(particles(([radius] * 2, [0.0] * 2), [499.0, 501.0]), models)
    assert batch.array("particles", "cluster_type").tolist() == [0, 1]


def test_beyond_what_was_trained(models):
    """These models have seen up to 40 GeV."""
    batch = run(particles(([500.0] * 2, [500.0] * 2), [3.9e4, 4.1e4]), models)
    assert batch.array("particles", "outside_photon_efficiency").tolist() == [False, True]


@pytest.mark.parametrize(("over", "axis"), [((-1.0, 1.0), "x"), ((1.0, -1.0), "y"), ((-1.0, -1.0), "xy")])
def test_mirrored_photons_are_told_the_same(over, axis):
    _, columns = photons(photon_events())
    flipped = dict(columns)
    for sign, letter in zip(over, "xy", strict=True):
        for name in (f"ecal_{letter}", f"t{letter}", letter):
            flipped[name] = sign * columns[name]
    own, other = known(columns), known(flipped)
    for name in own:
        np.testing.assert_allclose(own[name], other[name], rtol=1e-9, atol=1e-9, err_msg=name)


def test_light_of_others():
    """One photon as hard, half a cell of 121.2 mm to the right, in the same event, and one of another event."""
    at = np.array([2500.0, 2560.6, 2500.0])
    _, columns = photons(particles((at, np.full(3, 2000.0)), 5e3, event_id=[0, 0, 1]))
    seen = known(columns)
    np.testing.assert_allclose(seen["others_half"] - 1e-3, [np.exp(-0.5)] * 2 + [0.0])
    np.testing.assert_allclose(seen["others_two"] - 1e-3, [np.exp(-0.5 / 16)] * 2 + [0.0])
    pulled = 0.5 * np.exp(-0.5) / (1.0 + np.exp(-0.5))
    np.testing.assert_allclose(seen["pull_x"], [pulled, -pulled, 0.0])
    np.testing.assert_allclose(seen["pull_y"], 0.0, atol=1e-12)


def test_every_close_pair_is_found_twice():
    random = np.random.default_rng(3)
    event, ids = random.integers(0, 5, 200), np.arange(200)
    x, y = random.uniform(-1000.0, 1000.0, (2, 200))
    one, other = close_pairs(event, ids, x, y)
    near = (np.abs(x[:, None] - x) < 300.0) & (np.abs(y[:, None] - y) < 300.0) & (event[:, None] == event)
    np.fill_diagonal(near, False)
    assert len(one) == np.count_nonzero(near)
    assert near[one, other].all()
    assert len(set(zip(one.tolist(), other.tolist(), strict=True))) == len(one)


def test_a_shared_cluster_is_of_the_nearest():
    """Photons 0 and 1 are linked to cluster 7, which is nearer to 1; cluster 7 of another event is not the same."""
    columns = {
        "event_id": np.array([0, 0, 1, 0]),
        "particle_id": np.array([3, 4, 3, 5]),
        "cluster_id": np.array([7, 7, 7, -1]),
        "cluster_type": np.array([1, 1, 2, 0], np.int32),
        "ecal_x": np.array([100.0, 120.0, 100.0, 0.0]),
        "ecal_y": np.zeros(4),
        "cluster_x": np.array([115.0, 115.0, 100.0, np.nan]),
        "cluster_y": np.array([0.0, 0.0, 0.0, np.nan]),
    }
    assert targets(columns)["cluster_type"].tolist() == [0, 1, 2, 0]


def test_conditions_are_those_of_the_recipe():
    recipe = read_yaml(shipped("models", "photon_efficiency", "recipe.yaml"))
    assert set(recipe["conditions"]) == set(CONDITIONS)
    _, columns = photons(photon_events())
    told = conditions(columns)
    assert set(told) == set(CONDITIONS)
    assert can_be_found(told).tolist() == (told["et"] >= 50.0).tolist()

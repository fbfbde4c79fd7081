"""Likelihoods of tracks and classifiers of clusters: they tell what they should, and damaged files are refused."""

import json

import numpy as np
import pytest
from calo_guns import at_ecal, no_tracks, over_region, tracks_of

from lamarrpy.detailed.calorimeter import charged_dlls, identify_clusters, observe
from lamarrpy.detailed.calorimeter.likelihoods import DLLS, TABLES, Observable, Table, load_tables
from lamarrpy.draws import Draws
from lamarrpy.errors import ArtifactError
from lamarrpy.parameterization.manifest import digest
from lamarrpy.shipped import shipped


def dlls(pid, p=1e4, n=800):
    arrivals = at_ecal(*over_region(n, 1), p, pid)
    paths = tracks_of(arrivals)
    return charged_dlls(observe(arrivals, paths, np.arange(n), Draws(1)), paths)


def test_electrons_are_electrons_and_muons_muons():
    electrons, muons, pions = (dlls(pid) for pid in (11, 13, 211))
    for name in ("ecal_pid_e", "prs_pid_e", "hcal_pid_e"):
        assert np.median(electrons[name]) > 0.5
        assert np.median(pions[name]) < np.median(electrons[name]) - 1.0
    for name in ("ecal_pid_mu", "hcal_pid_mu"):
        assert np.median(muons[name]) > 0.2
        assert np.mean(pions[name]) < np.mean(muons[name]) - 0.5


def test_nothing_is_said_of_tracks_that_do_not_get_there():
    arrivals = at_ecal([9e3], [0.0], 1e4, 211)
    paths = tracks_of(arrivals)
    found = charged_dlls(observe(arrivals, paths, np.arange(1), Draws(1)), paths)
    assert set(found) == set(DLLS)
    assert all(values.tolist() == [0.0] for values in found.values())


def test_tables_are_linear_between_their_points():
    table = Table(np.log(np.array([1e3, 1e4])), np.array([0.0, 1.0, 2.0]), np.arange(6.0).reshape(1, 2, 3))
    seen = Observable(np.ones(3, bool), np.array([0.5, 2.0, 9.0]), np.zeros(3, np.int64))
    assert table(np.array([1e3, 1e4, 1e9]), seen) == pytest.approx([0.5, 5.0, 5.0])


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text["tables"]["brem_pid_e"]["dll"][0][0].__setitem__(0, 9.0),
        lambda text: text.pop("sha256"),
        lambda text: text["tables"].pop("brem_pid_e") and text.update(sha256=digest(text["tables"])),
    ],
)
def test_damaged_tables_are_refused(tmp_path, damage):
    text = json.loads((shipped("models", "detailed", "calorimeter") / TABLES).read_text())
    damage(text)
    (tmp_path / TABLES).write_text(json.dumps(text))
    with pytest.raises(ArtifactError, match=r"make_tables\.py"):
        load_tables(tmp_path / TABLES)


def test_missing_tables_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match="expected tables"):
        load_tables(tmp_path / TABLES)


def test_classifiers_know_photons_from_hadrons():
    n = 600
    x, y = over_region(n, 1)
    found = {}
    for pid in (22, 211):
        got = identify_clusters(observe(at_ecal(x, y, 8e3, pid), no_tracks(), np.arange(n), Draws(1)))
        assert all(((v >= 0.0) & (v <= 1.0)).all() for v in got.values())
        found[pid] = got
    assert set(found[22]) == {"photon_id", "is_not_e", "is_not_h"}
    assert np.median(found[22]["is_not_h"]) > np.median(found[211]["is_not_h"]) + 0.2
    assert np.median(found[22]["photon_id"]) > np.median(found[211]["photon_id"]) + 0.1


def test_no_clusters_no_answers():
    answer = observe(at_ecal([], [], []), no_tracks(), np.arange(2), Draws(1))
    assert all(len(values) == 0 for values in identify_clusters(answer).values())

from __future__ import annotations

import numpy as np
import pytest
from untrained import track_batch, track_columns, untrained_generator

from lamarrpy.detailed.calorimeter.likelihoods import DLLS, Observable, shipped_tables
from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.stages.calorimeter_likelihoods import UNITS, likelihood, scaled, unmatched
from lamarrpy.stages.global_pid import PARTS, WRITES, GlobalPid
from lamarrpy.stages.identification import CALORIMETER, LOG_RATIOS, STORED, conditions, physical, targets
from lamarrpy.stages.track_end import Way, calorimeter_frames
from lamarrpy.testing import check_stage


def rows(is_muon):
    columns = track_columns()
    return {name: values[columns["is_muon"] == is_muon] for name, values in columns.items()}


def made_up(is_muon, seed=4):
    """What is learned of tracks, and all columns of the same tracks; energies are none now and then."""
    columns, random = rows(is_muon), np.random.default_rng(seed)
    n = len(columns["p"])
    said = {name: np.where(random.random(n) < 0.2, 0.0, random.uniform(0.1, 4.0, n)) for name in CALORIMETER}
    inside = random.random(n) < 0.8
    before = Way(*(columns[name] for name in ("z", "x", "y", "tx", "ty")))
    said["cell"] = np.where(inside, said["cell"], -1.0)
    said["ps"], said["match"] = (np.where(inside, said[name], 0.0) for name in ("ps", "match"))
    said["hcal"] = np.where(random.random(n) < 0.8, said["hcal"], -1.0)
    said["brem"] = np.where(before.depth(calorimeter_frames()[0]) >= 0.0, said["brem"], -1.0)
    said |= {name: random.normal(0.0, 1.5, n) for name in LOG_RATIOS[is_muon]}
    energies = {f"{'ecal' if name == 'cell' else name}_e": UNITS[name] * np.expm1(said[name]) for name in UNITS}
    return said, columns | energies | {"in_calo": inside} | physical(said, columns, is_muon)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    for number, ((_, is_muon), part) in enumerate(PARTS.items()):
        path = models / "global_pid" / part / "distilled"
        learned = (*CALORIMETER, *LOG_RATIOS[is_muon])
        untrained_generator(path, conditions(rows(is_muon), is_muon), learned, low=-50.0, high=50.0, seed=number)
    return str(models)


@pytest.fixture(scope="module")
def identified(folder):
    batch = track_batch()
    return GlobalPid(models=folder)(batch, Draws(1, "global_pid"))


def test_conformance(folder):
    check_stage(GlobalPid(models=folder), track_batch())


def test_a_missing_model_is_told_at_once(folder):
    with pytest.raises(ConfigError, match="muon"):
        GlobalPid(version="by hand", models=folder)


def test_electrons_come_out_without(identified):
    flag = identified.array("tracks", "identified")
    assert not flag.all()
    for name in WRITES:
        valid = identified.array("tracks", "is_muon") if name == "prob_nn_mu" else flag
        np.testing.assert_array_equal(np.isfinite(identified.array("tracks", name)), valid)


def test_only_the_rich_tells_kaons_and_protons_from_pions(identified):
    for h in ("k", "p"):
        own = identified.array("tracks", "identified")
        np.testing.assert_array_equal(*(identified.array("tracks", f"{of}_dll_{h}")[own] for of in ("comb", "rich")))


def test_probabilities_are_shares_of_one(identified):
    own = identified.array("tracks", "identified")
    share = np.array([np.nan_to_num(identified.array("tracks", f"prob_nn_{h}")[own]) for h in STORED[True]])
    assert (share >= 0.0).all()
    assert (share.sum(axis=0) <= 1.0 + 1e-12).all()
    assert share.sum(axis=0).min() < 0.5  # something is left for ghosts


@pytest.mark.parametrize("is_muon", [False, True])
def test_what_is_learned_is_found_in_the_columns(is_muon):
    said, columns = made_up(is_muon)
    learned = targets(columns, is_muon)
    assert set(learned) == set(said)
    for name, values in learned.items():
        np.testing.assert_allclose(values, said[name], atol=1e-5, err_msg=name)
        if name in CALORIMETER:
            for mass in (0.0, -1.0):
                np.testing.assert_array_equal(values == mass, said[name] == mass, name)


def test_calorimeters_that_see_nothing_add_nothing():
    columns = rows(False)
    n = len(columns["p"])
    said = {name: np.full(n, -1.0 if name in ("cell", "hcal", "brem") else 0.0) for name in CALORIMETER}
    found = physical(said | {name: np.zeros(n) for name in LOG_RATIOS[False]}, columns, False)
    for h in ("e", "mu"):
        np.testing.assert_array_equal(found[f"comb_dll_{h}"], columns[f"rich_dll_{h}"])


def test_likelihoods_are_those_of_the_detailed_simulation():
    """Otherwise the models have to be trained again."""
    random = np.random.default_rng(3)
    p, energy = np.exp(random.uniform(6.0, 13.0, 3000)), random.exponential(3000.0, 3000) - 100.0
    one, known = np.zeros(3000, np.int64), np.ones(3000, bool)
    for name, (observable, _) in DLLS.items():
        table = shipped_tables()[name]
        if observable == "ecal":
            own, theirs = unmatched(p), table(p, Observable(known, np.zeros(3000), one + 2))
        else:
            value = scaled(energy, observable)
            own, theirs = likelihood(name, p, value), table(p, Observable(known, value, one))
        np.testing.assert_array_equal(own, theirs, name)


@pytest.mark.parametrize("is_muon", [False, True])
def test_probabilities_that_float32_has_rounded_away_can_be_learned(is_muon):
    _, columns = made_up(is_muon)
    for h in STORED[is_muon]:
        columns[f"prob_nn_{h}"] = np.full(len(columns["p"]), float(h == "k"))
    assert all(np.isfinite(values).all() for values in targets(columns, is_muon).values())


def test_ratios_of_any_size_make_shares():
    columns = rows(False)
    said = {name: np.full(len(columns["p"]), 0.0) for name in CALORIMETER}
    said |= dict(zip(LOG_RATIOS[False], np.full((4, len(columns["p"])), 900.0), strict=True))
    found = physical(said, columns, False)
    assert found["prob_nn_pi"].max() == 0.0
    np.testing.assert_allclose(found["prob_nn_k"], 0.25)

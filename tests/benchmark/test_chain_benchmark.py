"""The benchmark of the trained chain: what is compared with what, its figures, and that every check is documented."""

import re
from pathlib import Path

import numpy as np
import pytest

from lamarrpy.benchmark.chain import checks, classified, columns, comparing, cuts, resolution, sample, truth, whole
from lamarrpy.benchmark.chain.figures import FLASH, IDEAL, Figure, tell
from lamarrpy.benchmark.chain.generated import GENERATED, generated_figures, part_figures
from lamarrpy.benchmark.running import repeat
from lamarrpy.detailed.report.columns import Columns
from lamarrpy.detailed.simulation import DetailedSimulation
from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.io import read_batch
from lamarrpy.pipeline import load_pipeline
from lamarrpy.shipped import shipped

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A few collisions, as the benchmark takes them."""
    folder = tmp_path_factory.mktemp("chain") / "events"
    repeat(shipped("data", "bbbar_pythia8.parquet"), folder, 1, first_event=sample.FIRST)
    whole_sample = read_batch(folder)
    return whole_sample.select_events(np.sort(whole_sample.array("events", "event_id"))[:6])


@pytest.fixture(scope="module")
def twice(generated):
    """Two Detailed Simulations of them."""
    batches = [truth.with_true_conditions(DetailedSimulation()(generated, seed)[0]) for seed in (1, 2)]
    return truth.Truth(*batches, batches[0].array("events", "event_id"))


@pytest.fixture(scope="module")
def stages():
    return {stage.name: stage for stage in load_pipeline("parametric").stages}


def test_events_have_numbers_of_their_own(generated):
    assert generated.array("events", "event_id").min() >= sample.FIRST
    plans = sample._plans(quick=False)
    first = [plan.first for plan in plans]
    assert len({plan.name for plan in plans}) == len(plans) == len(set(first))
    assert all(number % 2 == 0 for number in first)  # a repeated event stays on its side of the halves


def test_true_conditions_are_those_of_the_detailed_simulation(twice):
    batch = twice.first
    tracks = columns.of_tracks(batch)
    assert tracks.rows > 100
    assert set(whole.VARIABLES) <= set(tracks)
    assert np.abs(tracks["dx"][tracks["track_type"] == 3]).max() < 5.0
    assert all(np.abs(tracks[name]).max() < 1.0 for name in columns.CORRELATIONS)
    particles = columns.of_particles(batch)
    assert np.isfinite(batch.array("particles", "x_mid_tt")[batch.array("particles", "reaches_mid_tt")]).all()
    assert np.count_nonzero(particles["track_type"]) == tracks.rows
    photons = columns.of_photons(batch)
    found = photons["cluster_type"] > 0
    assert 0 < found.sum() < photons.rows
    assert np.array_equal(found, np.isfinite(photons["cluster_dx"]))
    assert np.median(np.abs(photons["cluster_de_over_e"][found])) < 0.3


@pytest.mark.parametrize("name", ["efficiency", "resolution", "is_muon", "occupancy"])
def test_a_stage_is_asked_without_its_answers(twice, stages, name):
    stage = stages[name]
    before = truth.without(twice.first, stage)
    for table, schema in stage.writes.items():
        there = before[table].column_names if table in before else []
        assert not set(schema.names) - {"event_id", "particle_id"} & set(there)
    after = stage(before, Draws(1, name))
    assert all(table in after for table in stage.writes)


def test_each_kind_of_stage_has_figures(twice, stages):
    figures, lines = generated_figures(stages["resolution"], twice, quick=True)
    found = {figure.name: figure.values for figure in figures}
    assert found["resolution.ks"][FLASH] > found["resolution.ks"][IDEAL]
    assert lines == ["resolution: no trained models, by closed formula"]
    names = {figure.name for figure in classified.classified_figures(stages["is_muon"], twice, quick=True)}
    assert {"is_muon.auc.pion", "is_muon.spectrum.kaon.yes.p", "is_muon.calibration_slope.muon"} <= names


def _tracks(rows: int, width: float, seed: int) -> Columns:
    """Made-up Long pions whose residuals are so many uncertainties wide."""
    random = np.random.default_rng(seed)
    known = {"track_type": np.full(rows, 3), "species": np.full(rows, 211), "event_id": np.arange(rows)}
    known |= {name: random.uniform(1.0, 2.0, rows) for name in ("true_pt", "true_phi", "true_p", "true_eta")}
    known |= {name: width * random.normal(size=rows) for name in ("dx", "dy", "dtx", "dty", "dqop", "dp_over_p")}
    return Columns(known | {f"sigma_{name}": np.ones(rows) for name in ("x", "y", "tx", "ty", "qop")})


def test_pulls_and_resolutions_are_those_of_the_residuals():
    pairs = {FLASH: (_tracks(20_000, 1.0, 1), _tracks(20_000, 1.2, 2)), IDEAL: (_tracks(20_000, 1.0, 1),) * 2}
    found = {f.name: f for f in (*resolution.pull_figures(pairs), *resolution.resolution_figures(pairs))}
    assert found["chain.pull_width.long.x"].values[FLASH] == pytest.approx(1.2, abs=0.03)
    assert found["chain.pull_ratio.long.tx"].values[IDEAL] == 1.0
    assert found["chain.pull_width.upstream.x"].values[FLASH] is None
    assert found["chain.resolution.long.y"].values[FLASH] > 1.3
    assert found["chain.resolution.long.y"].values[IDEAL] == 0.0
    assert found["chain.resolution.long.p.phi"].values[FLASH] > 1.0


def test_cuts_are_looked_at_in_bins():
    random, n = np.random.default_rng(1), 20_000
    tracks = {"p": random.uniform(2e3, 1e5, n), "species": np.full(n, 321), "rich_dll_k": random.normal(size=n)}
    worse = np.where(tracks["p"] > 8e4, tracks["rich_dll_k"] - 0.5, tracks["rich_dll_k"])
    pairs = {FLASH: (Columns(tracks), Columns({**tracks, "rich_dll_k": worse})), IDEAL: (Columns(tracks),) * 2}
    found = {figure.name: figure.values for figure in cuts.cut_figures(pairs)}
    assert found["chain.cut.rich_dll_k_above_0"][FLASH] > 3.0
    assert found["chain.cut.rich_dll_k_above_0.kaon"][FLASH] > 3.0
    assert found["chain.cut.rich_dll_k_above_0"][IDEAL] == 0.0
    assert found["chain.cut.prob_nn_p_above_50"][FLASH] is None


def _drawn(slope: float, shift: float = 0.0) -> classified._Compared:
    """Decisions whose logits are wrong by so much."""
    random, n = np.random.default_rng(5), 60_000
    logit = random.normal(0.0, 1.5, n)
    rows = Columns({"p": random.uniform(1.0, 2.0, n), "eta": logit, "yes": random.random(n) < 1 / (1 + np.exp(-logit))})
    said = 1.0 / (1.0 + np.exp(-(slope * logit + shift)))
    return classified._Compared(rows, (random.random((20, n)) < said).astype(np.int64))


def test_shares_are_judged_from_drawn_decisions():
    assert classified._line(_drawn(1.0), "yes", 1).slope == pytest.approx(1.0, abs=0.03)
    assert classified._line(_drawn(1.25), "yes", 1).slope == pytest.approx(0.8, abs=0.04)
    assert classified._excess(_drawn(1.0), "yes", 1, "eta") < 1.1
    assert classified._excess(_drawn(1.0, 0.3), "yes", 1, "eta") > 1.5


def test_the_error_of_a_difference_is_what_it_fluctuates_by():
    random, n, p = np.random.default_rng(2), 400, 0.3
    differences, variances = [], []
    for _ in range(300):
        true, said = random.random(n) < p, random.random((4, n)) < p
        differences.append(said.mean(axis=0).sum() - true.sum())
        variances.append(classified._variance(true, said, False).sum())
    assert np.mean(variances) == pytest.approx(np.var(differences), rel=0.25)
    true, said = random.random(100_000) < p, random.random((1, 100_000)) < p
    assert classified._variance(true, said, True).mean() == pytest.approx(2 * p * (1 - p), rel=0.02)


def test_distances_and_areas_find_what_is_wrong_with_one_target():
    random, n = np.random.default_rng(3), 4000
    known = {"event_id": np.arange(n), "p": random.uniform(1.0, 2.0, n)}
    first = Columns({**known, "good": random.normal(size=n), "bad": random.normal(size=n)})
    other = Columns({**known, "good": random.normal(size=n), "bad": random.normal(1.0, 1.0, n)})
    what = comparing.distances(first, other, ("good", "bad"), ("p",))
    assert what["bad"].wasserstein == pytest.approx(1.0, abs=0.1)
    assert what["good"].ks < 0.05 < what["bad"].ks
    assert what["good"].in_bins < 0.2 < 0.7 < what["bad"].in_bins
    assert comparing.auc(first, other, ("p", "good"), comparing.QUICK) == pytest.approx(0.5, abs=0.03)
    assert comparing.auc(first, other, ("p", "bad"), comparing.QUICK) > 0.65
    assert comparing.auc(first.at(np.arange(50)), other, ("p",), comparing.QUICK) is None


def test_neighbours_are_of_the_same_kind():
    random, n = np.random.default_rng(4), 2000
    rows = Columns({"event_id": np.arange(n), "species": random.choice([13, 211], n), "p": random.random(n)})
    rows = Columns({**rows, "answer": rows["species"] * 10.0 + rows["p"]})
    learned, asked = comparing.halves(rows)
    (answered,) = comparing.resampled(learned, asked, ("species", "p"), ("answer",))
    assert np.abs(answered["answer"] - asked["answer"]).max() < 0.05
    assert not np.isin(answered["answer"], asked["answer"]).any()


def test_quick_checks_have_no_values_and_competitors_no_bars(capsys):
    figure = Figure("rich.auc.pion", {FLASH: 0.6, IDEAL: 0.5}, None, 0.53)
    assert [check.ok for check in figure.checks(quick=True)] == [None] * 4
    found = {check.name: check for check in figure.checks(quick=False)}
    assert found["rich.auc.pion"].ok is False
    assert found["rich.auc.pion.ideal"].value == 0.5
    assert found["rich.auc.pion.gan"].value is found["rich.auc.pion.ideal"].high is None
    tell([figure, Figure("rich.ks.pion.rich_dll_k", {FLASH: 0.1}, headline=False)], ["rich: no gan"])
    printed = capsys.readouterr().err
    assert "0.53" in printed
    assert "rich: no gan" in printed
    assert "rich_dll_k" not in printed


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="did you mean 'covariance'"):
        list(checks.chain_checks(quick=True, only=["covarianse"]))


def _names(twice, stages):
    """Names of figures of every kind."""
    pairs = {FLASH: (_tracks(10, 1.0, 1),) * 2}
    whole_chain = (*resolution.pull_figures(pairs), *resolution.resolution_figures(pairs), *cuts.cut_figures(pairs))
    some = part_figures("rich", "pion", {}, GENERATED["rich"], columns.RICH, quick=True)
    decided = classified.classified_figures(stages["efficiency"], twice, quick=True)
    return [figure.name for figure in (*whole_chain, *some, *decided)]


def test_every_check_is_documented(twice, stages):
    documented = "\n".join(re.findall(r"`([^`]+)`", PAGE[PAGE.index("## The trained chain") :]))
    for name in ("chain.auc", "chain.n_tracks_per_event", "chain.rate", "chain.peak_memory.small"):
        assert name in documented
    known = set(re.findall(r"^((?:NAME|chain)\.[a-z_]+)", documented, re.MULTILINE))
    for name in _names(twice, stages):
        stage, quantity = name.split(".")[:2]
        assert f"{'chain' if stage == 'chain' else 'NAME'}.{quantity}" in known

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from lamarrpy.constants import constants
from lamarrpy.draws import Draws
from lamarrpy.errors import DomainError
from lamarrpy.stages.parametric.global_pid import HYPOTHESES, GlobalPid, rising
from lamarrpy.tables import TRACKS, EventBatch
from lamarrpy.testing import check_stage

PIDS = {"electron": 11, "muon": 13, "pion": 211, "kaon": 321, "proton": 2212}


def identified(pid, p, eta, is_muon=False) -> dict[str, np.ndarray]:
    """ProbNN values of tracks with these properties [MeV]."""
    pid, p, eta, is_muon = np.broadcast_arrays(pid, p, eta, is_muon)
    batch = EventBatch({}).with_table(
        TRACKS.only("event_id", "track_id", "true_pid", "p", "eta", "is_muon"),
        {
            "event_id": np.arange(len(p)) // 40,
            "track_id": np.arange(len(p)) % 40,
            "true_pid": pid.astype(np.int32),
            "p": p,
            "eta": eta,
            "is_muon": is_muon,
        },
    )
    stage = GlobalPid()
    out = stage(batch, Draws(1, stage.name))
    return {h: out.array("tracks", f"prob_nn_{h}") for h in HYPOTHESES}


@pytest.mark.parametrize(
    ("species", "hypothesis", "p_bin", "eta_bin", "falling", "cdf"),
    [
        ("kaon", "k", 0, 2, 0.0116, [0.018, 0.033, 0.089, 0.274]),
        ("kaon", "k", 1, 2, 0.0236, [0.029, 0.054, 0.131, 0.339]),
        ("kaon", "k", 2, 2, 0.0348, [0.048, 0.137, 0.477, 0.920]),
        ("kaon", "pi", 1, 3, 0.0052, [0.490, 0.592, 0.774, 0.963]),
        ("pion", "k", 0, 1, 0.0365, [0.964, 0.979, 0.994, 1.000]),
        ("pion", "k", 1, 2, 0.0236, [0.870, 0.920, 0.972, 0.997]),
        ("pion", "pi", 0, 2, 0.0116, [0.008, 0.013, 0.028, 0.085]),
        ("pion", "mu", 0, 0, 0.0594, [0.298, 0.352, 0.483, 0.688]),
        ("muon", "mu", 0, 1, 0.0365, [0.004, 0.008, 0.040, 0.246]),
        ("muon", "pi", 1, 2, 0.0236, [0.968, 0.979, 0.985, 0.997]),
        ("proton", "p", 0, 1, 0.0365, [0.048, 0.109, 0.338, 0.624]),
        ("proton", "p", 1, 2, 0.0236, [0.023, 0.041, 0.093, 0.234]),
        ("proton", "k", 0, 2, 0.0116, [0.639, 0.722, 0.880, 0.991]),
        ("electron", "e", 0, 0, 0.0594, [0.011, 0.017, 0.041, 0.163]),
        ("electron", "e", 0, 2, 0.0116, [0.033, 0.052, 0.112, 0.319]),
    ],
)
def test_reproduces_the_histograms(species, hypothesis, p_bin, eta_bin, falling, cdf):
    """CDF at 0.1, 0.2, 0.5, 0.9 in RapidSim's histograms of calibration tracks, bins of 40 GeV and 0.6 in eta.

    Within a bin the momenta fall exponentially, per GeV as steeply as the histograms do there.
    """
    rows, low = Draws(2).rows(np.arange(20_000)), max(40.0 * p_bin, 4.0)
    width = 40.0 * (p_bin + 1) - low
    p = low - np.log(1 - rows.uniform(0) * (1 - np.exp(-falling * width))) / falling
    eta = 2.0 + 0.6 * (eta_bin + rows.uniform(1))
    value = identified(PIDS[species], p * 1e3, eta, is_muon=True)[hypothesis]
    found = [float(np.mean(value < edge)) for edge in (0.1, 0.2, 0.5, 0.9)]
    assert found == pytest.approx(cdf, abs=0.03)


def test_goodness_of_the_fit():
    """Largest CDF differences that the fit left, where there are enough tracks for them not to be noise."""
    goodness = constants("global_pid")["goodness"]
    for species in PIDS:
        for hypothesis in ("e", "pi", "k", "p"):
            assert goodness[species][hypothesis][0] < 0.02
    for species in ("muon", "pion", "kaon"):
        assert goodness[species]["mu"][0] < 0.02


@pytest.mark.parametrize(("species", "own", "other"), [("kaon", "k", "pi"), ("pion", "pi", "k"), ("proton", "p", "k")])
def test_hypotheses_compete(species, own, other):
    values = identified(PIDS[species], np.full(8000, 30e3), 3.5)
    assert spearmanr(values[own], values[other])[0] < -0.35
    assert spearmanr(values[other], values["e"])[0] > 0.15


def test_muon_hypothesis_exists_only_for_muon_hits():
    flag = np.arange(2000) % 3 == 0
    values = identified(13, np.full(2000, 20e3), 3.0, flag)
    assert np.array_equal(np.isfinite(values["mu"]), flag)
    for hypothesis in ("e", "pi", "k", "p"):
        assert np.isfinite(values[hypothesis]).all()


def test_the_flag_of_one_track_changes_nothing_else():
    with_flag, without = (identified(211, np.full(500, 20e3), 3.0, flag) for flag in (True, False))
    for hypothesis in ("e", "pi", "k", "p"):
        assert np.array_equal(with_flag[hypothesis], without[hypothesis])


def test_outside_the_fit_its_edge_is_used():
    for pid in PIDS.values():
        inside, outside = (identified(pid, np.full(200, p), eta, True) for p, eta in ((220e3, 4.7), (5e6, 6.0)))
        assert all(np.array_equal(inside[h], outside[h]) for h in HYPOTHESES)
        inside, outside = (identified(pid, np.full(200, p), eta, True) for p, eta in ((20e3, 2.3), (1e3, 1.2)))
        assert all(np.array_equal(inside[h], outside[h]) for h in HYPOTHESES)


def test_continuous_across_the_bins_of_the_histograms():
    for p, eta in ((40e3, 3.3), (60e3, 3.3), (80e3, 3.3), (50e3, 3.2), (50e3, 3.5)):
        below, above = (identified(321, np.full(500, p * (1 + e)), eta * (1 + e), True) for e in (-1e-9, 1e-9))
        assert all(np.allclose(below[h], above[h], atol=1e-6) for h in HYPOTHESES)


@given(
    pid=st.sampled_from([s * pid for pid in PIDS.values() for s in (1, -1)]),
    p=st.floats(1.0, 6.5e6),
    eta=st.floats(-8, 9),
)
@settings(deadline=None)
def test_values_are_probabilities(pid, p, eta):
    values = identified(pid, np.full(30, p), eta, True)
    for value in values.values():
        assert (value >= 0).all()
        assert (value <= 1).all()


@given(st.lists(st.floats(1e-3, 5.0), min_size=6, max_size=6), st.floats(-5, 5))
def test_the_form_rises(positive, first):
    g = np.linspace(-5, 5, 300)
    assert (np.diff(rising(g, [first, *positive], [-2, -1, 0, 1, 2], 2.5)) > 0).all()


def test_other_species_are_an_error():
    with pytest.raises(DomainError, match="got 3112"):
        identified(np.array([211, 3112]), np.full(2, 20e3), 3.0)


def test_conformance():
    n = 400
    batch = EventBatch({}).with_table(
        TRACKS.only("event_id", "track_id", "true_pid", "p", "eta", "is_muon"),
        {
            "event_id": np.arange(n) // 40,
            "track_id": np.arange(n) % 40,
            "true_pid": np.resize(np.array(list(PIDS.values()), np.int32), n),
            "p": np.geomspace(1e3, 1e6, n),
            "eta": np.resize(np.linspace(1.8, 5.2, 37), n),
            "is_muon": np.arange(n) % 4 == 0,
        },
    )
    check_stage(GlobalPid(), batch)

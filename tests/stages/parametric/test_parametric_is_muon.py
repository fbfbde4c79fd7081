from __future__ import annotations

import numpy as np
import pytest

from lamarrpy.draws import Draws
from lamarrpy.stages.parametric.is_muon import IsMuon, muon_probability
from lamarrpy.stages.parametric.resolution import Resolution
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables import EventBatch
from lamarrpy.testing import check_stage


def run(batch: EventBatch, polarity: str = "MagUp") -> EventBatch:
    for stage in (Resolution(polarity), IsMuon(polarity)):
        batch = stage(batch, Draws(1, stage.name))
    return batch


def fraction(batch: EventBatch, **options) -> float:
    return float(run(batch, **options).array("tracks", "is_muon").mean())


def test_muon_efficiency_rises_to_98_per_cent():
    """95 to 98 %, less below 6 GeV (arXiv:1306.0249), for tracks in the acceptance of the muon stations."""
    p = np.array([4.0, 6.0, 10.0, 30.0, 100.0])
    efficiency = muon_probability(np.full(5, 13), p, np.full(5, 155))
    assert (np.diff(efficiency) > 0).all()
    assert 0.88 < efficiency[0] < 0.95
    assert efficiency[1:] == pytest.approx([0.96, 0.98, 0.98, 0.98], abs=0.01)


@pytest.mark.parametrize("p", [10e3, 30e3])
def test_muons_well_inside_the_stations(tracks, p):
    assert fraction(tracks(10_000, pids=(13, -13), p=p, eta=2.8)) == pytest.approx(0.982, abs=0.005)


@pytest.mark.parametrize(
    ("pid", "p", "percent", "factor"),
    [
        (211, 20, 1.9, 1.8),
        (211, 60, 0.59, 1.6),
        (211, 100, 0.31, 1.6),
        (321, 20, 2.5, 1.6),
        (321, 60, 1.2, 1.8),
        (321, 100, 0.7, 1.8),
        (2212, 20, 1.26, 2.2),
        (2212, 60, 0.25, 1.3),
        (2212, 100, 0.2, 1.5),
    ],
)
def test_misidentification(pid, p, percent, factor):
    """Shares of calibration tracks with a muon probability (RapidSim), in bins of 40 GeV: indirect."""
    found = 100 * muon_probability(np.array([pid]), np.array([float(p)]), np.array([155]))[0]
    assert percent / factor < found < percent * factor


def test_misidentification_near_one_per_cent_and_more_below_5_gev(tracks):
    for pid in (211, 321, 2212):
        fast = fraction(tracks(30_000, pids=(pid, -pid), p=(10e3, 100e3), eta=(2.5, 4.0)))
        slow = fraction(tracks(30_000, pids=(pid, -pid), p=(3.2e3, 5e3), eta=(2.5, 4.0)))
        assert 0.003 < fast < 0.02
        assert 0.015 < slow < 0.12
        assert slow > 2 * fast


def test_accidental_matches_follow_the_occupancy():
    def misidentified(pid: int, n: int) -> float:
        return muon_probability(np.array([pid]), np.array([30.0]), np.array([n]))[0]

    assert misidentified(2212, 310) == pytest.approx(2 * misidentified(2212, 155))
    assert misidentified(211, 310) > misidentified(211, 155)
    assert misidentified(13, 310) == misidentified(13, 155)
    assert misidentified(2212, 10**9) <= 1


def test_never_below_3_gev_nor_for_upstream_tracks(tracks):
    assert fraction(tracks(4000, pids=(13, -13), p=(1e3, 2.9e3), eta=3.2)) == 0
    assert fraction(tracks(4000, TrackType.upstream, pids=(13, -13), p=(5e3, 50e3), eta=3.2)) == 0
    assert fraction(tracks(4000, TrackType.downstream, pids=(13, -13), p=(10e3, 50e3), eta=3.2)) > 0.9


def test_the_threshold_is_on_the_reconstructed_momentum(tracks):
    out = run(tracks(20_000, pids=(13, -13), p=(2.9e3, 3.1e3), eta=3.2))
    p, flag = out.array("tracks", "p"), out.array("tracks", "is_muon")
    assert not flag[p <= 3000].any()
    assert flag[p > 3000].mean() > 0.4  # half are swept past the last station


def test_the_hole_around_the_beam_pipe(tracks):
    """Fast tracks within 15 mrad miss the chambers, slow ones are bent into them."""
    assert fraction(tracks(4000, pids=(13, -13), p=500e3, eta=5.0)) < 0.05
    assert fraction(tracks(4000, pids=(13, -13), p=10e3, eta=5.0)) > 0.9


def test_charge_and_polarity_are_a_symmetry(tracks):
    one = run(tracks(4000, pids=(-13,), p=(3e3, 20e3), eta=(1.9, 2.4)), "MagUp")
    other = run(tracks(4000, pids=(13,), p=(3e3, 20e3), eta=(1.9, 2.4)), "MagDown")
    found = [batch.array("tracks", "is_muon").mean() for batch in (one, other)]
    assert found[0] == pytest.approx(found[1], abs=0.01)
    assert 0.3 < found[0] < 0.9  # some are swept out
    mixed = run(tracks(4000, pids=(-13,), p=(3e3, 20e3), eta=(1.9, 2.4)), "MagDown")
    sides = [out.array("tracks", "is_muon")[out.array("tracks", "true_tx") > 0.1].mean() for out in (one, mixed)]
    assert sides[0] > sides[1] + 0.2  # MagUp bends positive charges towards -x


def test_conformance(tracks):
    batch = Resolution()(tracks(400, pids=(13, 211, 321)), Draws(1, "resolution"))
    check_stage(IsMuon(), batch)

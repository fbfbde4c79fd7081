from __future__ import annotations

import numpy as np
import pytest

from lamarrpy.draws import Draws
from lamarrpy.errors import SchemaError
from lamarrpy.stages.parametric.resolution import Resolution
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables import EventBatch
from lamarrpy.testing import check_stage

HADRONS = (211, -211, 321, -321, 2212, -2212)
Z = np.array([-2.3263, -1.6449, -0.9945, 0.0, 0.9945, 1.6449, 2.3263])
QUANTILES = [0.01, 0.05, 0.16, 0.5, 0.84, 0.95, 0.99]


def run(batch: EventBatch, polarity: str = "MagUp", seed: int = 1) -> dict[str, np.ndarray]:
    stage = Resolution(polarity)
    out = stage(batch, Draws(seed, stage.name))
    return {name: out.array("tracks", name) for name in out["tracks"].column_names}


def relative_momentum(t: dict[str, np.ndarray]) -> np.ndarray:
    return t["true_qop"] / t["qop"] - 1


def offset(t: dict[str, np.ndarray], axis: str) -> np.ndarray:
    """Reconstructed less true position at the plane of the reconstructed state [mm]."""
    return t[axis] - t[f"true_{axis}"] - t[f"true_t{axis}"] * (t["z"] - t["true_z"])


def core(values: np.ndarray) -> float:
    """Half-width around zero that holds 68.3 %."""
    return float(np.quantile(np.abs(values), 0.683))


@pytest.mark.parametrize(
    ("p", "percent"), [(5, 0.50), (10, 0.48), (20, 0.52), (40, 0.60), (80, 0.80), (120, 0.90), (235, 1.12)]
)
def test_effective_momentum_resolution_of_long_tracks(tracks, p, percent):
    """LHCb in 2012, as RapidSim uses it; 3.5 % of fit, 3 % of statistics."""
    t = run(tracks(20_000, pids=HADRONS, p=p * 1e3, eta=3.5))
    residual = t["qop"] / t["true_qop"] - 1
    assert 100 * residual.std() == pytest.approx(percent, rel=0.065)
    assert 0.35 <= 100 * core(relative_momentum(t)) <= 0.9
    assert core(residual) < 0.85 * residual.std()  # there are tails


@pytest.mark.parametrize(("p", "percent"), [(4, 16), (6.5, 19), (10, 24), (16, 29)])
def test_momentum_resolution_of_upstream_tracks(tracks, p, percent):
    """Full-simulation surrogate (SQLamarr), residuals; its reported uncertainties are 15 % smaller."""
    t = run(tracks(10_000, TrackType.upstream, pids=HADRONS, p=p * 1e3, eta=3.5))
    assert 100 * core(t["qop"] / t["true_qop"] - 1) == pytest.approx(percent, rel=0.2)


@pytest.mark.parametrize(("p", "percent"), [(4, 0.8), (8.5, 0.59), (16, 0.61), (30, 0.70), (65, 0.77), (100, 0.9)])
def test_momentum_resolution_of_downstream_tracks(tracks, p, percent):
    """The same surrogate."""
    t = run(tracks(10_000, TrackType.downstream, pids=HADRONS, p=p * 1e3, eta=3.5))
    assert 100 * core(relative_momentum(t)) == pytest.approx(percent, rel=0.15)


@pytest.mark.parametrize(
    ("pt", "microns", "microradians"),
    [(0.25, 123, 650), (0.45, 65, 450), (0.85, 36, 320), (1.25, 26, 260), (2.5, 18, 190), (4, 15, 140), (7, 14, 120)],
)
@pytest.mark.parametrize("track_type", [TrackType.long, TrackType.upstream])
def test_state_resolution(tracks, track_type, pt, microns, microradians):
    """The same surrogate, hadrons, by pT [GeV]."""
    t = run(tracks(10_000, track_type, pids=HADRONS, p=pt * 1e3 * np.cosh(3.0), eta=3.0))
    for axis in "xy":
        assert 1e3 * core(offset(t, axis)) == pytest.approx(microns, rel=0.12)
        assert 1e6 * core(t[f"t{axis}"] - t[f"true_t{axis}"]) == pytest.approx(microradians, rel=0.15)
        correlation = np.corrcoef(offset(t, axis), t[f"t{axis}"] - t[f"true_t{axis}"])[0, 1]
        assert -0.97 < correlation < -0.90


@pytest.mark.parametrize("p", [2.0, 5.0, 10.0, 30.0, 100.0])
def test_downstream_slopes_are_scattered_before_tt(tracks, p):
    """0.25 mrad of TT and 4.5 mrad GeV of scattering in x, 2.9 m of lever arm to the beam line."""
    t = run(tracks(10_000, TrackType.downstream, pids=HADRONS, p=p * 1e3, eta=(2.2, 3.2)))
    slope, position = core(t["tx"] - t["true_tx"]), core(offset(t, "x"))
    assert 1e3 * slope == pytest.approx(np.hypot(0.25, 4.5 / p), rel=0.05)
    assert position / slope == pytest.approx(2940, rel=0.05)
    assert core(t["ty"] - t["true_ty"]) == pytest.approx(1.10 * slope, rel=0.05)
    assert core(offset(t, "y")) == pytest.approx(1.25 * position, rel=0.05)


def test_x_is_worse_where_the_velo_halves_overlap(tracks):
    """16 % at phi = +-90 degrees (thesis: 10-20 %)."""
    t = run(tracks(60_000, pids=HADRONS, p=20e3, eta=3.0))
    vertical = np.abs(np.abs(t["true_phi"]) - np.pi / 2) < 0.3
    horizontal = np.abs(np.sin(t["true_phi"])) < 0.3
    ratio = core(offset(t, "x")[vertical]) / core(offset(t, "x")[horizontal])
    assert 1.10 < ratio < 1.20


def test_reconstructed_state_is_the_closest_to_the_beam_line(tracks):
    batch = tracks(4000, decay_z=300.0)  # impact parameters of centimetres
    t = run(batch)
    events, vx, vy = batch.arrays("vertices", "event_id", "true_x", "true_y")
    of = np.searchsorted(events, t["event_id"])
    x, y = t["x"] - vx[of], t["y"] - vy[of]
    along = (x * t["tx"] + y * t["ty"]) / np.hypot(t["tx"], t["ty"])
    assert np.abs(along).max() < 1e-6
    assert np.hypot(x, y).mean() > 5


@pytest.mark.parametrize(("pt", "sigma"), [(0.45, 1.6), (0.85, 0.60), (1.25, 0.35), (2.5, 0.17)])
def test_z_moves_along_the_track(tracks, pt, sigma):
    """The surrogate's sigma of z [mm] by pT, for its mix of pseudorapidities: within a factor 1.6."""
    t = run(tracks(10_000, pids=HADRONS, p=(2.5e3, 50e3), eta=(2.2, 4.8)))
    near = np.abs(np.log(t["true_pt"] / (pt * 1e3))) < 0.2
    assert sigma / 1.6 < core((t["z"] - t["true_z"])[near]) < sigma * 1.6


@pytest.mark.parametrize("track_type", list(TrackType))
def test_momentum_direction_and_charge_agree(tracks, track_type):
    t = run(tracks(2000, track_type, p=(1e3, 1e6)))
    px, py, pz = (t["p"] * s / np.sqrt(1 + t["tx"] ** 2 + t["ty"] ** 2) for s in (t["tx"], t["ty"], 1.0))
    assert np.allclose(t["pt"], np.hypot(px, py), rtol=1e-12)
    assert np.allclose(t["eta"], np.arctanh(pz / t["p"]), rtol=1e-9)
    assert np.allclose(t["phi"], np.arctan2(py, px))
    assert np.array_equal(t["charge"], np.sign(t["qop"]))
    assert np.allclose(t["p"] * np.abs(t["qop"]), 1)
    assert t["p"].min() > 0
    assert t["p"].max() <= 6.5e6 * (1 + 1e-12)


def test_only_upstream_tracks_get_the_wrong_charge(tracks):
    def wrong(track_type: TrackType, p: float) -> float:
        t = run(tracks(20_000, track_type, pids=HADRONS, p=p))
        return float(np.mean(t["charge"] != np.sign(t["true_qop"])))

    assert wrong(TrackType.upstream, 3e3) < 1e-4
    assert 0.005 < wrong(TrackType.upstream, 100e3) < 0.05
    assert wrong(TrackType.long, 100e3) == wrong(TrackType.downstream, 100e3) == 0


def test_electrons_have_lost_momentum(tracks):
    """RapidSim's electron histograms, no bremsstrahlung recovered: median -3 %, mean -7 %, rms 9 %."""
    t = run(tracks(20_000, pids=(11, -11), p=(5e3, 50e3)))
    change = t["p"] / t["true_p"] - 1
    assert np.median(change) == pytest.approx(-0.035, abs=0.012)
    assert change.mean() == pytest.approx(-0.07, abs=0.01)
    assert change.std() == pytest.approx(0.09, abs=0.015)
    assert np.quantile(change, [0.16, 0.84]) == pytest.approx([-0.14, -0.004], abs=0.015)


@pytest.mark.parametrize(
    ("track_type", "pids", "chi2", "ndof", "ghost"),
    [
        (
            TrackType.long,
            HADRONS,
            [0.46, 0.63, 0.76, 0.99, 1.32, 1.68, 2.53],
            [16.6, 21, 27.4, 33.1, 37.5, 40, 43],
            [0.002, 0.002, 0.003, 0.004, 0.024, 0.08, 0.22],
        ),
        (
            TrackType.long,
            (13, -13),
            [0.35, 0.55, 0.72, 1.00, 1.37, 1.85, 2.97],
            [16.8, 20, 24, 31.7, 36, 39, 41],
            [0.002, 0.002, 0.003, 0.004, 0.031, 0.12, 0.27],
        ),
        (
            TrackType.long,
            (11, -11),
            [0.47, 0.63, 0.79, 1.07, 1.48, 1.95, 3.06],
            [15.9, 21, 27, 32.3, 36, 40, 43],
            [0.002, 0.003, 0.003, 0.008, 0.055, 0.15, 0.30],
        ),
        (
            TrackType.upstream,
            (211, 13, 11),
            [0.26, 0.47, 0.66, 0.98, 1.44, 2.02, 3.17],
            [6.7, 7.7, 9, 12, 16, 19, 21],
            [0.003, 0.003, 0.004, 0.019, 0.13, 0.28, 0.37],
        ),
        (
            TrackType.downstream,
            (211, 13, 11),
            [0.20, 0.41, 0.61, 0.90, 1.24, 1.62, 2.58],
            [9.4, 11, 15, 19.7, 22, 24, 26.5],
            [0.0005, 0.001, 0.001, 0.003, 0.012, 0.05, 0.14],
        ),
    ],
)
def test_fit_quality(tracks, track_type, pids, chi2, ndof, ghost):
    """Quantiles 1/5/16/50/84/95/99 % of the same surrogate."""
    t = run(tracks(20_000, track_type, pids=pids, p=10e3))
    assert np.quantile(t["chi2_per_dof"], QUANTILES) == pytest.approx(chi2, rel=0.06)
    assert t["ndof"].dtype == np.int32
    assert t["ndof"].min() >= 1
    assert np.quantile(t["ndof"], QUANTILES) == pytest.approx(ndof, abs=1.01)
    assert np.quantile(t["ghost_prob"], QUANTILES) == pytest.approx(ghost, rel=0.12)
    assert t["ghost_prob"].min() >= 0
    assert t["ghost_prob"].max() <= 0.4 + 1e-12
    assert np.corrcoef(np.log(t["chi2_per_dof"]), np.log(t["ghost_prob"]))[0, 1] > 0.3


@pytest.mark.parametrize("track_type", list(TrackType))
def test_no_track_is_above_the_cut_of_the_selection(tracks, track_type):
    """LHCb's tracks have a chi2 per degree of freedom below 4: a tail up to it, nothing piled up there."""
    chi2 = run(tracks(60_000, track_type, p=(2e3, 1e6)))["chi2_per_dof"]
    assert chi2.max() < 4
    near = [np.sum((chi2 > low) & (chi2 < low + 0.5)) for low in (2.5, 3.0, 3.5)]
    assert near[0] > near[1] > near[2] > 0


def test_chi2_rises_with_momentum(tracks):
    """0.96 at 2 GeV to 1.10 at 100 GeV in the same surrogate."""
    medians = [np.median(run(tracks(10_000, pids=HADRONS, p=p))["chi2_per_dof"]) for p in (2e3, 100e3)]
    assert medians == pytest.approx([0.94, 1.07], abs=0.03)
    assert medians[1] / medians[0] == pytest.approx(1.10 / 0.96, abs=0.03)


def test_tracks_with_few_hits_are_measured_worse(tracks):
    t = run(tracks(20_000, pids=HADRONS, p=10e3))
    few = t["ndof"] < 27
    assert core(relative_momentum(t)[few]) > 1.2 * core(relative_momentum(t)[~few])


def test_charge_and_polarity_are_a_symmetry(tracks):
    """The other charge in the other polarity has the same residuals but for the sign of q/p."""
    one = run(tracks(2000, TrackType.downstream, pids=(211,)), "MagUp")
    other = run(tracks(2000, TrackType.downstream, pids=(-211,)), "MagDown")
    tilt = np.corrcoef(offset(one, "x"), one["qop"] - one["true_qop"])[0, 1]
    assert tilt < -0.1
    assert np.corrcoef(offset(other, "x"), other["qop"] - other["true_qop"])[0, 1] > 0.1
    assert np.array_equal(one["x"], other["x"])


def test_a_track_without_its_vertex_is_an_error(tracks):
    batch = tracks(80)
    with pytest.raises(SchemaError, match="table 'vertices'"):
        run(EventBatch({**batch.tables, "vertices": batch["vertices"].slice(1)}))


@pytest.mark.parametrize("track_type", list(TrackType))
def test_conformance(tracks, track_type):
    check_stage(Resolution(), tracks(400, track_type, p=(1e3, 1e6), eta=(1.6, 5.2)))

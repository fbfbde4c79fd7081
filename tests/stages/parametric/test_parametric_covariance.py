from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamarrpy.draws import Draws
from lamarrpy.stages.parametric.covariance import Covariance
from lamarrpy.stages.parametric.resolution import Resolution
from lamarrpy.stages.parametric.track_state import StateUncertainty, fluctuations, state_uncertainty
from lamarrpy.stages.track_type import TrackType
from lamarrpy.tables import EventBatch
from lamarrpy.tables.schemas import STATE
from lamarrpy.testing import check_stage

HADRONS_AND_MUONS = (211, -211, 321, -321, 2212, -2212, 13, -13)


def run(batch: EventBatch, polarity: str = "MagUp") -> EventBatch:
    for stage in (Resolution(polarity), Covariance(polarity)):
        batch = stage(batch, Draws(1, stage.name))
    return batch


def matrix(covariance: dict[str, np.ndarray]) -> np.ndarray:
    """The covariance matrices, shape (n, 5, 5)."""
    n = len(covariance["cov_x_x"])
    out = np.empty((n, 5, 5))
    for i, a in enumerate(STATE):
        for j, b in enumerate(STATE[i:], start=i):
            out[:, i, j] = out[:, j, i] = covariance[f"cov_{a}_{b}"]
    return out


def reported(batch: EventBatch) -> np.ndarray:
    names = Covariance().writes["tracks"].names
    return matrix({name: batch.array("tracks", name) for name in names})


def residuals(batch: EventBatch) -> np.ndarray:
    """Reconstructed less true state at the z of the reconstructed one, shape (n, 5)."""
    t = {name: batch.array("tracks", name) for name in batch["tracks"].column_names}
    dz = t["z"] - t["true_z"]
    truth = {"x": t["true_x"] + t["true_tx"] * dz, "y": t["true_y"] + t["true_ty"] * dz}
    return np.stack([t[name] - truth.get(name, t[f"true_{name}"]) for name in STATE], axis=1)


def correlations(covariance: np.ndarray) -> np.ndarray:
    width = np.sqrt(np.einsum("nii->ni", covariance))
    return covariance / (width[:, :, None] * width[:, None, :])


@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
@pytest.mark.parametrize("track_type", list(TrackType))
def test_pulls_are_standard_normal(tracks, track_type, polarity):
    batch = run(tracks(40_000, track_type, pids=HADRONS_AND_MUONS, p=(2e3, 150e3)), polarity)
    covariance, residual = reported(batch), residuals(batch)
    pulls = residual / np.sqrt(np.einsum("nii->ni", covariance))
    assert np.abs(pulls.mean(axis=0)).max() < 4 / np.sqrt(40_000)
    assert np.abs(pulls.std(axis=0) - 1).max() < 4 / np.sqrt(2 * 40_000)
    for k, inside in ((1, 0.6827), (2, 0.9545), (3, 0.9973)):
        assert np.abs(np.mean(np.abs(pulls) < k, axis=0) - inside).max() < 0.01
    scaled = np.linalg.solve(correlations(covariance), pulls[:, :, None])[:, :, 0]
    chi2 = (pulls * scaled).sum(axis=1)  # of the five together: the correlations are right too
    assert chi2.mean() == pytest.approx(5, abs=4 * np.sqrt(10 / 40_000))
    assert chi2.var() == pytest.approx(10, rel=0.06)


def test_electron_pulls_but_for_their_momentum(tracks):
    batch = run(tracks(20_000, pids=(11, -11)))
    pulls = residuals(batch) / np.sqrt(np.einsum("nii->ni", reported(batch)))
    assert np.abs(pulls.std(axis=0)[:4] - 1).max() < 0.02
    assert np.median(np.abs(pulls[:, 4])) > 2


@pytest.mark.parametrize(
    ("pt", "microns", "microradians"),
    [(0.25, 126, 648), (0.4, 78, 500), (0.6, 52, 400), (0.85, 39, 324), (1.25, 28, 273), (2.5, 18, 182), (7, 12, 105)],
)
def test_reported_state_uncertainty(tracks, pt, microns, microradians):
    """Medians that the full-simulation surrogate (SQLamarr) reports, by pT [GeV]."""
    batch = run(tracks(4000, p=pt * 1e3 * np.cosh(3.0), eta=3.0))
    width = np.median(np.sqrt(np.einsum("nii->ni", reported(batch))), axis=0)
    assert 1e3 * width[:2] == pytest.approx([microns] * 2, rel=0.1)
    assert 1e6 * width[2:4] == pytest.approx([microradians] * 2, rel=0.13)


@pytest.mark.parametrize(
    ("track_type", "p", "percent", "tolerance"),
    [
        (TrackType.long, 6.5, 0.38, 0.17),
        (TrackType.long, 10, 0.40, 0.17),
        (TrackType.long, 25, 0.45, 0.17),
        (TrackType.long, 65, 0.52, 0.17),
        (TrackType.long, 115, 0.62, 0.17),
        (TrackType.upstream, 2.2, 16.6, 0.12),
        (TrackType.upstream, 10, 21, 0.12),
        (TrackType.upstream, 40, 35, 0.12),
        (TrackType.upstream, 115, 49, 0.12),
        (TrackType.downstream, 16, 0.49, 0.26),
        (TrackType.downstream, 25, 0.55, 0.26),
        (TrackType.downstream, 65, 0.79, 0.26),
    ],
)
def test_reported_momentum_uncertainty(tracks, track_type, p, percent, tolerance):
    """The same surrogate; for Downstream tracks it reports less than its residuals show, a quarter at 16 GeV."""
    batch = run(tracks(6000, track_type, p=p * 1e3, eta=3.5))
    width = np.sqrt(batch.array("tracks", "cov_qop_qop")) * p * 1e3
    assert 100 * np.median(width) == pytest.approx(percent, rel=tolerance)


def test_correlations(tracks):
    """5/50/95 % of the same surrogate."""
    long = correlations(reported(run(tracks(20_000))))
    for i, j in ((0, 2), (1, 3)):
        assert np.quantile(long[:, i, j], [0.05, 0.5, 0.95]) == pytest.approx([-0.98, -0.96, -0.87], abs=0.03)
    assert np.abs(np.median(long[:, 0, 1])) < 0.01
    assert 0.05 < long[:, 0, 1].std() < 0.3
    assert not long[:, :4, 4].any()
    downstream = correlations(reported(run(tracks(20_000, TrackType.downstream))))
    assert np.quantile(downstream[:, 0, 2], [0.05, 0.5, 0.95]) == pytest.approx([-0.9, -0.79, -0.7], abs=0.06)
    assert np.quantile(downstream[:, 1, 3], [0.05, 0.5, 0.95]) == pytest.approx([-0.8, -0.7, -0.6], abs=0.1)
    assert np.quantile(downstream[:, 0, 4], [0.05, 0.5, 0.95]) == pytest.approx([-0.73, -0.37, 0.05], abs=0.06)
    flipped = correlations(reported(run(tracks(20_000, TrackType.downstream), "MagDown")))
    assert np.array_equal(flipped[:, 0, 4], -downstream[:, 0, 4])


@given(
    track_type=st.sampled_from(list(TrackType)),
    p=st.floats(1e3, 1e6),
    eta=st.floats(1.4, 6.0),
    phi=st.floats(-np.pi, np.pi),
    polarity=st.sampled_from(["MagUp", "MagDown"]),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=200, deadline=None)
def test_positive_definite_everywhere(track_type, p, eta, phi, polarity, seed):
    n, steep = 50, 1 / np.sinh(eta)
    rows = fluctuations(Draws(seed), np.full(n, 3), np.arange(n))
    columns = (np.full(n, v) for v in (p, p / np.cosh(eta), steep * np.cos(phi), steep * np.sin(phi)))
    uncertainty = state_uncertainty(np.full(n, track_type), *columns, rows, polarity)
    covariance = matrix(uncertainty.covariance())
    assert np.isfinite(covariance).all()
    assert (np.einsum("nii->ni", covariance) > 0).all()
    correlation = correlations(covariance)
    assert np.linalg.eigvalsh(correlation).min() > 1e-4
    off_diagonal = correlation[:, ~np.eye(5, dtype=bool)]
    assert np.abs(off_diagonal).max() < 1


CORRELATION = st.floats(-0.999, 0.999)


@given(rho_x=CORRELATION, rho_y=CORRELATION, rho_xy=CORRELATION, rho_qop=CORRELATION)
def test_residuals_have_the_covariance_they_report(rho_x, rho_y, rho_xy, rho_qop):
    """The five unit vectors of the normals give the columns of its square root."""
    widths = (np.full(5, v) for v in (0.03, 0.05, 3e-4, 4e-4, 1e-6))
    factors = (np.full(5, v) for v in (rho_x, rho_y, rho_xy, rho_qop))
    x, y, tx, ty, qop, *rho = (*widths, *factors)
    uncertainty = StateUncertainty(x, y, tx, ty, qop, *rho)
    root = np.stack(uncertainty.residuals(np.eye(5)))
    scale = np.array([0.03, 0.05, 3e-4, 4e-4, 1e-6])
    expected = matrix(uncertainty.covariance())[0]
    assert np.allclose((root @ root.T) / np.outer(scale, scale), expected / np.outer(scale, scale), atol=1e-12)


@pytest.mark.parametrize("track_type", list(TrackType))
def test_conformance(tracks, track_type):
    check_stage(Covariance(), tracks(400, track_type, p=(1e3, 1e6), eta=(1.6, 5.2)))

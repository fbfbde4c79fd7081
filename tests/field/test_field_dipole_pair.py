"""The dipole pair: the published map that it is behind, Maxwell's equations."""

from __future__ import annotations

import numpy as np
import pytest

from lamarrpy.field import DipolePair


def test_statistics_of_the_published_map() -> None:
    """By of twodip.rtf (G. Scriven, 2026) on its grid; the two points in the poles are left out."""
    side = np.linspace(-4000.0, 4000.0, 81)
    by = DipolePair(polarity="MagDown")(*np.meshgrid(side, side, np.linspace(-500.0, 14_000.0, 146), indexing="ij"))[1]
    pole = ~np.isfinite(by)
    assert np.argwhere(pole).tolist() == [[40, 0, 55], [40, 80, 55]]
    by = by[~pole]
    assert by.min() == pytest.approx(-33024.0670, abs=5e-5)
    assert by.max() == pytest.approx(16511.9355, abs=5e-5)
    assert by.std() == pytest.approx(71.60929, abs=5e-5)
    assert by.mean() == pytest.approx(0.122926, abs=5e-7)
    assert np.quantile(by, [0.25, 0.5, 0.75]) == pytest.approx([-0.04852, 0.02050, 0.06947], abs=1e-5)
    assert np.count_nonzero(np.abs(by) > 2.0) == 28540


def test_free_of_divergence_and_curl() -> None:
    rng = np.random.default_rng(1)
    at = rng.uniform(-1.0, 1.0, (3, 2000)) * np.array([[3000.0], [2500.0], [6000.0]]) + np.array([[0], [0], [5000.0]])
    field, step = DipolePair(), 1.0
    dx, dy, dz = (
        (np.array(field(*(at + move[:, None]))) - np.array(field(*(at - move[:, None])))) / (2 * step)
        for move in step * np.eye(3)
    )
    steepest = np.max(np.abs(dy[1]))
    for zero in (dx[0] + dy[1] + dz[2], dy[2] - dz[1], dz[0] - dx[2], dx[1] - dy[0]):
        assert np.max(np.abs(zero)) < 1e-5 * steepest


def test_points_up_between_the_dipoles_in_mag_up() -> None:
    bx, by, bz = DipolePair()(0.0, 0.0, 5000.0)
    assert by == pytest.approx(4.0 * 1.6512e10 / 4000.0**3)
    assert (bx, bz) == (0.0, 0.0)

"""What references predict of their neighbours, against neighbours that are followed themselves."""

import numpy as np
import pytest
from guns import gun
from perfect import perfect_candidates

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.hits import Hits, measure
from lamarrpy.detailed.reconstruction.reference import References
from lamarrpy.detailed.transport import transport
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field
from lamarrpy.particles import charge
from lamarrpy.propagation import State
from lamarrpy.propagation.state import direction, slopes

DETECTOR, FIELD = lhcb_detector(), magnetic_field("lhcb", "MagUp")


@pytest.fixture(scope="module")
def candidates():
    truth = transport(gun(60, [13, -13], (4e3, 5e4), (2.2, 4.6)), DETECTOR, FIELD, Draws(1, "transport"))
    return perfect_candidates(truth, measure(truth, DETECTOR, Draws(1, "hits")), DETECTOR)


def bends(start):
    return np.ones(len(start.x), bool)


def follow(candidates, start):
    aside = np.zeros((4, len(start.x)))
    return References(DETECTOR, FIELD, 0.0, 0.0).follow(start, bends(start), aside, candidates.first, candidates.hits)[
        0
    ]


@pytest.mark.parametrize(
    ("parameter", "size", "left_out"),
    [(0, 0.01, 0.03), (1, 0.01, 0.03), (2, 1e-6, 0.03), (3, 1e-6, 0.1), (4, None, 0.03)],
)
def test_derivatives(candidates, parameter, size, left_out):
    """Finite differences; the change of the field between neighbours, greatest along y, is left out."""
    start = candidates.seed._replace(z=candidates.seed.z - 1.0)
    step = np.full(len(start.x), size) if size else 1e-3 * start.qop
    u, v = direction(start.tx, start.ty)
    moved = [start.x, start.y, u, v, start.qop]
    moved[parameter] = moved[parameter] + step
    tx, ty = slopes(moved[2], moved[3])
    before = follow(candidates, start)
    after = follow(candidates, start._replace(x=moved[0], y=moved[1], tx=tx, ty=ty, qop=moved[4]))
    found = (before.residual - after.residual) / step
    expected = before.slope[:, parameter]
    scale = np.abs(expected).max(axis=0)
    assert np.quantile(np.abs(found - expected) / scale, 0.95) < left_out


def test_noise_is_that_of_the_transport(candidates):
    """Mean square of the scattering angle up to T: 13.6 MeV / p sqrt(x/X0) with the logarithm, of 0.2 to 0.6 X0."""
    linear = follow(candidates, candidates.seed._replace(z=candidates.seed.z - 1.0))
    u, _ = direction(candidates.seed.tx, candidates.seed.ty)
    square = linear.noise[1:, 7].sum(axis=0) / (1.0 - u * u)
    p = 1.0 / np.abs(candidates.seed.qop)
    depth = square * (p / 13.6) ** 2
    assert 0.15 < np.median(depth) < 0.6


def test_the_field_is_taken_where_the_track_is():
    """Tracks that are led aside before the magnet are bent like those that enter it there."""
    truth = transport(gun(200, [13, -13], (4e3, 5e4), (2.2, 4.6)), DETECTOR, FIELD, Draws(1, "transport"))
    hits = measure(truth, DETECTOR, Draws(1, "hits"))
    behind = np.isin(DETECTOR.systems()[hits.plane], ("it", "ot"))
    rows, counts = np.unique(hits.row[behind], return_counts=True)
    entering = truth.crossings.plane == DETECTOR.plane_number("tt_end")
    at = [column[entering][np.searchsorted(truth.crossings.row[entering], rows)] for column in truth.crossings]
    start = State(at[2], at[3], np.full(len(rows), 2700.0), at[4], at[5], charge(truth.particles.pid[rows]) / at[6])
    first = np.concatenate([[0], np.cumsum(counts)])
    references = References(DETECTOR, FIELD, 0.0, 0.0)

    def follow(start, dy):
        aside = np.zeros((4, len(rows)))
        aside[1] = dy
        return references.follow(start, bends(start), aside, first, Hits._make(column[behind] for column in hits))[0]

    straight, aside, moved = follow(start, 0.0), follow(start, 20.0), follow(start._replace(y=start.y + 20.0), 0.0)
    # moved tracks miss the hits by 20 mm in y; what else changes is the bending
    bending = straight.residual - straight.slope[:, 1] * 20.0 - moved.residual
    far = np.abs(bending) > 0.3
    assert far.sum() > 100
    seen = straight.residual - aside.residual
    assert np.median(seen[far] / bending[far]) == pytest.approx(1.0, abs=0.05)

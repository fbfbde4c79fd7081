"""Photons and clusters: who fits whom, at the borders of the rule, and what is counted as a clone."""

import numpy as np
import pytest

from lamarrpy.detailed.calorimeter import Clusters, TruePhotons, match_photons, true_photons
from lamarrpy.detailed.calorimeter.cells import ecal
from lamarrpy.detailed.calorimeter.truth import resolution
from lamarrpy.detailed.transport import Particles


def photons(*rows):
    event, x, y, e = (np.array(column) for column in zip(*rows, strict=True))
    return TruePhotons(event, np.arange(len(event)), x.astype(float), y.astype(float), e.astype(float))


def clusters(*rows):
    event, x, y, e, kind = (np.array(column) for column in zip(*rows, strict=True))
    rest = {name: np.zeros(len(event)) for name in Clusters._fields}
    return Clusters(**{**rest, "event_id": event, "x": x * 1.0, "y": y * 1.0, "e": e * 1.0, "cluster_type": kind})


SIGMA = float(resolution(np.array([1e4]))[0])


def test_the_resolution_is_that_of_collisions():
    expected = np.hypot(np.hypot(0.096 / np.sqrt(10.0), 0.037), 0.395 / 10.0) * 1e4
    assert pytest.approx(expected) == SIGMA


@pytest.mark.parametrize(
    ("dx", "de", "fits"),
    [(34.9, 0.0, True), (35.1, 0.0, False), (0.0, 1.99, True), (0.0, -1.99, True), (0.0, 2.01, False)],
)
def test_borders_of_the_rule(dx, de, fits):
    found = match_photons(clusters((1, 500 + dx, 0, 1e4 + de * SIGMA, 1)), photons((1, 500, 0, 1e4)))
    assert (found.photon_class[0] == 1) == fits
    assert (found.cluster[0] == 0) == fits
    assert (found.photon[0] == 0) == fits


def test_other_events_do_not_fit():
    found = match_photons(clusters((2, 500, 0, 1e4, 1)), photons((1, 500, 0, 1e4)))
    assert found.photon_class.tolist() == [0]
    assert found.photon.tolist() == [-1]


def test_the_nearest_cluster_counts_and_another_one_is_a_clone():
    found = match_photons(clusters((1, 520, 0, 1e4, 1), (1, 505, 0, 1e4, 2)), photons((1, 500, 0, 1e4)))
    assert found.cluster.tolist() == [1]
    assert found.photon_class.tolist() == [2]
    assert found.clone.tolist() == [True, False]
    assert found.photon.tolist() == [0, 0]
    assert len(found.pairs.first) == 2


def test_two_photons_share_a_cluster():
    found = match_photons(clusters((1, 500, 0, 1e4, 1)), photons((1, 510, 0, 1e4), (1, 495, 0, 1e4)))
    assert found.cluster.tolist() == [0, 0]
    assert found.shared.tolist() == [True, False]
    assert found.photon.tolist() == [1]
    assert not found.clone.any()


def test_nothing_matches_nothing():
    none = clusters((1, 0, 0, 1e4, 1)).at(slice(0, 0))
    found = match_photons(none, photons((1, 500, 0, 1e4)))
    assert found.photon_class.tolist() == [0]
    assert not len(found.photon)
    empty = TruePhotons._make(np.asarray(column)[:0] for column in photons((1, 500, 0, 1e4)))
    assert not len(match_photons(none, empty).cluster)


def test_photons_point_at_the_ecal_or_are_left_out():
    slopes = np.array([0.1, 0.0, 0.5])
    n, zero = len(slopes), np.zeros(3)
    made = Particles(np.arange(n), np.arange(n), np.full(n, 22), zero, zero, zero, 1e4 * slopes, zero + 10.0,
                            np.full(n, 1e4))  # fmt: skip
    found = true_photons(made)
    assert found.event_id.tolist() == [0]
    assert found.x == pytest.approx([0.1 * ecal().z])
    assert found.e == pytest.approx([np.sqrt(1e8 + 1e6 + 100.0)])

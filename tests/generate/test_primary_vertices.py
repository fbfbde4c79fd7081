"""Collisions lie in the luminous region, as many as asked for, the same for any grouping of events."""

import numpy as np
import pytest
from pydantic import ValidationError

from lamarrpy.draws import Draws
from lamarrpy.generate.primary_vertices import PrimaryVertices, draw_vertices, poisson

EVENTS = np.arange(40_000)


def test_positions_have_the_moments_of_2016():
    vertices = draw_vertices(EVENTS, PrimaryVertices(year=2016), Draws(1))
    width = np.array([0.029, 0.023, 38.0])
    assert (abs(vertices.position.mean(axis=1) - [0.83, -0.17, 0.0]) < 5 * width / 200).all()
    assert vertices.position.std(axis=1) == pytest.approx(width, rel=0.02)
    assert (vertices.vertex_id == 0).all()


def test_number_of_collisions():
    vertices = draw_vertices(EVENTS, PrimaryVertices(further_collisions=1.6), Draws(1))
    count = np.bincount(vertices.event_id)
    assert count.min() == 1
    assert count.mean() == pytest.approx(2.6, abs=0.03)
    assert count.var() == pytest.approx(1.6, rel=0.03)
    assert (vertices.event_id[vertices.first] == EVENTS).all()
    assert (vertices.vertex_id[vertices.first] == 0).all()


def test_an_event_alone_has_the_same_collisions():
    recipe = PrimaryVertices(further_collisions=2.0)
    together = draw_vertices(EVENTS[:100], recipe, Draws(3))
    alone = draw_vertices(EVENTS[42:43], recipe, Draws(3))
    assert (together.position[:, together.event_id == 42] == alone.position).all()


@pytest.mark.parametrize("mean", [0.0, 0.3, 40.0])
def test_poisson(mean):
    k = poisson(Draws(2).rows(EVENTS).uniform(0), mean)
    assert k.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / len(k)))
    assert (k == 0).mean() == pytest.approx(np.exp(-mean), abs=0.01)


def test_an_unknown_year_is_refused():
    with pytest.raises(ValidationError, match=r"year out of \[2016\], got 2031"):
        PrimaryVertices(year=2031)

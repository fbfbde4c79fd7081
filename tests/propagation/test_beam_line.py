"""The state closest to the beam line, for prompt particles and for those born in the fringe field."""

from __future__ import annotations

import numpy as np
import pytest
from collision_particles import particles
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.field import Lhcb
from lamarrpy.propagation import BeamLine, SharedSteps, State, closest_to_beam, dormand_prince

SMALL = st.floats(-0.3, 0.3)


def distance(state: State, line: BeamLine) -> np.ndarray:
    """Transverse distance to the beam line."""
    return np.hypot(state.x - line.x - line.tx * state.z, state.y - line.y - line.ty * state.z)


@given(*[st.floats(-50.0, 50.0)] * 3, *[SMALL] * 2, *[st.floats(-2.0, 2.0)] * 2, *[st.floats(-1e-3, 1e-3)] * 2)
def test_no_other_point_of_the_tangent_is_closer(
    x: float, y: float, z: float, tx: float, ty: float, bx: float, by: float, btx: float, bty: float
) -> None:
    start = State(*(np.array([a]) for a in (x, y, z, tx, ty, 0.0)))
    line = BeamLine(bx, by, btx, bty)
    closest = closest_to_beam(start, line)
    near = distance(closest, line)
    for step in (-10.0, -0.1, 0.1, 10.0):
        moved = closest._replace(z=closest.z + step, x=closest.x + tx * step, y=closest.y + ty * step)
        assert near <= distance(moved, line) + 1e-9
    if np.hypot(tx - btx, ty - bty) > 1e-3:
        assert closest.x == pytest.approx(x + tx * (closest.z[0] - z), abs=1e-6)


def test_a_particle_from_the_beam_line_is_closest_at_its_origin() -> None:
    start = particles(200)
    for extrapolator in (None, SharedSteps(Lhcb())):
        closest = closest_to_beam(start, BeamLine(start.x, start.y), extrapolator)
        for one, other in zip(closest, start, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-9)


def test_a_particle_parallel_to_the_beam_stays() -> None:
    start = State(*(np.array([a]) for a in (3.0, 4.0, 100.0, 1e-3, 0.0, 1e-4)))
    closest = closest_to_beam(start, BeamLine(0.0, 0.0, 1e-3, 0.0), SharedSteps(Lhcb()))
    assert [column.item() for column in closest] == [column.item() for column in start]


def test_real_beam_line_not_the_axis() -> None:
    start = particles(200)
    line = BeamLine(0.8, -0.2, 1e-3, -4e-4)
    closest = closest_to_beam(start._replace(x=0.8 + 1e-3 * start.z, y=-0.2 - 4e-4 * start.z), line)
    assert np.max(distance(closest, line)) < 1e-9


@pytest.mark.parametrize("z", [600.0, 1200.0, 2200.0])
def test_born_in_the_fringe_field_they_are_carried_back_along_the_true_path(z: float) -> None:
    """Particles of the beam line, picked up at a z in the fringe field, are found to come from the beam line."""
    prompt = particles(300, steepest=2.0)
    there = dormand_prince(prompt, [z], Lhcb())
    start = there.state(0, np.full(300, z), prompt.qop)
    line = BeamLine(prompt.x, prompt.y)
    curved, straight = closest_to_beam(start, line, SharedSteps(Lhcb())), closest_to_beam(start, line)
    assert np.max(distance(curved, line)) < 0.015
    assert np.quantile(distance(straight, line), 0.9) > 10 * np.max(distance(curved, line))
    # along the particle the point is as well known as the distance allows
    assert np.max(np.abs(curved.z - prompt.z) * np.hypot(prompt.tx, prompt.ty)) < 0.05
    np.testing.assert_allclose(curved.tx, prompt.tx, atol=1e-5)
    np.testing.assert_array_equal(curved.qop, prompt.qop)


def test_born_inside_the_magnet_or_curling_they_keep_the_tangent() -> None:
    start = State(
        x=np.array([800.0, 2000.0]),
        y=np.array([10.0, 10.0]),
        z=np.array([5000.0, 2400.0]),
        tx=np.array([0.2, 0.9]),
        ty=np.array([0.01, 0.01]),
        qop=np.array([1e-4, -1e-1]),
    )
    line = BeamLine(0.0, 0.0)
    for one, other in zip(closest_to_beam(start, line, SharedSteps(Lhcb())), closest_to_beam(start, line), strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_particles() -> None:
    empty = State(*(np.zeros(0) for _ in range(6)))
    assert len(closest_to_beam(empty, BeamLine(0.0, 0.0), SharedSteps(Lhcb())).x) == 0

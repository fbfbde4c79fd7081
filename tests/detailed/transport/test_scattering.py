"""Multiple scattering: widths, correlations, and that layers add up."""

import numpy as np
import pytest
from guns import along_z, at_plane, slab
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.detailed.transport import Physics, transport
from lamarrpy.detailed.transport.scattering import added_angle, deflect, displacement, highland_angle, perpendicular
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field

ONLY = Physics(ionisation=False, bremsstrahlung=False, interactions=False, decays=False, elastic=False)


def scattered(x_over_x0, p, extent, n=40_000):
    detector = slab(x_over_x0, extent)
    truth = transport(along_z(n, 13, p), detector, magnetic_field("none"), Draws(5, "s"), ONLY)
    return at_plane(truth, detector, "behind")


@pytest.mark.parametrize(("x_over_x0", "p"), [(0.0032, 1000.0), (0.02, 5000.0), (0.2, 20000.0)])
def test_angle_of_one_layer_is_that_of_highland(x_over_x0, p):
    state = scattered(x_over_x0, p, 0.0)
    beta = p / np.hypot(p, 105.658)
    by_hand = 13.6 / (beta * p) * np.sqrt(x_over_x0) * (1.0 + 0.038 * np.log(x_over_x0 / beta**2))
    for slope in (state["tx"], state["ty"]):
        assert slope.std() == pytest.approx(by_hand, rel=0.015)
        assert abs(slope.mean()) < 4.0 * by_hand / np.sqrt(len(slope))
    assert abs(np.corrcoef(state["tx"], state["ty"])[0, 1]) < 0.02


def test_thick_layer_moves_aside_what_it_turns():
    p, depth = 5000.0, 800.0
    state = scattered(0.02, p, depth)
    width = highland_angle(np.array([0.02]), np.array([p]), np.array([p / np.hypot(p, 105.658)]))[0]
    for at, slope in ((state["x"], state["tx"]), (state["y"], state["ty"])):
        assert at.std() == pytest.approx(depth * width / np.sqrt(3.0), rel=0.015)
        assert np.corrcoef(at, slope)[0, 1] == pytest.approx(np.sqrt(0.75), abs=0.01)


@given(st.lists(st.floats(1e-4, 0.1), min_size=1, max_size=20))
def test_layers_scatter_as_one_of_their_thickness(layers):
    p, beta = np.array([3000.0]), np.array([0.99])
    seen, square = np.zeros(1), 0.0
    for layer in layers:
        square += added_angle(seen, np.array([layer]), p, beta)[0] ** 2
        seen += layer
    assert np.sqrt(square) == pytest.approx(highland_angle(seen, p, beta)[0], rel=1e-9)


directions = st.tuples(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))


@given(directions, st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_deflection_is_by_the_angle_asked_for(direction, a, b):
    u, v = (np.array([part]) for part in direction)
    new = np.array(deflect(u, v, np.array([a]), np.array([b])))[:, 0]
    old = np.array([u[0], v[0], np.sqrt(1.0 - u[0] ** 2 - v[0] ** 2)])
    assert np.sum(new**2) == pytest.approx(1.0, abs=1e-12)
    assert np.linalg.norm(np.cross(old, new)) == pytest.approx(np.hypot(a, b) / np.sqrt(1 + a * a + b * b), abs=1e-9)


@given(directions)
def test_perpendicular_directions_are_a_frame(direction):
    u, v = (np.array([part]) for part in direction)
    axes = np.array([*perpendicular(u, v), (u, v, np.sqrt(1.0 - u * u - v * v))])[..., 0]
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-12)


@given(directions, st.floats(-5.0, 5.0), st.floats(-5.0, 5.0))
def test_displaced_paths_are_apart_by_the_shift(direction, a, b):
    u, v = (np.array([part]) for part in direction)
    w = np.sqrt(1.0 - u * u - v * v)
    dx, dy = displacement(u, v, np.array([a]), np.array([b]))
    shift, along = np.array([dx[0], dy[0], 0.0]), np.array([u[0], v[0], w[0]])
    assert np.linalg.norm(np.cross(shift, along)) == pytest.approx(np.hypot(a, b), abs=1e-9)

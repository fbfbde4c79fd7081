"""Transport matrices by differentiation of the networks are those that Runge-Kutta gives by finite differences."""

import numpy as np
import pytest

from lamarrpy.field import magnetic_field
from lamarrpy.propagation import State, dormand_prince
from lamarrpy.train.extrapolation.transport import Transport

STEPS = (1.0, 1.0, 1e-4, 1e-4, 1e-8)
COLUMNS = ("x", "y", "tx", "ty", "qop")


def _differences(start, plane, field):
    """d(x, y, tx, ty, q/p) by central differences of the integration, shape (n, 5, 5)."""
    matrix = np.zeros((len(start.x), 5, 5))
    matrix[:, 4, 4] = 1.0
    for column, (name, step) in enumerate(zip(COLUMNS, STEPS, strict=True)):
        up, down = (
            dormand_prince(start._replace(**{name: getattr(start, name) + sign * step}), [plane], field, 1e-9)
            for sign in (1.0, -1.0)
        )
        for row, (high, low) in enumerate(zip(up[:4], down[:4], strict=True)):
            matrix[:, row, column] = (high[0] - low[0]) / (2.0 * step)
    return matrix


@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
def test_they_agree(exact_folder, polarity):
    field = magnetic_field("lhcb", polarity)
    random = np.random.default_rng(5)
    n = 60
    tx, ty = random.uniform(-0.2, 0.2, n), random.uniform(-0.15, 0.15, n)
    qop = random.choice((-1.0, 1.0), n) / random.uniform(4e3, 60e3, n)
    start = State(np.zeros(n), np.zeros(n), random.uniform(-100, 100, n), tx, ty, qop)
    state, matrix, inside = Transport(exact_folder, field)(start, 9410.0)
    wanted = _differences(start, 9410.0, field)
    assert inside.all()
    assert np.array_equal(state.z, np.full(n, 9410.0))
    size = np.abs(wanted).max(axis=0) + 1e-12
    assert (np.abs(matrix - wanted) / size).max() < 2e-4


def test_phase_space_keeps_its_volume(exact_folder):
    """Liouville: in (x, y, px, py) at fixed |p| the determinant of a way through a static field along z is pz / pz'."""
    n = 30
    random = np.random.default_rng(6)
    tx, ty = random.uniform(-0.1, 0.1, n), random.uniform(-0.1, 0.1, n)
    start = State(np.zeros(n), np.zeros(n), np.zeros(n), tx, ty, np.full(n, 1e-4))
    state, matrix, _ = Transport(exact_folder, magnetic_field("lhcb"))(start, 12_490.0)

    def volume(s):
        """d(u, v)/d(tx, ty): the direction cosines are the momenta over p."""
        return (1.0 + s.tx**2 + s.ty**2) ** -2.0

    determinant = np.linalg.det(matrix[:, :4, :4]) * volume(state) / volume(start)
    assert np.allclose(determinant, 1.0, atol=2e-4)

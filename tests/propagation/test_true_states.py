"""Kinematics and beam lines of generator-level particles."""

import numpy as np
import pytest

from lamarrpy.errors import SchemaError
from lamarrpy.propagation.true_states import CLOSEST, KINEMATICS, LARGEST_ETA, beam_lines, closest_columns, origins
from lamarrpy.propagation.true_states import scatter as scattered
from lamarrpy.tables import generator_level
from lamarrpy.testing import example_events


@pytest.fixture
def batch():
    return example_events(9)


def test_kinematics_are_those_of_the_momentum(batch):
    pz = batch.array("particles", "pz")
    rows = np.flatnonzero(pz > 0.0)[:50]
    state, columns = origins(batch, rows)
    px, py, pz = (batch.array("particles", name)[rows] for name in ("px", "py", "pz"))
    assert tuple(columns) == KINEMATICS
    assert np.allclose(columns["p"] ** 2, px**2 + py**2 + pz**2)
    assert np.allclose(np.tanh(columns["eta"]) * columns["p"], pz)
    assert np.allclose(columns["pt"] * np.cos(columns["phi"]), px)
    assert np.allclose(np.abs(state.qop[state.qop != 0.0]) * columns["p"][state.qop != 0.0], 1.0)
    assert tuple(closest_columns(state)) == CLOSEST


def test_what_flies_along_the_axis_has_a_finite_pseudorapidity(batch):
    n = batch["particles"].num_rows
    schema = generator_level("particles").only("px", "py", "pz")
    along = batch.with_columns(schema, {"px": np.zeros(n), "py": np.zeros(n), "pz": np.full(n, 5e3)})
    columns = origins(along, np.arange(n))[1]
    assert (columns["eta"] == LARGEST_ETA).all()
    assert (columns["pt"] == 0.0).all()


def test_each_particle_has_the_line_of_its_own_collision(batch):
    rows = np.arange(batch["particles"].num_rows)
    line = beam_lines(batch, rows)
    where = dict(
        zip(
            zip(*batch.arrays("vertices", "event_id", "vertex_id"), strict=True),
            batch.array("vertices", "true_x"),
            strict=True,
        )
    )
    wanted = [where[key] for key in zip(*batch.arrays("particles", "event_id", "vertex_id"), strict=True)]
    assert np.array_equal(line.x, wanted)


def test_a_vertex_that_is_not_there_is_named(batch):
    n = batch["particles"].num_rows
    lost = batch.with_columns(generator_level("particles").only("vertex_id"), {"vertex_id": np.full(n, 7)})
    with pytest.raises(SchemaError, match="expected every key to be in the table 'vertices'"):
        beam_lines(lost, np.arange(n))


def test_values_stand_in_their_rows():
    assert scattered(np.array([3.0, 4.0]), np.array([1, 3]), 4, -1.0).tolist() == [-1.0, 3.0, -1.0, 4.0]

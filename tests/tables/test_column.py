"""Columns and schemas say what flows, and refuse what does not fit."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lamarrpy.errors import SchemaError
from lamarrpy.tables import PARTICLES, SCHEMAS, TRACKS, Column
from lamarrpy.tables.arrow import to_arrow, to_numpy

FLOAT = Column("p", "float64", "MeV", "momentum")
NULLABLE = Column("ll", "float64", "", "likelihood", valid_under="is_muon")
FLAG = Column("is_muon", "bool")
COUNT = Column("ndof", "int32")


@given(hnp.arrays(np.float64, st.integers(0, 50), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_floats_survive_the_round_trip(values):
    assert np.array_equal(to_numpy(to_arrow(FLOAT, values)), values)


@given(hnp.arrays(np.float64, st.integers(0, 50), elements=st.floats(allow_infinity=False)))
def test_nan_is_null_in_a_nullable_column(values):
    array = to_arrow(NULLABLE, values)
    assert array.null_count == np.isnan(values).sum()
    assert np.array_equal(to_numpy(array), values, equal_nan=True)


@given(hnp.arrays(np.bool_, st.integers(0, 50)))
def test_flags_survive_the_round_trip(values):
    assert np.array_equal(to_numpy(to_arrow(FLAG, values)), values)


def test_the_result_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        to_numpy(to_arrow(FLOAT, np.ones(3)))[0] = 2.0


def test_a_chunked_column_becomes_one_array():
    chunks = pa.chunked_array([to_arrow(FLOAT, [1.0]), to_arrow(FLOAT, [2.0, 3.0])])
    assert to_numpy(chunks).tolist() == [1.0, 2.0, 3.0]
    assert to_numpy(pa.chunked_array([], pa.float64())).tolist() == []


@given(hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(allow_infinity=False)), st.data())
def test_slices_of_arrow_arrays_become_the_same_slices(values, data):
    start = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(start, len(values)))
    flags = values > 0
    assert np.array_equal(to_numpy(to_arrow(NULLABLE, values)[start:stop]), values[start:stop], equal_nan=True)
    assert np.array_equal(to_numpy(to_arrow(FLAG, flags)[start:stop]), flags[start:stop])


def test_nulls_of_integers_and_flags_become_nan():
    assert np.isnan(to_numpy(pa.array([1, None, 3])[1:])).tolist() == [True, False]
    assert np.isnan(to_numpy(pa.array([None, True]))).tolist() == [True, False]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (FLOAT, [1.0, np.nan], "column 'p': expected finite numbers, got nan in row 1"),
        (FLOAT, [np.inf], "got inf in row 0"),
        (NULLABLE, [np.nan, -np.inf], "got -inf in row 1"),
        (FLOAT, [[1.0]], r"expected shape \(n,\), got \(1, 1\)"),
        (COUNT, [1.5], "column 'ndof': expected int32, got float64"),
        (COUNT, [2**40], "does not fit into int32"),
        (FLAG, [1.0], "expected bool, got float64"),
        (FLOAT, ["a"], "expected float64"),
    ],
)
def test_what_does_not_fit_is_refused(column, values, message):
    with pytest.raises(SchemaError, match=message):
        to_arrow(column, values)


def test_a_field_carries_unit_and_meaning():
    field = TRACKS["muon_mu_ll"].field
    assert field.nullable
    assert field.metadata[b"valid_under"] == b"is_muon"
    assert TRACKS["cov_x_qop"].unit == "mm/MeV"
    assert TRACKS["cov_qop_qop"].unit == "1/MeV^2"
    assert TRACKS["cov_tx_ty"].unit == ""
    assert TRACKS["cov_x_y"].unit == "mm^2"


def test_every_column_is_documented_and_named_once():
    for schema in SCHEMAS.values():
        assert len(set(schema.names)) == len(schema)
        assert set(schema.key) <= set(schema.names)
        for column in schema:
            assert column.doc, column.name
            assert column.valid_under is None or schema[column.valid_under].dtype == "bool"


def test_the_covariance_has_fifteen_elements():
    assert sum(name.startswith("cov_") for name in TRACKS.names) == 15


def test_selecting_an_unknown_column_lists_the_known_ones():
    with pytest.raises(SchemaError, match="table 'particles' has no column 'energy'; it has: event_id"):
        PARTICLES.only("energy")

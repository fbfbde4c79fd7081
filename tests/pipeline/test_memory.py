"""Running in memory takes tables as well as files."""

import numpy as np
import pytest
from toy_stages import TOY

from lamarrpy.errors import InputError, SchemaError
from lamarrpy.pipeline import run
from lamarrpy.testing import example_events

BATCH = example_events(20)


@pytest.fixture(scope="module")
def expected():
    return run(TOY, BATCH, seed=2)["tracks"]


@pytest.mark.parametrize("kind", ["pyarrow", "pandas", "mapping"])
def test_every_kind_of_table_gives_the_same(kind, expected):
    table = BATCH["particles"]
    particles = {
        "pyarrow": lambda: table,
        "pandas": lambda: table.to_pandas(),
        "mapping": lambda: {name: BATCH.array("particles", name) for name in table.column_names},
    }[kind]()
    assert run(TOY, particles, seed=2)["tracks"].equals(expected)


def test_what_is_no_table_is_refused():
    with pytest.raises(InputError, match="a mapping of columns, got int"):
        run(TOY, 5)


def test_a_missing_column_is_named():
    with pytest.raises(SchemaError, match="no column 'pz'"):
        run(TOY, BATCH["particles"].drop_columns("pz"))


def test_bad_rows_can_be_dropped():
    table = {name: BATCH.array("particles", name).copy() for name in BATCH["particles"].column_names}
    table["px"][3] = np.nan
    with pytest.raises(InputError, match="px"):
        run(TOY, table)
    kept = run(TOY, table, on_bad_rows="drop")["particles"]
    assert kept.num_rows == len(table["px"]) - 1

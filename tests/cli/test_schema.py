from __future__ import annotations

import pytest
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.errors import ConfigError
from lamarrpy.tables import SCHEMAS


def show(*arguments):
    return CliRunner().invoke(app, ["schema", *arguments], env={"COLUMNS": "160"}, catch_exceptions=False).output


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_column_with_dtype_unit_and_meaning(table):
    lines = show(table).splitlines()
    assert f"{table} (key: {', '.join(SCHEMAS[table].key)})" in lines[0]
    for column in SCHEMAS[table]:
        row = next(line for line in lines if line.startswith(f"│ {column.name} "))
        cells = [cell.strip() for cell in row.strip("│").split("│")]
        assert cells[:3] == [column.name, column.dtype, column.unit]
        assert cells[3].startswith(column.doc[:40])


def test_all_tables_by_default():
    text = show()
    assert all(f"{table} (key:" in text for table in SCHEMAS)


def test_remarks_say_what_is_optional_and_what_may_be_null():
    assert "time at the origin; optional in inputs" in show("particles")
    assert "MUON log-likelihood of the muon; null unless is_muon" in show("tracks")


def test_an_unknown_table_with_the_closest_one():
    with pytest.raises(ConfigError, match=r"expected one of the tables .* got 'track'; did you mean 'tracks'\?"):
        show("track")

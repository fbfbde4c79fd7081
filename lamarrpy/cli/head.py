"""``lamarrpy head``: the first rows of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def head(
    source: Annotated[Path, typer.Argument(help="File or folder with tables.")],
    table: Annotated[str | None, typer.Option("-t", "--table", help="Which table; tracks, or else the first.")] = None,
    rows: Annotated[int, typer.Option("-n", "--rows", min=1, max=20, help="How many rows.")] = 3,
) -> None:
    """Show the first rows of a table, one column of it a line."""
    from rich.console import Console
    from rich.table import Table

    from lamarrpy.errors import InputError, did_you_mean
    from lamarrpy.io.batch import read_rows
    from lamarrpy.io.inputs import open_tables
    from lamarrpy.io.naming import RENAMED
    from lamarrpy.tables import SCHEMAS

    with open_tables(source) as tables:
        name = table or ("tracks" if "tracks" in tables else next(iter(tables)))
        if name not in tables:
            raise InputError(f"{source}: has no table {name!r}, but {', '.join(tables)}{did_you_mean(name, tables)}")
        total = tables[name].rows
        data = read_rows(name, tables[name], 0, min(rows, total))
        renamed = tables.has_lhcb_names
    shown = Table(title=f"{name}: first {len(data)} of {total:,} rows  ({source})", title_justify="left")
    shown.add_column("column", no_wrap=True)
    for row in range(len(data)):
        shown.add_column(f"row {row}", justify="right", no_wrap=True)
    shown.add_column("unit", no_wrap=True)
    schema = SCHEMAS.get(name)
    for column in data.column_names:
        unit = schema[column].unit if schema is not None and column in schema else ""
        shown.add_row(column, *(_cell(value) for value in data.column(column).to_pylist()), unit)
    console = Console(width=max(Console().width, 30 + 13 * len(data)))
    console.print(shown)
    if renamed:
        console.print(RENAMED, highlight=False)


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)

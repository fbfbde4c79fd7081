"""`lamarrpy schema`: the canonical columns, their units and meaning."""

from __future__ import annotations

from typing import Annotated

import typer


def schema(
    table: Annotated[str | None, typer.Argument(help="One of the five tables. [default: all]")] = None,
) -> None:
    """Print the columns of the tables with dtype, unit and meaning."""
    from rich.console import Console

    from lamarrpy.errors import ConfigError, did_you_mean
    from lamarrpy.tables import SCHEMAS

    if table is not None and table not in SCHEMAS:
        hint = did_you_mean(table, SCHEMAS)
        raise ConfigError(f"expected one of the tables {', '.join(SCHEMAS)}, got {table!r}{hint}")
    console = Console()
    for name in [table] if table else SCHEMAS:
        console.print(_columns(name))


def _columns(table: str) -> object:
    from rich.table import Table

    from lamarrpy.tables import SCHEMAS

    known = SCHEMAS[table]
    rows = Table(title=f"{table} (key: {', '.join(known.key)})", title_justify="left")
    for header in ("column", "dtype", "unit"):
        rows.add_column(header, no_wrap=True)
    rows.add_column("meaning")
    for column in known:
        remarks = [column.doc, *(["optional in inputs"] if column.optional else [])]
        remarks += [f"null unless {column.valid_under}"] if column.valid_under else []
        rows.add_row(column.name, column.dtype, column.unit, "; ".join(remarks))
    return rows

"""`lamarrpy inspect`: what a file or folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections import Counter

    from rich.table import Table

    from lamarrpy.io.summary import TableSummary

_SPECIES_SHOWN = 12


def inspect(source: Annotated[Path, typer.Argument(help="File or folder with tables.")]) -> None:
    """Show tables, rows, events, species, and the range and unit of every column."""
    from rich.console import Console

    from lamarrpy.io.summary import summarise

    console = Console()
    summary = summarise(source)
    for table in summary.tables:
        console.print(_columns(table))
        if table.species:
            console.print(_species(table.species, table.rows), highlight=False)
        console.print()
    for note in summary.notes:
        console.print(note, highlight=False)


def _columns(table: TableSummary) -> Table:
    from rich.table import Table

    title = f"{table.name}: {table.rows:,} rows, {table.events:,} events"
    rows = Table(title=title, title_justify="left")
    for header, justify in (("column", "left"), ("dtype", "left"), ("min", "right"), ("max", "right")):
        rows.add_column(header, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    rows.add_column("unit", no_wrap=True)
    rows.add_column("nulls", justify="right")
    rows.add_column("NaN or inf", justify="right")
    for column in table.columns:
        counts = [f"{count:,}" if count else "" for count in (column.nulls, column.not_finite)]
        rows.add_row(column.name, column.dtype, _number(column.low), _number(column.high), column.unit, *counts)
    return rows


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _species(species: Counter[int], rows: int) -> str:
    """Rows by particle, the most frequent first, such as ``pi+ 1,234 (12.3%)``."""
    shown = species.most_common(_SPECIES_SHOWN)
    parts = [f"{_name(pid)} {count:,} ({count / rows:.1%})" for pid, count in shown]
    rest = sum(species.values()) - sum(count for _, count in shown)
    return "species: " + ", ".join(parts) + (f", {len(species) - len(shown)} others {rest:,}" if rest else "")


def _name(pid: int) -> str:
    from particle import InvalidParticle, Particle, ParticleNotFound

    if pid == 0:
        return "none (ghosts)"
    try:
        return str(Particle.from_pdgid(pid).name)
    except (ParticleNotFound, InvalidParticle):
        return f"unknown {pid}"

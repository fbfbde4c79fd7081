"""`lamarrpy convert`: from any format to any other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def convert(
    source: Annotated[Path, typer.Argument(help="File or folder to read.")],
    target: Annotated[Path, typer.Argument(help="What to write: a folder, or a .parquet, .root, .db or .csv file.")],
    table: Annotated[list[str] | None, typer.Option(help="A table to write; may be repeated. [default: all]")] = None,
    naming: Annotated[Literal["lhcb"] | None, typer.Option(help="Write LHCb ntuple names.")] = None,
    on_bad_rows: Annotated[
        Literal["error", "drop"], typer.Option(help="Whether a bad particle is an error, or dropped and counted.")
    ] = "error",
    rntuple: Annotated[bool, typer.Option("--rntuple", help="RNTuples instead of TTrees in a .root file.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")] = False,
) -> None:
    """Convert events or results to another format, checked and in MeV, mm and ns."""
    from rich.console import Console

    from lamarrpy.io.conversion import convert as convert_files

    done = convert_files(
        source,
        target,
        tables=table or (),
        naming=naming,
        on_bad_rows=on_bad_rows,
        rntuple=rntuple,
        overwrite=overwrite,
    )
    console = Console()
    for note in done.notes:
        console.print(note, highlight=False)
    for reason, count in done.bad.reasons.items():
        console.print(f"dropped {count:,} particles: {reason}", highlight=False)
    written = ", ".join(f"{rows:,} rows of {name}" for name, rows in done.rows.items())
    console.print(f"wrote {written} to {target}", highlight=False, soft_wrap=True)

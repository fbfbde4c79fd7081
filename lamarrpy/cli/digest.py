"""`lamarrpy digest`: a hash of every table, whatever the layout of its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def digest(source: Annotated[Path, typer.Argument(help="File or folder with tables.")]) -> None:
    """Print the sha256 of every table's columns, rows sorted by key."""
    from lamarrpy.io import digest as digest_tables

    digests = digest_tables(source)
    width = max((len(name) for name in digests), default=0)
    for name, value in digests.items():
        typer.echo(f"{name:{width}}  {value}")

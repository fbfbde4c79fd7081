"""`lamarrpy sample`: what a model makes of a table of conditions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sample(
    model: Annotated[Path, typer.Argument(help="Folder of a model.")],
    conditions: Annotated[Path, typer.Argument(help="Table with its conditions: Parquet, ROOT, SQLite, CSV.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Parquet file to write.")],
    seed: Annotated[int, typer.Option("-s", "--seed", help="Seed of every random number.")] = 0,
    table: Annotated[
        str | None,
        typer.Option(help="Which table, of a file with several; else the first that has the conditions."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads at work.")] = 2,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Draw the targets of a model for each row of a table, whose order and columns stay.

    Rows with a condition beyond what the model was trained on have in_domain false. A classifier adds the
    probability of each class.
    """
    from lamarrpy.parameterization.sampling import sample_file

    told = sample_file(model, conditions, output, seed=seed, table=table, threads=threads, overwrite=overwrite)
    if not quiet:
        from rich.console import Console

        Console().print(
            f"wrote {told.rows:,} rows to {output}, {told.outside:,} of them beyond the training domain"
            f" ({told.rate:,.0f} rows/s)",
            highlight=False,
            soft_wrap=True,
        )

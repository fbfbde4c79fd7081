"""``lamarrpy tracks``: make tracks through a magnetic field with their true end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def tracks(
    recipe: Annotated[str, typer.Argument(help="A recipe file (YAML), or the name of a shipped recipe.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write: .parquet or .npz.")],
    number: Annotated[int, typer.Option("-n", "--tracks", min=1, help="How many tracks to keep.")] = 100_000,
    seed: Annotated[int, typer.Option("-s", "--seed", help="Seed of every random number.")] = 0,
    first: Annotated[int, typer.Option("--first", min=0, help="Number of the first track to draw.")] = 0,
    workers: Annotated[int, typer.Option("-w", "--workers", min=1, help="Processes that make them.")] = 1,
    float32: Annotated[bool, typer.Option("--float32", help="Half the space; positions to 0.2 um.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Make tracks as a RECIPE says: what extrapolators learn from and are measured by.

    The same recipe and seed give the same tracks, whatever the number of workers.
    """
    import time

    from rich.console import Console
    from rich.progress import Progress

    from lamarrpy.tracks.production import write_tracks
    from lamarrpy.tracks.recipe import load_track_recipe

    loaded = load_track_recipe(recipe)
    begin = time.perf_counter()
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task(f"tracks ({loaded.name})", total=number)
        tally = write_tracks(
            loaded,
            output,
            number,
            seed,
            first=first,
            workers=workers,
            precision="float32" if float32 else "float64",
            overwrite=overwrite,
            progress=lambda kept: bar.advance(task, kept),
        )
    if not quiet:
        rate = number / (time.perf_counter() - begin)
        Console().print(f"{tally} at {rate:,.0f} tracks/s -> {output}", highlight=False, soft_wrap=True)

"""``lamarrpy generate``: make events to simulate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def generate(
    recipe: Annotated[str, typer.Argument(help="A recipe file (YAML), or the name of a shipped recipe.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="A folder (one Parquet file a table), .root, .db, or .parquet (particles alone)."
        ),
    ],
    events: Annotated[int, typer.Option("-n", "--events", min=1, help="How many events.")] = 1000,
    seed: Annotated[int, typer.Option("-s", "--seed", help="Seed of every random number.")] = 0,
    first_event: Annotated[int, typer.Option(min=0, help="event_id of the first event.")] = 0,
    chunk_events: Annotated[int, typer.Option(min=1, help="Events worked on at a time.")] = 10_000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Generate events as a RECIPE says: particle gun, decay gun or Pythia 8.

    The same recipe and seed give the same events, bit by bit.
    """
    from rich.console import Console
    from rich.progress import Progress

    from lamarrpy.generate import load_recipe
    from lamarrpy.generate.output import generate_file

    loaded = load_recipe(recipe)
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task(f"generating ({loaded.kind})", total=events)
        rows = generate_file(
            output,
            loaded,
            events,
            seed,
            first_event=first_event,
            chunk_events=chunk_events,
            overwrite=overwrite,
            progress=lambda done: bar.advance(task, done),
        )
    if not quiet:
        written = ", ".join(f"{number:,} {table}" for table, number in rows.items())
        Console().print(f"{written} -> {output}", highlight=False, soft_wrap=True)

"""Generated events to a file or folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lamarrpy
from lamarrpy.generate.recipe import Recipe
from lamarrpy.generate.run import generate
from lamarrpy.io import open_sink
from lamarrpy.io.inputs import file_format
from lamarrpy.io.one_table import check_particles_say_all
from lamarrpy.io.target import ONE_TABLE


def generate_file(
    output: Path,
    recipe: Recipe,
    events: int,
    seed: int = 0,
    *,
    first_event: int = 0,
    chunk_events: int = 10_000,
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda events: None,
) -> Mapping[str, int]:
    """Generate events and write them, batch by batch.

    Parameters
    ----------
    output : Path
        A folder (one Parquet file a table), a .root or .db file, or a .parquet or .csv file, which
        holds the particles alone.
    recipe, events, seed, first_event, chunk_events
        As for ``generate``.
    overwrite : bool
        Replace an output that is there.
    progress : callable
        Told the number of events after each batch.

    Returns
    -------
    mapping of str to int
        Rows written, by table.

    Raises
    ------
    OutputError
        If the output cannot be written, or cannot hold all of the events.
    """
    batches = generate(recipe, events, seed, first_event=first_event, chunk_events=chunk_events)
    one_table = file_format(output) in ONE_TABLE
    rows: dict[str, int] = {}
    with open_sink(
        output,
        provenance=provenance(recipe, events, seed, first_event),
        tables={"particles": None} if one_table else None,
        overwrite=overwrite,
    ) as sink:
        for batch in batches:
            if one_table:
                check_particles_say_all(batch, output)
            sink.append(batch)
            for table in sink.tables:
                rows[table] = rows.get(table, 0) + batch[table].num_rows
            progress(batch["events"].num_rows)
    return rows


def provenance(recipe: Recipe, events: int, seed: int, first_event: int = 0) -> dict[str, Any]:
    """How events were generated: recipe, seed and versions, as plain JSON."""
    return {
        "generated_by": {"lamarrpy": lamarrpy.__version__, **recipe.versions},
        "recipe": recipe.model_dump(mode="json", exclude_unset=True),
        "events": events,
        "seed": seed,
        "first_event": first_event,
    }

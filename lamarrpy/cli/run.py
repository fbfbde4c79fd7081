"""``lamarrpy run``: simulate the events of a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from lamarrpy.cli import running


def run(
    pipeline: Annotated[str, typer.Argument(help="A pipeline file (YAML), or the name of a shipped pipeline.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT", help=running.INPUT_HELP)],
    output: Annotated[Path, typer.Option("-o", "--output", help=running.OUTPUT_HELP)] = Path("out"),
    seed: running.Seed = 0,
    workers: running.Workers = 1,
    chunk_events: running.ChunkEvents = None,
    partition: running.Slice = "1/1",
    resume: running.Resume = False,
    overwrite: running.Overwrite = False,
    on_bad_rows: running.OnBadRows = "error",
    naming: running.Naming = None,
    polarity: Annotated[
        Literal["MagUp", "MagDown"] | None, typer.Option(help="Magnet polarity, instead of the pipeline's.")
    ] = None,
    quiet: running.Quiet = False,
) -> None:
    """Simulate the events of INPUT with a PIPELINE.

    The same input and seed give bit-identical tables for any number of workers, chunk size or order of events.
    """
    from lamarrpy.pipeline.files import RunOptions, run_files

    options = RunOptions(
        seed=seed,
        workers=workers,
        chunk_events=chunk_events,
        partition=running.parse_slice(partition),
        resume=resume,
        overwrite=overwrite,
        on_bad_rows=on_bad_rows,
        naming=naming,
        polarity=polarity,
    )
    source = inputs[0] if len(inputs) == 1 else inputs
    running.run_and_tell(partial(run_files, pipeline, source, output, options), output, quiet)

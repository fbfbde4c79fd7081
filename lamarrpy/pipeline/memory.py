"""Running a pipeline from Python, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from numpy.typing import ArrayLike

from lamarrpy.errors import InputError
from lamarrpy.io import open_source
from lamarrpy.pipeline.partition import check_events
from lamarrpy.pipeline.pipeline import Pipeline
from lamarrpy.pipeline.spec import load_pipeline
from lamarrpy.tables import EventBatch

if TYPE_CHECKING:
    import pandas as pd


def run(
    pipeline: str | Path | Mapping[str, Any] | Pipeline,
    particles: str | Path | EventBatch | pa.Table | pd.DataFrame | Mapping[str, ArrayLike],
    *,
    seed: int = 0,
    on_bad_rows: Literal["error", "drop"] = "error",
    polarity: Literal["MagUp", "MagDown"] | None = None,
) -> EventBatch:
    """Simulate events that fit into memory; `run_files` streams those that do not.

    Parameters
    ----------
    pipeline : str, Path, mapping or Pipeline
        The name of a shipped pipeline, a pipeline file, or its content.
    particles : path, EventBatch, pyarrow.Table, pandas.DataFrame or mapping of str to array_like
        Generator-level particles: a file in any known format, or the columns of the table
        ``particles`` (see ``lamarrpy schema particles``); an EventBatch may hold vertices and
        events too.
    seed : int
        Seed of every random number; the same as of ``lamarrpy run --seed``.
    on_bad_rows : {"error", "drop"}
        What to do with single rows that make no sense.
    polarity : {"MagUp", "MagDown"}, optional
        Polarity of the magnet, instead of the pipeline's.

    Returns
    -------
    EventBatch
        All tables with the columns that the pipeline keeps: bit for bit what ``lamarrpy run``
        writes.

    Raises
    ------
    ConfigError, InputError, SchemaError
        As ``lamarrpy run`` does.

    Examples
    --------
    >>> import lamarrpy
    >>> batch = lamarrpy.run("parametric", "data/bbbar_pythia8.parquet", seed=1)  # doctest: +SKIP
    >>> batch["tracks"].to_pandas()  # doctest: +SKIP
    """
    if not isinstance(pipeline, Pipeline):
        pipeline = load_pipeline(pipeline, polarity=polarity)
    with open_source(_as_input(particles), on_bad_rows=on_bad_rows) as source:
        batch, _ = source.read(0, len(source))
        result, _ = pipeline(batch, seed)
        check_events(source.event_ids[:], result)
    return pipeline.select_output(result)


def _as_input(particles: Any) -> str | Path | EventBatch | pa.Table:
    if isinstance(particles, str | Path | EventBatch | pa.Table):
        return particles
    if isinstance(particles, Mapping):
        return pa.table(dict(particles))
    if hasattr(particles, "columns"):
        return pa.Table.from_pandas(particles, preserve_index=False)
    raise InputError(
        "expected a path, an EventBatch, a pyarrow table, a pandas data frame or a mapping of columns,"
        f" got {type(particles).__name__}"
    )

"""A pipeline: a tuple of stages, and the check that each finds its columns before any row is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lamarrpy.cutflow import CutFlow
from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError, StageError
from lamarrpy.stages import STAGES
from lamarrpy.stages.stage import Stage
from lamarrpy.tables import SCHEMAS, EventBatch, Schema, generator_level

INPUT_TABLES = ("events", "vertices", "particles")
"""What a pipeline starts from; everything else is made on the way."""

Columns = dict[str, list[str]]


@dataclass(frozen=True)
class Pipeline:
    """The stages of a simulation, in the order in which they act.

    Parameters
    ----------
    name : str
        What it is called in messages and provenance.
    stages : tuple of Stage
        The detector effects; checked here.
    output : mapping of str to sequence of str or None
        The tables to keep, and of each the columns to keep (None: all of them). Empty: all
        tables. Key columns are always kept.

    Raises
    ------
    ConfigError
        If a stage stands twice, misses a column or writes one that is already there, or if the
        output asks for a column that no one provides.
    """

    name: str
    stages: tuple[Stage, ...]
    output: Mapping[str, Sequence[str] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        available = check_columns(self.stages)
        _check_output(self.output, available)
        object.__setattr__(self, "output", MappingProxyType(dict(self.output)))

    def __reduce__(self) -> tuple[object, ...]:
        return Pipeline, (self.name, self.stages, dict(self.output))

    def __call__(self, batch: EventBatch, seed: int) -> tuple[EventBatch, CutFlow]:
        """Carry a batch of whole events from the generator to the analysis level.

        Parameters
        ----------
        batch : EventBatch
            The generator-level tables: events, vertices, particles.
        seed : int
            Seed of the run.

        Returns
        -------
        batch : EventBatch
            All tables with all columns.
        cutflow : CutFlow
            What each stage kept.
        """
        draws = Draws(seed)
        flow = CutFlow.of_input(batch)
        for stage in self.stages:
            after = _apply(stage, batch, draws)
            flow = flow + CutFlow.of_stage(stage, batch, after)
            batch = after
        return batch, flow

    @property
    def output_tables(self) -> tuple[str, ...]:
        """The tables that are kept."""
        return tuple(self.output or check_columns(self.stages))

    def rows_per_chunk(self, rows: int) -> int:
        """Particle rows that it is best given at a time: they fill neither the cache nor the memory."""
        return 65_536

    def describe(self) -> dict[str, Any]:
        """Every setting spelled out and every file that one names hashed, as plain data."""
        stages = [{"kind": stage.name, **asdict(stage)} for stage in self.stages]  # type: ignore[call-overload]
        files = {value for stage in stages for name, value in stage.items() if name.endswith("_file") and value}
        return {
            "name": self.name,
            "stages": stages,
            "output": {table: names and list(names) for table, names in self.output.items()},
            "files": {file: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in sorted(files)},
        }

    def remarks(self, cutflow: CutFlow) -> tuple[str, ...]:
        """Nothing: what the stages did stands in the cut-flow."""
        return ()

    def select_output(self, batch: EventBatch) -> EventBatch:
        """The tables and columns that the pipeline file asks to keep."""
        if not self.output:
            return batch
        return EventBatch(
            {
                table: batch[table] if wanted is None else batch[table].select(_with_key(batch, table, wanted))
                for table, wanted in self.output.items()
            }
        )


def _apply(stage: Stage, batch: EventBatch, draws: Draws) -> EventBatch:
    """Call a stage; say which one it was, and on which events, if it fails or breaks its word.

    Raises
    ------
    StageError
        From whatever went wrong.
    """
    try:
        after = stage(batch, draws.stage(stage.name))
        for table, schema in stage.writes.items():
            missing = [name for name in schema.names if table not in after or name not in after[table].column_names]
            if missing:
                raise StageError(f"expected it to write {table}.{', '.join(missing)} as it declares, but it did not")
    except Exception as error:
        ids = batch.array("events", "event_id")
        events = f"events {ids.min()} to {ids.max()}" if len(ids) else "no events"
        raise StageError(f"stage {stage.name!r}, {events}: {type(error).__name__}: {error}") from error
    return after


def _with_key(batch: EventBatch, table: str, wanted: Sequence[str]) -> list[str]:
    key = SCHEMAS[table].key if table in SCHEMAS else ("event_id",)
    return [name for name in batch[table].column_names if name in key or name in wanted]


def check_columns(stages: Sequence[Stage]) -> Columns:
    """Walk the stages and see that each finds what it reads and overwrites nothing.

    Returns
    -------
    dict of str to list of str
        The columns of every table at the end.

    Raises
    ------
    ConfigError
        Naming the stage, the missing columns and the stages that could provide them.
    """
    available: Columns = {table: list(generator_level(table).names) for table in INPUT_TABLES}
    seen: set[str] = set()
    for at, stage in enumerate(stages):
        if stage.name in seen:
            raise ConfigError(f"stage {stage.name!r} stands twice in the pipeline; keep one of the two")
        seen.add(stage.name)
        for table, schema in stage.reads.items():
            missing = [name for name in schema.names if name not in available.get(table, ())]
            if missing:
                raise ConfigError(_explain_missing(stage, table, missing, stages[at + 1 :]))
        for table, schema in stage.writes.items():
            _add_columns(available, stage, table, schema)
    return available


def _add_columns(available: Columns, stage: Stage, table: str, schema: Schema) -> None:
    present = available.setdefault(table, [])
    again = [name for name in schema.names if name in present]
    if again:
        raise ConfigError(
            f"stage {stage.name!r} writes {table}.{', '.join(again)}, which an earlier stage or the input"
            " already provides; remove one of the two stages"
        )
    present.extend(schema.names)


def _explain_missing(stage: Stage, table: str, missing: list[str], later: Sequence[Stage]) -> str:
    key = SCHEMAS[table].key if table in SCHEMAS else ()
    told = [name for name in missing if name not in key] or missing
    columns = ", ".join(f"{table}.{name}" for name in told)
    text = f"stage {stage.name!r} needs {columns}, which neither the input nor an earlier stage provides"
    too_late = [s.name for s in later if _provides(s, table, missing)]
    if too_late:
        return f"{text}; {' and '.join(map(repr, too_late))} provides it, but comes later: move it up"
    known = [name for name, kind in STAGES.items() if _provides_by_default(kind, table, missing)]
    if known:
        return f"{text}; add one of the stages that do: {', '.join(known)}"
    return f"{text}; no known stage provides it: is it misspelt?"


def _provides(stage: Stage, table: str, names: Sequence[str]) -> bool:
    return table in stage.writes and any(name in stage.writes[table] for name in names)


def _provides_by_default(kind: type[Stage], table: str, names: Sequence[str]) -> bool:
    return _provides(kind(), table, names)


def _check_output(output: Mapping[str, Sequence[str] | None], available: Columns) -> None:
    for table, names in output.items():
        if table not in available:
            raise ConfigError(f"output: no stage makes the table {table!r}; there are: {', '.join(sorted(available))}")
        unknown = [name for name in names or () if name not in available[table]]
        if unknown:
            raise ConfigError(
                f"output.{table}: no column {', '.join(map(repr, unknown))}; there are: {', '.join(available[table])}"
            )

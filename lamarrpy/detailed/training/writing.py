"""Training samples as files: one folder a stage, one Parquet file a species."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import lamarrpy
from lamarrpy.detailed.training.stages import STAGES, StageSample, Values
from lamarrpy.errors import InputError, OutputError, SchemaError
from lamarrpy.io import read_batch
from lamarrpy.io.target import check_output, record_path, writing
from lamarrpy.tables import SCHEMAS, EventBatch

SAMPLES = "samples.json"
"""What is in the folder, and from which runs."""

_NEEDED = ("events", "particles", "tracks", "clusters")

_OWN = {
    "tx": ("", "dx/dz of the photon"),
    "ty": ("", "dy/dz of the photon"),
    "from_pi0": ("", "whether its mother is a neutral pion"),
    "dx": ("mm", "reconstructed position less where the photon ends on the calorimeter"),
    "dy": ("mm", "reconstructed position less where the photon ends on the calorimeter"),
    "de_over_e": ("", "reconstructed over true energy, less one"),
}
"""Unit and meaning of columns that no table has."""


def write_training_samples(
    inputs: Sequence[Path], output: Path, stages: Sequence[str] = (), overwrite: bool = False
) -> dict[str, dict[str, int]]:
    """Write what each stage learns from: ``<stage>/<part>.parquet``, and ``samples.json`` that says what they are.

    Parameters
    ----------
    inputs : sequence of Path
        Outputs of ``lamarrpy detailed``, each read whole, one after the other.
    output : Path
        Folder to write.
    stages : sequence of str
        Names of `STAGES`; all of them if left out.
    overwrite : bool
        Whether training samples that are there may be replaced; whatever else is in their folder stays.

    Returns
    -------
    dict of str to dict of str to int
        Rows of each part of each stage.

    Raises
    ------
    InputError, SchemaError
        If an input is not a whole output of the Detailed Simulation.
    OutputError
        If the output cannot be written.
    """
    check_output(output, overwrite=overwrite)
    if output.is_dir() and any(output.iterdir()) and not (output / SAMPLES).is_file():
        raise OutputError(
            f"{output}: expected training samples to replace, got a folder without {SAMPLES}; choose another -o"
        )
    chosen = {name: STAGES[name] for name in stages or STAGES}
    output.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    partial = holder / output.name  # with the permissions that a folder usually has
    try:
        with writing(output):
            partial.mkdir()
            rows = _write(inputs, partial, chosen)
            _place(partial, output)
    finally:
        shutil.rmtree(holder, ignore_errors=True)
    return rows


def _place(partial: Path, output: Path) -> None:
    """Give finished samples their name, in the place of those that are there."""
    if not output.is_dir():
        os.replace(partial, output)
        return
    (output / SAMPLES).unlink(missing_ok=True)
    for name in STAGES:
        shutil.rmtree(output / name, ignore_errors=True)
    for item in sorted(partial.iterdir()):
        os.replace(item, output / item.name)


def _write(inputs: Sequence[Path], folder: Path, stages: Mapping[str, StageSample]) -> dict[str, dict[str, int]]:
    rows: dict[str, dict[str, int]] = {name: {} for name in stages}
    sources = []
    with ExitStack() as stack:
        writers: dict[Path, pq.ParquetWriter] = {}
        for path in inputs:
            batch = _read(path)
            sources.append({"path": path.name, "run": _record(path)})
            for name, stage in stages.items():
                for part, values in stage.parts(batch).items():
                    table = _table(stage, values)
                    file = folder / name / f"{part}.parquet"
                    if file not in writers:
                        file.parent.mkdir(exist_ok=True)
                        writers[file] = stack.enter_context(pq.ParquetWriter(file, table.schema))
                    writers[file].write_table(table)
                    rows[name][part] = rows[name].get(part, 0) + table.num_rows
    known = {
        name: {"conditions": stage.conditions, "targets": stage.targets, "rows": rows[name]}
        for name, stage in stages.items()
    }
    what = {"lamarrpy": lamarrpy.__version__, "stages": known, "sources": sources}
    (folder / SAMPLES).write_text(json.dumps(what, indent=2) + "\n", encoding="utf-8")
    return rows


def _read(path: Path) -> EventBatch:
    batch = read_batch(path)
    missing = [name for name in _NEEDED if name not in batch]
    if missing:
        raise InputError(
            f"{path}: expected an output of lamarrpy detailed, but it has no table {', '.join(missing)}; make one"
            " with lamarrpy detailed, without --tracking-only"
        )
    if "rich_dll_k" not in batch["tracks"].column_names:
        raise SchemaError(f"{path}: expected tracks with identification, got none; make them with lamarrpy detailed")
    return batch


def _record(path: Path) -> object:
    """What the run that made it says of itself."""
    record = record_path(path)
    return json.loads(record.read_text(encoding="utf-8")) if record.is_file() else None


def _table(stage: StageSample, values: Values) -> pa.Table:
    """The columns of a stage, with units and meanings."""
    fields, arrays = [], []
    for name in stage.columns:
        column = np.ascontiguousarray(values[name])
        array = pa.array(column, from_pandas=True)
        fields.append(pa.field(name, array.type, metadata=_metadata(name)))
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _metadata(name: str) -> dict[str, str]:
    if name in _OWN:
        unit, doc = _OWN[name]
        return {"unit": unit, "doc": doc}
    column = next(schema[name] for schema in SCHEMAS.values() if name in schema)
    return {"unit": column.unit, "doc": column.doc}

"""Training samples as files: a folder each, one Parquet file a species."""

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
from lamarrpy.errors import InputError, OutputError, SchemaError
from lamarrpy.io import read_batch
from lamarrpy.io.target import check_output, record_path, writing
from lamarrpy.tables import SCHEMAS, EventBatch
from lamarrpy.train.samples.tables import OWN, SAMPLES, Sample, Values, fly

CONTENTS = "samples.json"
"""What is in the folder, and from which runs."""

_NEEDED = ("events", "particles", "tracks", "clusters")


def write_training_samples(
    inputs: Sequence[Path],
    output: Path,
    only: Sequence[str] = (),
    overwrite: bool = False,
    is_muon: Sequence[Path] = (),
) -> dict[str, dict[str, int]]:
    """Write what the stages learn from: ``<sample>/<part>.parquet``, and ``samples.json`` that says what they are.

    Parameters
    ----------
    inputs : sequence of Path
        Outputs of ``lamarrpy detailed``, each read whole, one after the other.
    output : Path
        Folder to write.
    only : sequence of str
        Names of `SAMPLES`; all of them if left out.
    overwrite : bool
        Whether training samples that are there may be replaced; whatever else is in their folder stays.
    is_muon : sequence of Path
        Further outputs, of guns for tracks with isMuon: nothing else is taken of them.

    Returns
    -------
    dict of str to dict of str to int
        Rows of each part of each sample.

    Raises
    ------
    InputError, SchemaError
        If an input is not a whole output of the Detailed Simulation.
    OutputError
        If the output cannot be written.
    """
    check_output(output, overwrite=overwrite)
    if output.is_dir() and any(output.iterdir()) and not (output / CONTENTS).is_file():
        raise OutputError(
            f"{output}: expected training samples to replace, got a folder without {CONTENTS}; choose another -o"
        )
    chosen = {name: SAMPLES[name] for name in only or SAMPLES}
    output.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    partial = holder / output.name  # with the permissions that a folder usually has
    try:
        with writing(output):
            partial.mkdir()
            rows = _write([*((path, False) for path in inputs), *((path, True) for path in is_muon)], partial, chosen)
            _place(partial, output)
    finally:
        shutil.rmtree(holder, ignore_errors=True)
    return rows


def _place(partial: Path, output: Path) -> None:
    """Give finished samples their name, in the place of those that are there."""
    if not output.is_dir():
        os.replace(partial, output)
        return
    (output / CONTENTS).unlink(missing_ok=True)
    for name in SAMPLES:
        shutil.rmtree(output / name, ignore_errors=True)
    for item in sorted(partial.iterdir()):
        os.replace(item, output / item.name)


def _write(
    inputs: Sequence[tuple[Path, bool]], folder: Path, samples: Mapping[str, Sample]
) -> dict[str, dict[str, int]]:
    rows: dict[str, dict[str, int]] = {name: {} for name in samples}
    sources = []
    with ExitStack() as stack:
        writers: dict[Path, pq.ParquetWriter] = {}
        for path, rare in inputs:
            batch = _read(path)
            run = _record(path)
            _check_polarity(path, run)
            sources.append({"path": path.name, "run": run})
            flown = fly(batch, rare)
            for name, sample in samples.items():
                if rare and name != "tracks":
                    continue
                for part, values in sample.parts(flown).items():
                    table = _table(sample, name, values)
                    file = folder / name / f"{part}.parquet"
                    if file not in writers:
                        file.parent.mkdir(exist_ok=True)
                        writers[file] = stack.enter_context(pq.ParquetWriter(file, table.schema))
                    writers[file].write_table(table)
                    rows[name][part] = rows[name].get(part, 0) + table.num_rows
    what = {"lamarrpy": lamarrpy.__version__, "samples": rows, "sources": sources}
    (folder / CONTENTS).write_text(json.dumps(what, indent=2) + "\n", encoding="utf-8")
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


def _check_polarity(path: Path, run: object) -> None:
    """Models learn one polarity; the other is its mirror image."""
    polarity = run.get("pipeline", {}).get("polarity", "MagUp") if isinstance(run, dict) else "MagUp"
    if polarity != "MagUp":
        raise InputError(
            f"{path}: expected events of the polarity MagUp, got {polarity}; simulate with MagUp: stages mirror it"
        )


def _table(sample: Sample, name: str, values: Values) -> pa.Table:
    """The columns of a sample, with units and meanings."""
    fields, arrays = [], []
    for column in sample.columns:
        array = pa.array(np.ascontiguousarray(values[column]))  # NaN stays NaN: rows are chosen later
        fields.append(pa.field(column, array.type, metadata=_metadata(name, column)))
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _metadata(sample: str, name: str) -> dict[str, str]:
    tables = ("tracks", "events", "particles") if sample == "tracks" else ("particles", "clusters", "events")
    column = OWN.get(name) or next(SCHEMAS[table][name] for table in tables if name in SCHEMAS[table])
    return {"unit": column.unit, "doc": column.doc}

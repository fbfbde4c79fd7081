from __future__ import annotations

import pyarrow.parquet as pq
from io_samples import change, hepmc_event, particles, results, write_hepmc

from lamarrpy.io import open_sink
from lamarrpy.io.summary import summarise


def test_rows_events_species_and_ranges(tmp_path):
    table = particles((3, 5, 1))["particles"]
    for column, row, value in (("px", 0, float("nan")), ("px", 1, None), ("py", 2, 1e9), ("pid", 3, 1234567)):
        table = change(table, column, row, value)
    pq.write_table(table, tmp_path / "p.parquet", row_group_size=2)
    (found,) = summarise(tmp_path / "p.parquet").tables
    assert (found.name, found.rows, found.events) == ("particles", 9, 3)
    assert found.species[1234567] == 1
    assert sum(found.species.values()) == 9
    columns = {column.name: column for column in found.columns}
    assert (columns["px"].nulls, columns["px"].not_finite) == (1, 1)
    assert columns["py"].high == 1e9
    assert columns["py"].low == min(table.column("py").to_pylist())
    assert (columns["x"].unit, columns["x"].dtype) == ("mm", "double")


def test_minus_1000_of_root_counts_as_null(tmp_path):
    batch = results()
    with open_sink(tmp_path / "out.root", provenance={}) as sink:
        sink.append(batch)
    tracks = next(table for table in summarise(tmp_path / "out.root").tables if table.name == "tracks")
    column = next(column for column in tracks.columns if column.name == "muon_mu_ll")
    assert column.nulls == batch["tracks"].column("muon_mu_ll").null_count


def test_notes_of_the_reader(tmp_path):
    path = write_hepmc(tmp_path / "a.hepmc", [hepmc_event()])
    assert "beam particles" in summarise(path).notes[0]


def test_a_table_without_rows(tmp_path):
    pq.write_table(particles(())["particles"], tmp_path / "p.parquet")
    (found,) = summarise(tmp_path / "p.parquet").tables
    assert (found.rows, found.events, found.columns[0].low) == (0, 0, None)

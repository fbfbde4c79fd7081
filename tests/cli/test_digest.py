from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
from typer.testing import CliRunner

from lamarrpy.cli import app
from lamarrpy.io import digest


def test_a_line_a_table(tmp_path):
    pq.write_table(pa.table({"event_id": [1, 2], "n_pvs": pa.array([1, 1], pa.int32())}), tmp_path / "events.parquet")
    pq.write_table(pa.table({"event_id": [1, 2], "track_id": [0, 0]}), tmp_path / "tracks.parquet")
    done = CliRunner().invoke(app, ["digest", str(tmp_path)])
    expected = digest(tmp_path)
    assert done.exit_code == 0
    assert done.output.splitlines() == [f"events  {expected['events']}", f"tracks  {expected['tracks']}"]
    assert all(len(value) == 64 for value in expected.values())

"""Files written once must be read the same for ever; how they were made stands in golden/io/make.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamarrpy.io import digest, open_sink, open_source, read_batch
from lamarrpy.io.inputs import read_provenance

GOLDEN = Path(__file__).parents[1] / "golden" / "io"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())


@pytest.mark.parametrize("name", ["results", "results.root", "results_rntuple.root", "results_lhcb.root", "results.db"])
def test_results_in_every_format(name):
    assert digest(GOLDEN / name) == EXPECTED["results"]
    assert json.loads(read_provenance(GOLDEN / name)) == {"golden": True}


def test_tracks_as_csv(tmp_path):
    assert digest(GOLDEN / "tracks.csv") == {"tracks": EXPECTED["results"]["tracks"]}
    with open_sink(tmp_path / "tracks.csv", provenance={}) as sink:
        sink.append(read_batch(GOLDEN / "tracks.csv"))
    assert (tmp_path / "tracks.csv").read_text() == (GOLDEN / "tracks.csv").read_text()


@pytest.mark.parametrize("name", ["events.hepmc2", "events.hepmc3"])
def test_hepmc_events(name):
    with open_source(GOLDEN / name) as source:
        got = source.read(0, 3)[0]["particles"].to_pydict()
    same_in_both = set(EXPECTED["events"]) - {"particle_id", "mother_id"}
    for column in EXPECTED["events"] if name.endswith("3") else same_in_both:
        assert sorted(got[column]) == sorted(EXPECTED["events"][column]), column

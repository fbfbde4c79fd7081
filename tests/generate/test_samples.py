"""The sample files are what data/provenance.yaml says, and hold the physics that they promise."""

import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyhepmc
import pytest
import yaml

from lamarrpy.generate import generate, load_recipe
from lamarrpy.io import read_batch
from lamarrpy.shipped import shipped
from lamarrpy.tables import EventBatch, generator_level

PROVENANCE = yaml.safe_load(shipped("data", "provenance.yaml").read_text())
PARQUET = [name for name in PROVENANCE if name.endswith(".parquet")]


@pytest.mark.parametrize("name", PROVENANCE)
def test_files_are_those_described(name):
    content = shipped("data", name).read_bytes()
    assert len(content) == PROVENANCE[name]["bytes"] < 3e6
    assert hashlib.sha256(content).hexdigest() == PROVENANCE[name]["sha256"]


@pytest.mark.parametrize("name", PARQUET)
def test_tables_carry_units_and_the_way_they_were_made(name):
    table = pq.read_table(shipped("data", name))
    assert table.schema.remove_metadata().equals(generator_level("particles").arrow.remove_metadata())
    assert table.schema.field("px").metadata[b"unit"] == b"MeV"
    made = json.loads(table.schema.metadata[b"lamarrpy"])
    assert load_recipe(made["recipe"]) == load_recipe(name.removesuffix(".parquet"))
    assert f"-n {made['events']} --seed {made['seed']}" in PROVENANCE[name]["made_by"]
    counts = PROVENANCE[name]["counts"]
    assert table.num_rows == counts["particles"]
    batch = EventBatch({"particles": table})
    event, vertex, status = batch.arrays("particles", "event_id", "vertex_id", "status")
    assert len(np.unique(event)) == counts["events"]
    assert len(np.unique(1000 * event + vertex)) == counts["collisions"]
    assert (status == 1).sum() == counts["undecayed"]


def test_the_decay_sample_can_be_made_again():
    sample = read_batch(shipped("data", "lb_lcmunu.parquet"))["particles"]
    again = EventBatch.concat(list(generate("lb_lcmunu", 3000, 2016)))["particles"]
    for column in again.column_names:
        old, new = sample[column].to_numpy(), again[column].to_numpy()
        # another processor may round the last digit of a sine otherwise
        assert (old == new).all() if pa.types.is_integer(again[column].type) else np.allclose(old, new, 1e-9, 1e-9)


def test_the_collisions_are_whole():
    batch = EventBatch({"particles": pq.read_table(shipped("data", "bbbar_pythia8.parquet"))})
    names = ("event_id", "vertex_id", "mother_id", "pid", "status", "px", "py", "pz")
    event, vertex, mother, pid, status, px, py, pz = batch.arrays("particles", *names)
    collision = 1000 * event + vertex
    for p in (px, py, pz):
        assert abs(np.bincount(collision[status == 1], p[status == 1])).max() < 10  # MeV, of 13 TeV
    eta = np.arcsinh(pz / np.hypot(px, py).clip(1e-9))
    # b hadrons of the signal: a B has three-digit number 5.., a b baryon four digits 5...
    beauty = np.isin(abs(pid) // 100, (5,)) | (abs(pid) // 1000 == 5)
    seen = beauty & (vertex == 0) & (eta > 2) & (eta < 5)
    assert len(np.unique(event[seen])) == 200
    assert (status[beauty] == 2).all()
    assert np.isin([211, -211, 321, 2212, 13, 11, 22, 130, 2112], pid[status == 1]).all()
    charged = np.isin(abs(pid), (11, 13, 211, 321, 2212)) & (status == 1) & (eta > 2) & (eta < 5)
    hard = charged & (pz > 2000)
    assert 30 < hard.sum() / 200 < 80  # 18 to 104 in ten public LHCb events, 60 on average
    assert (mother[beauty] == -1).any()


def test_both_hepmc_formats_hold_the_same_events():
    read = []
    for name in ("bbbar_pythia8.hepmc3.gz", "bbbar_pythia8.hepmc2.gz"):
        with pyhepmc.open(shipped("data", name)) as file:
            read.append([sorted((p.pid, p.status, round(p.momentum.e, 6)) for p in event.particles) for event in file])
    assert [len(event) for event in read[0]] == [len(event) for event in read[1]]
    assert read[0] == read[1]
    assert sum(len(event) for event in read[0]) == PROVENANCE["bbbar_pythia8.hepmc3.gz"]["counts"]["particles"]

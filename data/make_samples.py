"""Make the sample files of this folder from the recipes, and write what they are into provenance.yaml.

pip install -e '.[generate,pythia]'
python data/make_samples.py
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyhepmc
import yaml
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.generate import generate, load_recipe
from lamarrpy.generate.event_record import read_record
from lamarrpy.generate.output import provenance
from lamarrpy.generate.primary_vertices import draw_vertices
from lamarrpy.generate.pythia import Pythia8, Required, start_pythia
from lamarrpy.tables import EventBatch

HERE = Path(__file__).parent
SEED = 2016
SAMPLES = {"bbbar_pythia8": 200, "lb_lcmunu": 3000}
"""Events of each Parquet sample, named after its recipe."""
HEPMC_SETTINGS = (
    "Print:quiet = on",
    "Beams:eCM = 13000.",
    "HardQCD:hardbbbar = on",
    "Random:setSeed = on",
    f"Random:seed = {SEED}",
)
HEPMC_EVENTS = 3


def make_parquet(name: str, events: int) -> dict[str, Any]:
    """One table of particles, compressed as far as Parquet can, and its provenance."""
    recipe = load_recipe(name)
    batch = EventBatch.concat(list(generate(recipe, events, SEED)))
    particles = batch["particles"]
    command = f"lamarrpy generate {name} -n {events} --seed {SEED}"
    floats = [field.name for field in particles.schema if pa.types.is_floating(field.type)]
    pq.write_table(
        particles.replace_schema_metadata({"lamarrpy": json.dumps(provenance(recipe, events, SEED))}),
        HERE / f"{name}.parquet",
        compression="zstd",
        compression_level=19,
        use_dictionary=[n for n in particles.column_names if n not in floats],
        use_byte_stream_split=floats,
        row_group_size=particles.num_rows,
    )
    status = batch.array("particles", "status")
    counts = {
        "events": events,
        "collisions": batch["vertices"].num_rows,
        "particles": len(status),
        "undecayed": int((status == 1).sum()),
    }
    return {"made_by": command, **recipe.versions, "counts": counts}


def make_hepmc() -> dict[str, dict[str, Any]]:
    """The same few whole event records of Pythia in both HepMC formats, and their provenance."""
    pythia = start_pythia(*HEPMC_SETTINGS)
    signal = Required(flavour="b")
    vertices = draw_vertices(np.arange(HEPMC_EVENTS), load_recipe("lb_lcmunu").primary_vertices, Draws(SEED))
    collisions = _collisions(pythia, signal)
    events = [to_hepmc(at, next(collisions), vertices.position[:, at]) for at in range(HEPMC_EVENTS)]
    versions = Pythia8(kind="pythia8", signal=HEPMC_SETTINGS).versions
    made_by = f"make_samples.py, pythia8 with {'; '.join(HEPMC_SETTINGS)}; a b hadron at 2 < eta < 5"
    counts = {"events": HEPMC_EVENTS, "particles": sum(len(event.particles) for event in events)}
    for suffix, kind in (("hepmc3", "HepMC3"), ("hepmc2", "HepMC2")):
        write_hepmc(HERE / f"bbbar_pythia8.{suffix}.gz", events, kind)
    return {
        f"bbbar_pythia8.{suffix}.gz": {"made_by": made_by, **versions, "counts": dict(counts)}
        for suffix in ("hepmc3", "hepmc2")
    }


def _collisions(pythia: Any, required: Required) -> Iterator[Any]:
    while True:
        if pythia.next() and required.met_by(read_record(pythia.event)):
            yield pythia.event


def to_hepmc(number: int, record: Any, position: NDArray[np.float64]) -> pyhepmc.GenEvent:
    """A whole Pythia event record, partons too, as a HepMC event [GeV, mm] at a primary vertex."""
    event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    event.event_number = number
    particles = [pyhepmc.GenParticle((p.px(), p.py(), p.pz(), p.e()), p.id(), p.statusHepMC()) for p in record]
    for particle, p in zip(particles, record, strict=True):
        particle.generated_mass = p.m()
    for i, p in enumerate(record):
        mothers = [m for m in p.motherList() if m > 0]
        if i == 0 or not mothers:
            continue
        vertex = particles[mothers[0]].end_vertex
        if vertex is None:
            x, y, z = position
            vertex = pyhepmc.GenVertex((p.xProd() + x, p.yProd() + y, p.zProd() + z, p.tProd()))
            event.add_vertex(vertex)
        for mother in mothers:
            if particles[mother].end_vertex is None:
                vertex.add_particle_in(particles[mother])
        vertex.add_particle_out(particles[i])
    return event


def write_hepmc(path: Path, events: list[pyhepmc.GenEvent], kind: str) -> None:
    """Write events as text, then compress them without a time stamp, so that the bytes repeat."""
    plain = path.with_suffix("")
    with pyhepmc.open(plain, "w", format=kind, precision=10) as file:
        for event in events:
            file.write(event)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(plain.read_bytes())
    plain.unlink()


def main() -> None:
    """Make every sample and record what it is."""
    samples = {f"{name}.parquet": make_parquet(name, events) for name, events in SAMPLES.items()} | make_hepmc()
    for name, facts in samples.items():
        facts["bytes"] = (HERE / name).stat().st_size
        facts["sha256"] = hashlib.sha256((HERE / name).read_bytes()).hexdigest()
    text = "# Written by make_samples.py.\n" + yaml.safe_dump(samples, sort_keys=False, width=110)
    (HERE / "provenance.yaml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

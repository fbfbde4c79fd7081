"""How the golden files of this folder were made: ``python make.py FOLDER``, with tests/io on the path."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from io_samples import hepmc_event, results, write_hepmc

from lamarrpy.io import digest, open_sink, read_batch


def main(folder: Path) -> None:
    """Write the same five tables in every format, and three events as HepMC2 and HepMC3."""
    batch = results(6)
    for name, options in {
        "results": {},
        "results.root": {},
        "results_rntuple.root": {"rntuple": True},
        "results_lhcb.root": {"naming": "lhcb"},
        "results.db": {},
        "tracks.csv": {"tables": {"tracks": None}},
    }.items():
        with open_sink(folder / name, provenance={"golden": True}, overwrite=True, **options) as sink:
            sink.append(batch)
    for file_format in ("hepmc2", "hepmc3"):
        write_hepmc(folder / f"events.{file_format}", [hepmc_event(i, collisions=i) for i in (1, 2, 1)], file_format)
    found = {
        "results": digest(folder / "results"),
        "events": read_batch(folder / "events.hepmc3")["particles"].to_pydict(),
    }
    (folder / "expected.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

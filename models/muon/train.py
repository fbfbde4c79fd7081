"""What is special to learning the muon system; `lamarrpy train muon --part pion --data samples -o ...` calls it."""

import numpy as np

from lamarrpy.stages.muon import LEARNED, conditions
from lamarrpy.stages.trained import SPECIES

SAMPLE = "tracks"
PARTS = {species.name: (f"{species.name}_is_muon",) for species in SPECIES}


def prepare(columns, part):
    """The tracks with isMuon."""
    chosen = np.flatnonzero(columns["is_muon"])
    rows = {name: values[chosen] for name, values in columns.items()}
    kept = {name: rows[name] for name in ("event_id", *LEARNED) if name in rows}
    return kept | conditions(rows)

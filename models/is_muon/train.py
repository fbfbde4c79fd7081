"""What is special to isMuon; `lamarrpy train is_muon --part pion --data samples -o ...` calls it."""

from lamarrpy.stages.is_muon import candidates, conditions
from lamarrpy.stages.trained import SPECIES

SAMPLE = "tracks"
PARTS = {species.name: (species.name,) for species in SPECIES}


def prepare(columns, part):
    """The tracks that may pass at all."""
    seen = conditions(columns)
    chosen = candidates(seen)
    rows = {name: columns[name] for name in ("event_id", "is_muon") if name in columns} | seen
    return {name: values[chosen] for name, values in rows.items()}

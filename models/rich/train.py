"""What is special to learning the RICH; `lamarrpy train rich --part kaon --data samples -o ...` calls it."""

import numpy as np

from lamarrpy.stages.rich import conditions, targets
from lamarrpy.stages.trained import SPECIES

SAMPLE = "tracks"
PARTS = {species.name: (species.name,) for species in SPECIES}


def prepare(columns, part):
    """The tracks that go through a RICH; what the momentum says already is filled up with what other tracks have."""
    chosen = np.flatnonzero(columns["in_rich1"] | columns["in_rich2"])
    rows = {name: values[chosen] for name, values in columns.items()}
    learned, random = targets(rows), np.random.default_rng(0)
    for values in learned.values():
        missing = np.isnan(values)
        values[missing] = random.choice(values[~missing], np.count_nonzero(missing))
    return {**{name: rows[name] for name in ("event_id",) if name in rows}, **conditions(rows), **learned}

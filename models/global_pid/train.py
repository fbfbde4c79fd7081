"""What is special to global PID; `lamarrpy train global_pid --part kaon_is_muon --data samples -o ...` calls it."""

import numpy as np

from lamarrpy.stages.global_pid import PARTS as MODELS
from lamarrpy.stages.identification import conditions, targets

SAMPLE = "tracks"
PARTS = {part: (part,) for part in MODELS.values()}


def prepare(columns, part):
    """The tracks with isMuon or without, as the part says."""
    is_muon = part.endswith("_is_muon")
    chosen = np.flatnonzero(columns["is_muon"].astype(bool) == is_muon)
    rows = {name: values[chosen] for name, values in columns.items()}
    keys = {name: rows[name] for name in ("event_id",) if name in rows}
    return {**keys, **conditions(rows, is_muon), **targets(rows, is_muon)}

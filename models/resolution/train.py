"""What is special to learning the resolution; `lamarrpy train resolution --data samples -o ...` calls it."""

from lamarrpy.stages.resolution import conditions, targets
from lamarrpy.stages.track_factor import factor_of

SAMPLE = "tracks"
PARTS = {"charged": ("electron", "muon", "pion", "kaon", "proton")}


def prepare(columns, part):
    """All tracks, in the frame of each."""
    factor = factor_of(columns)
    return {"event_id": columns["event_id"], **conditions(columns, factor), **targets(columns, factor)}

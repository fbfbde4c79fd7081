"""What is special to learning the covariance; `lamarrpy train covariance --data samples -o ...` calls it."""

from lamarrpy.stages.covariance import conditions, targets

SAMPLE = "tracks"
PARTS = {"charged": ("electron", "muon", "pion", "kaon", "proton")}


def prepare(columns, part):
    """All tracks, in the frame of each."""
    return {"event_id": columns["event_id"], **conditions(columns), **targets(columns)}

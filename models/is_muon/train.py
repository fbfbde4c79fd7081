"""What is special to isMuon; `lamarrpy train is_muon --data samples/is_muon --species pion -o ...` calls it."""

LONG = 3
"""Track type of tracks that are known well enough to be carried on to the muon stations."""


def prepare(columns):
    """The Long tracks of a training sample that fly into the muon stations; the others are never candidates."""
    chosen = (columns["track_type"] == LONG) & columns["in_muon"]
    return {name: values[chosen] for name, values in columns.items()}

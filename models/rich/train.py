"""What is special to learning the RICH; `lamarrpy train rich --data samples/rich --species kaon -o ...` calls it."""

LONG = 3
"""Track type of tracks that cross both detectors; others have less of a likelihood, or none."""


def prepare(columns):
    """The Long tracks of a training sample."""
    chosen = columns["track_type"] == LONG
    return {name: values[chosen] for name, values in columns.items()}

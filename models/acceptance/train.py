"""What is special to the acceptance; `lamarrpy train acceptance --data samples -o ...` calls it."""

from lamarrpy.stages.crossings import crossings

SAMPLE = "particles"
PARTS = {"charged": ("charged",)}


def prepare(columns, part):
    """All charged particles of a training sample, which flew with MagUp."""
    rows = {name: columns[name] for name in ("event_id", "in_acceptance") if name in columns}
    return rows | crossings(columns)

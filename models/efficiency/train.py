"""What is special to the efficiency; `lamarrpy train efficiency --data samples -o ...` calls it."""

from lamarrpy.stages.efficiency import conditions

SAMPLE = "particles"
PARTS = {"charged": ("charged",)}


def prepare(columns, part):
    """All charged particles of a training sample, which flew with MagUp."""
    rows = {name: columns[name] for name in ("event_id", "track_type") if name in columns}
    return rows | conditions(columns)

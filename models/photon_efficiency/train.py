"""What is special to the photon efficiency; `lamarrpy train photon_efficiency --data samples` calls it."""

from lamarrpy.stages.photon_efficiency import can_be_found, conditions, targets

SAMPLE = "photons"
PARTS = {"photon": ("photon",)}


def prepare(columns, part):
    """The photons of a training sample that are hard enough to have a cluster; what they are among, of all of them."""
    learned = conditions(columns) | targets(columns) | {"event_id": columns["event_id"]}
    chosen = can_be_found(learned)
    return {name: values[chosen] for name, values in learned.items()}

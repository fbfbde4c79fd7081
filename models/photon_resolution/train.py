"""What is special to the photon resolution; `lamarrpy train photon_resolution --data samples` calls it."""

from lamarrpy.stages.photon_efficiency import owns_cluster
from lamarrpy.stages.photon_resolution import conditions, targets

SAMPLE = "photons"
PARTS = {"photon": ("photon",)}


def prepare(columns, part):
    """The photons of a training sample that have a cluster of their own; what they are among, of all photons."""
    chosen = owns_cluster(columns)
    known = {name: values[chosen] for name, values in conditions(columns).items()}
    own = {name: values[chosen] for name, values in columns.items()}
    return known | targets(own) | {"event_id": own["event_id"]}

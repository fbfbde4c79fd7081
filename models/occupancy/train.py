"""What is special to the occupancy; `lamarrpy train occupancy --data samples -o ...` calls it."""

import numpy as np

from lamarrpy.stages.occupancy import UNKNOWN, conditions, targets

SAMPLE = "events"
PARTS = {"event": ("event",)}


def prepare(columns, part):
    """Every event of pp collisions twice: with its charged particles counted, and as if only a part of it were known.

    Of the latter only those that have a charged particle in the window, as an event of a gun has too.
    """
    collided = columns["whole"].astype(bool)
    partly = collided & (columns["collisions"] > 0)
    counted = [columns["n_charged"][collided], np.full(np.count_nonzero(partly), UNKNOWN)]
    rows = {name: np.concatenate([values[collided], values[partly]]) for name, values in columns.items()}
    rows["n_charged"] = np.concatenate(counted)
    own = {name: rows[name] for name in ("event_id",) if name in rows}
    return own | conditions(rows) | targets(rows)

"""Two toy detector effects, small enough to see through."""

from dataclasses import dataclass

import numpy as np

from lamarrpy.pipeline import Pipeline
from lamarrpy.tables import EVENTS, PARTICLES, TRACKS


@dataclass(frozen=True)
class Window:
    """Flag the particles above a momentum."""

    p_min: float = 1000.0

    name = "window"

    @property
    def reads(self):
        return {"particles": PARTICLES.only("px", "py", "pz")}

    @property
    def writes(self):
        return {"particles": PARTICLES.only("propagated", "p")}

    def __call__(self, batch, draws):
        p = np.sqrt(sum(a**2 for a in batch.arrays("particles", "px", "py", "pz")))
        inside = p > self.p_min
        return batch.with_columns(self.writes["particles"], {"propagated": inside, "p": np.where(inside, p, np.nan)})


@dataclass(frozen=True)
class Tracker:
    """Make tracks out of half of the flagged particles."""

    name = "tracker"

    @property
    def reads(self):
        return {"particles": PARTICLES.only("event_id", "particle_id", "propagated", "p")}

    @property
    def writes(self):
        return {"tracks": TRACKS.only("event_id", "track_id", "track_type", "true_p")}

    def __call__(self, batch, draws):
        event, particle, inside, p = batch.arrays("particles", "event_id", "particle_id", "propagated", "p")
        u = draws.rows(event, particle).uniform(0)
        keep = inside & (u < 0.5)
        kind = np.where(u < 0.25, 3, 4)
        values = {"event_id": event[keep], "track_id": particle[keep], "track_type": kind[keep], "true_p": p[keep]}
        return batch.with_table(self.writes["tracks"], values)


@dataclass(frozen=True)
class Loser:
    """Lose an event, as no stage may."""

    name = "loser"
    reads = {"events": EVENTS.only("event_id")}  # noqa: RUF012
    writes = {"events": EVENTS.only("n_tracks")}  # noqa: RUF012

    def __call__(self, batch, draws):
        less = batch.select_events(batch.array("events", "event_id")[1:])
        return less.with_columns(self.writes["events"], {"n_tracks": np.ones(less["events"].num_rows, np.int32)})


TOY = Pipeline("toy", (Window(), Tracker()))

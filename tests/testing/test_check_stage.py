"""The conformance test finds every broken promise."""

from dataclasses import dataclass

import numpy as np
import pytest

from lamarrpy.tables import EVENTS, PARTICLES, Column, Schema
from lamarrpy.testing import check_stage, example_events

NOISE = Schema("particles", (Column("noise", "float64", "MeV", "noise"),), PARTICLES.key)


@dataclass(frozen=True)
class Noise:
    """Add a random number to each particle."""

    name = "noise"
    reads = {"particles": PARTICLES.only("event_id", "particle_id", "px")}  # noqa: RUF012
    writes = {"particles": NOISE}  # noqa: RUF012

    def values(self, batch, draws):
        return draws.rows(*batch.arrays("particles", "event_id", "particle_id")).normal(0)

    def __call__(self, batch, draws):
        return batch.with_columns(NOISE, {"noise": self.values(batch, draws)})


class CountsRows(Noise):
    def values(self, batch, draws):
        return np.arange(batch["particles"].num_rows) * 1.0


class LooksAtTheBatch(Noise):
    def values(self, batch, draws):
        px = batch.array("particles", "px")
        return px - (px.max() if len(px) else 0.0)


class ReadsMore(Noise):
    def values(self, batch, draws):
        return batch.array("particles", "py")


class WritesMore(Noise):
    def __call__(self, batch, draws):
        more = Schema("particles", (*NOISE.columns, Column("extra", "float64")), PARTICLES.key)
        return batch.with_columns(more, {"noise": self.values(batch, draws), "extra": self.values(batch, draws)})


class HasState(Noise):
    calls = [0]  # noqa: RUF012

    def values(self, batch, draws):
        self.calls[0] += 1
        return np.full(batch["particles"].num_rows, float(self.calls[0]))


class ChangesItsInput(Noise):
    def values(self, batch, draws):
        px = batch.array("particles", "px")
        address = px.__array_interface__["data"][0]
        if len(px):
            import ctypes

            ctypes.c_double.from_address(address).value += 1.0
        return px.copy()


class DropsParticles(Noise):
    def __call__(self, batch, draws):
        ids = batch.array("events", "event_id")
        return super().__call__(batch.select_events(ids[1:]), draws)


class NullsAtWill(Noise):
    writes = {"particles": PARTICLES.only("propagated", "p")}  # noqa: RUF012

    def __call__(self, batch, draws):
        n = batch["particles"].num_rows
        return batch.with_columns(self.writes["particles"], {"propagated": np.ones(n, bool), "p": np.full(n, np.nan)})


def test_a_sound_stage_passes():
    check_stage(Noise())


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (CountsRows(), "splitting the events gave other values, in particles.noise"),
        (LooksAtTheBatch(), "splitting the events gave other values"),
        (WritesMore(), "expected columns"),
        (HasState(), "a second call gave other values"),
        (ChangesItsInput(), "changed the memory of its input table 'particles'"),
        (DropsParticles(), "changed what was in 'particles'|changed what was in 'events'"),
        (NullsAtWill(), "particles.p must have a value where propagated is true, only"),
    ],
)
def test_broken_promises_are_found(stage, message):
    with pytest.raises(AssertionError, match=message):
        check_stage(stage)


def test_undeclared_columns_are_not_there():
    with pytest.raises(Exception, match="table 'particles' has no column 'py'"):
        check_stage(ReadsMore())


def test_a_batch_without_the_columns_is_refused():
    class NeedsTracks(Noise):
        reads = {"events": EVENTS.only("n_pvs")}  # noqa: RUF012

    # pickled by reference, so it must be found at module level
    globals()["NeedsTracks"] = NeedsTracks
    NeedsTracks.__qualname__ = "NeedsTracks"
    with pytest.raises(AssertionError, match=r"reads \['events.n_pvs'\], which the events do not have"):
        check_stage(NeedsTracks(), example_events())

"""A stage that fails is named, with the events it failed on."""

from dataclasses import dataclass

import numpy as np
import pytest
from toy_stages import Window

from lamarrpy.errors import StageError
from lamarrpy.pipeline import Pipeline
from lamarrpy.testing import example_events


@dataclass(frozen=True)
class Falls(Window):
    def __call__(self, batch, draws):
        raise ZeroDivisionError("oops")


@dataclass(frozen=True)
class WritesNaN(Window):
    def __call__(self, batch, draws):
        n = batch["particles"].num_rows
        return batch.with_columns(self.writes["particles"], {"propagated": np.ones(n, bool), "p": np.full(n, np.inf)})


@dataclass(frozen=True)
class WritesNothing(Window):
    def __call__(self, batch, draws):
        return batch


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (Falls(), r"stage 'window', events 7 to 64: ZeroDivisionError: oops"),
        (WritesNaN(), r"stage 'window', events 7 to 64: SchemaError: column 'p': .* got inf in row 0"),
        (WritesNothing(), r"stage 'window', .* expected it to write particles.propagated, p as it declares"),
    ],
)
def test_the_stage_and_its_events_are_named(stage, message):
    with pytest.raises(StageError, match=message):
        Pipeline("bad", (stage,))(example_events(20), seed=1)

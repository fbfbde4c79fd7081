"""How well probabilities are learned: whether the point mass of the made-up detector is missed, from its conditions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from lamarrpy.benchmark.checks import Check
from lamarrpy.benchmark.learn.competitors import Samples, train
from lamarrpy.benchmark.learn.sample import CONDITIONS, MASS
from lamarrpy.parameterization.parameterization import Classifier, load
from lamarrpy.validate.calibration import calibration_line, log_loss

_TARGET = "is_seen"


def measure_classifier(name: str, samples: Samples, folder: Path, quick: bool) -> Iterator[Check]:
    """Train a classifier of whether a particle is seen at all, and check its probabilities on the test rows."""
    table = pq.read_table(samples.training)
    seen = table.select(list(CONDITIONS)).append_column(_TARGET, [table.column(MASS).to_numpy() != 0.0])
    path = folder / "seen.parquet"
    pq.write_table(seen, path)
    output, cpu_seconds = train(name, Samples(path, samples.rows, samples.test), folder, {_TARGET: ""}, quick)
    model = load(output)
    assert isinstance(model, Classifier)
    probability = model.probabilities(samples.test)[:, 1]
    truth = samples.test[MASS] != 0.0
    line = calibration_line(probability, truth)
    yield Check(f"learn.log_loss.{name}", None if quick else float(log_loss(probability, truth)), None, None, "")
    yield Check(f"learn.calibration_slope.{name}", None if quick else line.slope, None, None, "")
    yield Check(f"learn.cpu.{name}", None if quick else cpu_seconds, None, None, "s")

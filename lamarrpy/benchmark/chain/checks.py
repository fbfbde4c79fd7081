"""``lamarrpy benchmark chain``: every stage with true conditions, the whole chain, and its speed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from lamarrpy.benchmark.chain.candidates import stages
from lamarrpy.benchmark.chain.classified import CLASSIFIED, classified_figures
from lamarrpy.benchmark.chain.figures import Figure, tell
from lamarrpy.benchmark.chain.generated import GENERATED, generated_figures
from lamarrpy.benchmark.chain.sample import has_pythia, make_sample
from lamarrpy.benchmark.chain.speed import speed_figures
from lamarrpy.benchmark.chain.truth import Truth, read_truth
from lamarrpy.benchmark.chain.whole import chain_figures
from lamarrpy.benchmark.checks import Check
from lamarrpy.benchmark.running import WORKERS
from lamarrpy.errors import ConfigError, did_you_mean

CHAIN, SPEED = "chain", "speed"

_SHIPPED = (
    "collisions: the shipped events, again and again, as pythia8mc is not installed; models have learned from other"
    " tracks of the same particles"
)


def chain_checks(*, quick: bool, sample: Path | None = None, only: Sequence[str] = ()) -> Iterator[Check]:
    """Measure the checks one by one, and print them beside their competitors in the end.

    Parameters
    ----------
    quick : bool
        A small sample: whether everything works, not how good it is; the table has the figures, the checks have none.
    sample : Path, optional
        Folder of the test sample, made there if need be, and kept; otherwise it is made and thrown away.
    only : sequence of str
        Names of stages, ``chain`` and ``speed``; everything if left out.

    Raises
    ------
    ConfigError
        If a name is unknown.
    """
    known = (*CLASSIFIED, *GENERATED, CHAIN, SPEED)
    for name in only:
        if name not in known:
            raise ConfigError(f"expected names out of {', '.join(known)}, got {name!r}{did_you_mean(name, known)}")
    figures: list[Figure] = []
    lines: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lamarrpy-benchmark-")))
        for more, said in _measured(folder, sample or folder, only or known, quick):
            figures += more
            lines += said
            for figure in more:
                yield from figure.checks(quick=quick)
    tell(figures, lines)


def _measured(
    folder: Path, sample: Path, wanted: Sequence[str], quick: bool
) -> Iterator[tuple[Sequence[Figure], Sequence[str]]]:
    if SPEED in wanted:  # before this process holds the sample
        yield list(speed_figures(folder, quick=quick)), []
    if set(wanted) == {SPEED}:
        return
    parts = make_sample(sample, quick=quick, workers=WORKERS)
    truth = read_truth(parts)
    yield [], [] if quick or has_pythia() else [_SHIPPED]
    yield from _stages(truth, wanted, quick)
    if CHAIN in wanted:
        yield chain_figures(parts, truth, quick=quick)


def _stages(truth: Truth, wanted: Sequence[str], quick: bool) -> Iterator[tuple[Sequence[Figure], Sequence[str]]]:
    """Stage by stage, in the order of the pipeline."""
    there = stages()
    for name, stage in there.items():
        if name in wanted and name in GENERATED:
            yield generated_figures(stage, truth, quick=quick)
        if name in wanted and name in CLASSIFIED:
            yield classified_figures(stage, truth, quick=quick), []
    absent = [name for name in (*CLASSIFIED, *GENERATED) if name in wanted and name not in there]
    yield [], [f"not in the pipeline: {', '.join(absent)}"] if absent else []

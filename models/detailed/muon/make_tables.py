"""Make the tables of the muon likelihoods from muons and protons of the Detailed Simulation.

    python models/detailed/muon/make_tables.py

makes events of recipe.yaml, takes them through tracking and muon system, and writes tables.json beside itself:
by bins of region and momentum the 90 % quantile of the muons' D^2, and how the distances of muons and of protons
with isMuon are distributed. Some minutes on one processor core.

Protons with isMuon are rare. Where a bin has too few of them, those of the next bins of momentum in the same region
join, the nearest first, each with its distance in units of its own bin's quantile.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.approach import Approach, approach
from lamarrpy.detailed.hashed_tables import write_tables
from lamarrpy.detailed.muon import MuonAnswer, observe
from lamarrpy.detailed.muon.likelihoods import bins, closeness, edges, number_of_bins
from lamarrpy.detailed.reconstruction.candidates import TrackType
from lamarrpy.detailed.tracking import field_of, track
from lamarrpy.draws import Draws
from lamarrpy.generate import generate
from lamarrpy.tables import EventBatch

HERE = Path(__file__).parent
EVENTS, SEED = 10_000, 37
CHUNK_EVENTS = 150

ROUNDS = 16
"""Times that the same particles go through the muon system, where most of the chance is, and that is fast."""

POINTS = 101
"""Of a distribution, t = 0 and 1 included."""

FEWEST = 400
"""Protons in a distribution, else the next bins join."""

LOWEST = 8
"""Entries of each at the lowest point of both distributions that counts."""

QUANTILE = 0.9
"""Of the muons' D^2, where t is one half."""


class Sample(NamedTuple):
    """n Long tracks with isMuon: D^2, the number of the bin, and whether each is a muon or a proton."""

    d2: NDArray[np.float64]
    bin: NDArray[np.int64]
    muon: NDArray[np.bool_]
    proton: NDArray[np.bool_]


def sample_of(batch: EventBatch, seed: int) -> Sample:
    """What the muon system says of muons and protons in some events."""
    field, draws = field_of("MagUp"), Draws(seed)
    tracked = track(batch, field, draws)
    came = approach(batch, tracked, field, draws)
    events = batch.array("events", "event_id")
    answers = (observe(came.arrivals, came.paths, events, Draws(seed + i)) for i in range(ROUNDS))
    return joined(_chosen(answer, came) for answer in answers)


def _chosen(answer: MuonAnswer, came: Approach) -> Sample:
    """The muons and protons with isMuon."""
    row = came.paths.row
    pid = np.where(row >= 0, np.abs(came.truth.particles.pid[row]), 0)
    chosen = answer.is_muon & (answer.region >= 0) & (came.paths.track_type == TrackType.long)
    chosen &= np.isin(pid, [13, 2212])
    number = bins(answer.region, answer.p)
    return Sample(answer.d2[chosen], number[chosen], pid[chosen] == 13, pid[chosen] == 2212)


def joined(samples: Iterable[Sample]) -> Sample:
    """All tracks end to end."""
    return Sample(*(np.concatenate(columns) for columns in zip(*samples, strict=True)))


def cumulative(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of distances up to each point."""
    return np.searchsorted(np.sort(t), np.linspace(0.0, 1.0, POINTS), side="right") / len(t)


def pair(muons: NDArray[np.float64], protons: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """Both distributions of a bin.

    Below the first point with a few entries of each both grow evenly from zero: their ratio stays what it is there,
    and is not that of single entries.
    """
    both, entries = (cumulative(muons), cumulative(protons)), np.array([len(muons), len(protons)])
    few = (np.stack(both, axis=1) * entries >= LOWEST).all(axis=1)
    first = int(np.flatnonzero(few)[0])
    for share in both:
        share[: first + 1] = share[first] * np.arange(first + 1) / first
    muon, proton = ([float(f"{value:.5g}") for value in share] for share in both)
    return muon, proton


def neighbours(number: int) -> list[int]:
    """The bins of the same region, the nearest in momentum first."""
    first = 0
    for inner in edges():
        if number <= first + len(inner):
            mine = list(range(first, first + len(inner) + 1))
            return sorted(mine, key=lambda other: (abs(other - number), other))
        first += len(inner) + 1
    raise ValueError(f"expected a bin out of {first}, got {number}")


def tables(sample: Sample) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Tables and entries, bin by bin."""
    muons = [sample.d2[sample.muon & (sample.bin == i)] for i in range(number_of_bins())]
    protons = [sample.d2[sample.proton & (sample.bin == i)] for i in range(number_of_bins())]
    poor = [i for i, d2 in enumerate(muons) if len(d2) < FEWEST]
    if poor:
        raise SystemExit(
            f"expected at least {FEWEST} muons in every bin, got fewer in the bins {poor}; give more --events"
        )
    scale = np.array([float(f"{np.quantile(d2, QUANTILE):.5g}") for d2 in muons])
    of_protons = [closeness(d2, scale[i]) for i, d2 in enumerate(protons)]
    pairs, merged = [], []
    for i in range(number_of_bins()):
        together: list[NDArray[np.float64]] = []
        for near in neighbours(i):
            together.append(of_protons[near])
            if sum(map(len, together)) >= FEWEST:
                break
        pairs.append(pair(closeness(muons[i], scale[i]), np.concatenate(together)))
        merged.append(sum(map(len, together)))
    entries = {"muons": [len(d2) for d2 in muons], "protons": [len(d2) for d2 in protons], "protons_joined": merged}
    return {"scale": scale.tolist(), "muon": [m for m, _ in pairs], "other": [p for _, p in pairs]}, entries


def main() -> None:
    """Make the sample, write the tables, and say what is in them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS, help="events of the recipe (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=HERE / "tables.json")
    chosen = parser.parse_args()
    batches = generate(HERE / "recipe.yaml", chosen.events, chosen.seed, chunk_events=CHUNK_EVENTS)
    made, entries = tables(joined(sample_of(batch, chosen.seed) for batch in batches))
    command = f"python models/detailed/muon/make_tables.py --events {chosen.events} --seed {chosen.seed}"
    write_tables(chosen.output, made, made_by=command, entries=entries)
    for name, numbers in entries.items():
        print(name, numbers)


if __name__ == "__main__":
    main()

"""Make the tables by which the calorimeters tell electrons and muons from hadrons.

    python models/detailed/calorimeter/make_tables.py

shoots the particles of recipe.yaml through detector and reconstruction, counts what tracks of each species find in
the calorimeters at each momentum, and writes tables.json beside itself. Events that are not counted say how good
the tables are.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.metrics import roc_auc_score

from lamarrpy.detailed.approach import approach
from lamarrpy.detailed.calorimeter import observe
from lamarrpy.detailed.calorimeter.likelihoods import CHI2_EDGES, DLLS, TABLES, Observable, Table, observables
from lamarrpy.detailed.hashed_tables import write_tables
from lamarrpy.detailed.tracking import field_of, track
from lamarrpy.draws import Draws
from lamarrpy.generate import generate
from lamarrpy.tables import EventBatch

Array = NDArray[np.float64]

HERE = Path(__file__).parent
EVENTS, SEED = 1500, 72
TESTED = 3
"""One event in so many is kept for testing."""

LOG_P = np.linspace(np.log(2.0e3), np.log(100.0e3), 9)
"""Logarithms of the momenta [MeV] in the tables."""

RANGES = {"ecal": (0.0, 2.0, 41), "ps": (0.0, 5.5, 23), "hcal": (0.0, 7.0, 29), "brem": (0.0, 7.0, 15),
          "cell": (0.0, 7.5, 31)}  # fmt: skip
"""Least and largest value of each observable, and points between them."""

KINDS = {"ecal": len(CHI2_EDGES) + 1}
SMOOTHED = (0.7, 1.0)
"""Standard deviations of the smoothing in momentum and value, in points."""

FLOOR = 0.5
"""Tracks added to every point, so that what has never been seen is rare and not impossible."""

SPECIES = {"electron": (11,), "muon": (13,), "hadron": (211, 321, 2212)}
REJECTED = 0.9
"""Share of the species that is kept where the hadrons that pass are quoted."""


class Sample(NamedTuple):
    """n tracks: momentum [MeV], |PDG number|, event, and what was seen."""

    p: Array
    pid: NDArray[np.int64]
    event_id: NDArray[np.int64]
    seen: dict[str, Observable]

    def at(self, rows: NDArray[np.bool_]) -> Sample:
        """Some of the tracks."""
        seen = {name: Observable(*(column[rows] for column in what)) for name, what in self.seen.items()}
        return Sample(self.p[rows], self.pid[rows], self.event_id[rows], seen)


def tracks_of(batch: EventBatch, seed: int) -> Sample:
    """The tracks of some events that are those of particles."""
    field, draws = field_of("MagUp"), Draws(seed)
    came = approach(batch, track(batch, field, draws), field, draws)
    events = batch.array("events", "event_id")
    answer = observe(came.arrivals, came.paths, events, draws.stage("calorimeter"))
    seen = observables(answer.charged, came.paths)
    true = came.paths.row >= 0
    pid = np.where(true, np.abs(came.truth.particles.pid[came.paths.row]), 0)
    return Sample(came.paths.p, pid, came.paths.event_id, seen).at(true)


def joined(samples: list[Sample]) -> Sample:
    """All tracks end to end."""
    seen = {
        name: Observable(*(np.concatenate(parts) for parts in zip(*(s.seen[name] for s in samples), strict=True)))
        for name in samples[0].seen
    }
    p, pid, event_id = (np.concatenate([getattr(s, name) for s in samples]) for name in ("p", "pid", "event_id"))
    return Sample(p, pid, event_id, seen)


def counted(sample: Sample, what: str, species: str) -> Array:
    """Shares of the tracks of a species at each momentum in each kind and value, shape (kinds, momenta, values)."""
    low, high, number = RANGES[what]
    kinds, seen = KINDS.get(what, 1), sample.seen[what]
    rows = seen.known & np.isin(sample.pid, SPECIES[species])
    at_p = np.rint(np.interp(np.log(sample.p[rows]), LOG_P, np.arange(len(LOG_P)))).astype(int)
    at_value = np.rint((np.clip(seen.value[rows], low, high) - low) / (high - low) * (number - 1)).astype(int)
    counts = np.zeros((kinds, len(LOG_P), number))
    np.add.at(counts, (seen.kind[rows], at_p, at_value), 1.0)
    smooth = np.stack([gaussian_filter(one, SMOOTHED, mode="nearest") for one in counts]) + FLOOR
    share: Array = smooth / smooth.sum(axis=(0, 2), keepdims=True)
    return share


def tables_of(sample: Sample) -> dict[str, Any]:
    """The tables of all differences."""
    out = {}
    for name, (what, species) in DLLS.items():
        dll = np.log(counted(sample, what, species) / counted(sample, what, "hadron"))
        value = np.linspace(*RANGES[what])
        out[name] = {"log_p": np.round(LOG_P, 6).tolist(), "value": np.round(value, 6).tolist(),
                     "dll": np.round(dll, 3).tolist()}  # fmt: skip
    return out


def quality(tables: dict[str, Any], sample: Sample) -> dict[str, Any]:
    """How well each difference tells its species from hadrons, on tracks above 3 GeV."""
    out, sums = {}, {"electron": np.zeros(len(sample.p)), "muon": np.zeros(len(sample.p))}
    for name, (what, species) in DLLS.items():
        table = Table(*(np.array(tables[name][key]) for key in ("log_p", "value", "dll")))
        dll = table(sample.p, sample.seen[what])
        sums[species] += dll
        out[name] = _rates(dll, sample, what, species)
    for species, dll in sums.items():
        out[f"all_{species}"] = _rates(dll, sample, "ecal", species)
    return out


def _rates(dll: Array, sample: Sample, what: str, species: str) -> dict[str, float]:
    rows = sample.seen[what].known & (sample.p > 3e3)
    right, wrong = (dll[rows & np.isin(sample.pid, SPECIES[name])] for name in (species, "hadron"))
    label = np.repeat([1, 0], [len(right), len(wrong)])
    cut = np.quantile(right, 1.0 - REJECTED)
    auc = roc_auc_score(label, np.concatenate([right, wrong]))
    return {"auc": round(float(auc), 4), "hadrons_at_90_percent": round(float((wrong > cut).mean()), 4)}


def main() -> None:
    """Make the sample, count, write, and say how good it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS, help="gun events (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=HERE)
    chosen = parser.parse_args()
    batches = generate(HERE / "recipe.yaml", chosen.events, chosen.seed, chunk_events=100)
    sample = joined([tracks_of(batch, chosen.seed) for batch in batches])
    tested = sample.event_id % TESTED == 0
    tables = tables_of(sample.at(~tested))
    metrics = quality(tables, sample.at(tested))
    origin = {
        "made_by": f"python models/detailed/calorimeter/make_tables.py --events {chosen.events} --seed {chosen.seed}",
        "recipe": "recipe.yaml",
        "tracks": {name: int(np.isin(sample.pid, which).sum()) for name, which in SPECIES.items()},
        "tested_on": f"one event in {TESTED}",
    }
    write_tables(chosen.output / TABLES, tables, origin=origin, metrics=metrics)
    for name, values in metrics.items():
        print(name, values)


if __name__ == "__main__":
    main()

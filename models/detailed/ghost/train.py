"""Train the ghost classifier on tracks of the Detailed Simulation.

    python models/detailed/ghost/train.py

makes b-bbar events with Pythia8 (``pip install lamarrpy[pythia,detailed]``), takes them through detector
and reconstruction, trains on the tracks that come out, ghosts and true ones in the proportion in which they
come, and writes model.onnx and manifest.json beside itself. Events that are not trained on say how good it is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

from lamarrpy.detailed.classifier import Classifier
from lamarrpy.detailed.export import Origin, Quantity, save_classifier, scaled
from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.reconstruction.ghosts import CLASSIFIED, ghost_features
from lamarrpy.detailed.tracking import field_of, track
from lamarrpy.draws import Draws
from lamarrpy.generate import generate
from lamarrpy.tables import EventBatch

HERE = Path(__file__).parent
RECIPE, EVENTS, SEED = "bbbar_pythia8", 1500, 71
TESTED = 3
"""One event in so many is kept for testing."""

CUT = 0.4
"""Ghost probability below which LHCb keeps a track."""

QUANTITIES = (
    Quantity("chi2_per_dof", "", "log"),
    Quantity("ndof", ""),
    Quantity("outliers", ""),
    Quantity("velo_hits", ""),
    Quantity("velo_chi2_per_hit", "", "log1p"),
    Quantity("tt_hits", ""),
    Quantity("tt_chi2_per_hit", "", "log1p"),
    Quantity("tt_missing", ""),
    Quantity("t_hits", ""),
    Quantity("t_chi2_per_hit", "", "log1p"),
    Quantity("p", "MeV", "log"),
    Quantity("pt", "MeV", "log"),
    Quantity("eta", ""),
    Quantity("n_tracks", "", "log1p"),
    Quantity("upstream", ""),
    Quantity("downstream", ""),
)

NETWORK: dict[str, Any] = {
    "hidden_layer_sizes": (48, 24),
    "alpha": 1e-4,
    "batch_size": 512,
    "learning_rate_init": 1e-3,
    "max_iter": 100,
    "early_stopping": True,
    "validation_fraction": 0.15,
    "n_iter_no_change": 10,
}


class Sample(NamedTuple):
    """n tracks: features by name, whether each is a ghost, its type and event."""

    columns: dict[str, NDArray[np.float64]]
    ghost: NDArray[np.bool_]
    track_type: NDArray[np.int64]
    event_id: NDArray[np.int64]

    def at(self, rows: NDArray[np.bool_]) -> Sample:
        """Some of the tracks."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Sample(columns, self.ghost[rows], self.track_type[rows], self.event_id[rows])


def tracks_of(batch: EventBatch, seed: int) -> Sample:
    """The tracks that detector and reconstruction make of some events."""
    tracks = track(batch, field_of("MagUp"), Draws(seed)).tracks
    columns = ghost_features(tracks.fitted, tracks.track_type, tracks.n_tracks, lhcb_detector())
    return Sample(columns, tracks.row < 0, tracks.track_type, tracks.event_id)


def joined(samples: Iterator[Sample]) -> Sample:
    """All tracks end to end."""
    columns, *rest = zip(*samples, strict=True)
    together = {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}
    return Sample(together, *(np.concatenate(parts) for parts in rest))


def train(sample: Sample, folder: Path, origin: dict[str, Any], seed: int) -> dict[str, Any]:
    """Train on most events of a sample, test on the rest, write the classifier; the metrics."""
    tested = sample.event_id % TESTED == 0
    trained, test = sample.at(~tested), sample.at(tested)
    features = scaled(QUANTITIES, trained.columns)
    rows = np.stack([feature(trained.columns[feature.name]) for feature in features], axis=1)
    network = MLPClassifier(**NETWORK, random_state=seed).fit(rows, trained.ghost)
    assert list(network.classes_) == [False, True]
    test_rows = np.stack([feature(test.columns[feature.name]) for feature in features], axis=1)
    metrics = evaluate(network.predict_proba(test_rows)[:, 1], test)
    save_classifier(folder, network, features, ("track", "ghost"), Origin(origin, seed, metrics))
    written = Classifier.load(folder)(test.columns)[:, 1]
    assert np.allclose(written, network.predict_proba(test_rows)[:, 1], atol=1e-4)
    return metrics


def evaluate(probability: NDArray[np.float64], sample: Sample) -> dict[str, Any]:
    """How well ghosts are told from tracks, type by type, and how well the probability is one."""
    types = {kind.name: sample.track_type == kind for kind in CLASSIFIED}
    out: dict[str, Any] = {
        name: _rates(probability[rows], sample.ghost[rows]) for name, rows in types.items() if rows.any()
    }
    edges = np.array([0.0, 0.02, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
    at = np.clip(np.digitize(probability, edges) - 1, 0, len(edges) - 2)
    out["calibration"] = [
        {
            "tracks": int(np.count_nonzero(at == i)),
            "probability": _rounded(probability[at == i].mean()),
            "ghosts": _rounded(sample.ghost[at == i].mean()),
        }
        for i in range(len(edges) - 1)
        if np.any(at == i)
    ]
    return out


def _rates(probability: NDArray[np.float64], ghost: NDArray[np.bool_]) -> dict[str, Any]:
    kept = probability < CUT
    rates: dict[str, Any] = {"tracks": len(ghost), "ghost_share": _rounded(ghost.mean())}
    if ghost.any() and not ghost.all():
        rates["auc"] = _rounded(roc_auc_score(ghost, probability))
        rates["signal_lost"] = _rounded(1.0 - kept[~ghost].mean())
        rates["ghosts_kept"] = _rounded(kept[ghost].mean())
        rates["ghost_share_after"] = _rounded(ghost[kept].mean())
    return rates


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def main() -> None:
    """Make the sample, train, write, and say how good it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS, help="Pythia8 events (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=HERE)
    chosen = parser.parse_args()
    batches = generate(RECIPE, chosen.events, chosen.seed, chunk_events=100)
    sample = joined(tracks_of(batch, chosen.seed) for batch in batches)
    command = f"python models/detailed/ghost/train.py --events {chosen.events} --seed {chosen.seed}"
    origin = {
        "made_by": command,
        "recipe": RECIPE,
        "events": chosen.events,
        "tracks": len(sample.ghost),
        "ghosts": int(sample.ghost.sum()),
        "tested_on": f"one event in {TESTED}",
        "network": {key: list(value) if isinstance(value, tuple) else value for key, value in NETWORK.items()},
    }
    for name, values in train(sample, chosen.output, origin, chosen.seed).items():
        print(name, values)


if __name__ == "__main__":
    main()

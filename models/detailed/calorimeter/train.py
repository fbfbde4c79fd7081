"""Train the classifiers of neutral clusters: photon_id, is_not_e, is_not_h.

    python models/detailed/calorimeter/train.py

makes b-bbar events with Pythia8 (``pip install lamarrpy[pythia,detailed]``), takes them through detector and
reconstruction, trains on the neutral clusters that come out, and writes model.onnx and manifest.json of each
classifier into the folder of its name. Events that are not trained on say how good they are.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

from lamarrpy.detailed.approach import approach
from lamarrpy.detailed.calorimeter import Clusters, match_photons, observe, true_photons
from lamarrpy.detailed.calorimeter.cells import ecal
from lamarrpy.detailed.calorimeter.deposits import deposited
from lamarrpy.detailed.calorimeter.identification import cluster_features
from lamarrpy.detailed.calorimeter.readout import of_showers
from lamarrpy.detailed.calorimeter.showers import leave
from lamarrpy.detailed.classifier import Classifier
from lamarrpy.detailed.export import Origin, Quantity, save_classifier, scaled
from lamarrpy.detailed.tracking import field_of, track
from lamarrpy.detailed.transport import Arrivals
from lamarrpy.draws import Draws
from lamarrpy.generate import generate
from lamarrpy.tables import EventBatch

Array = NDArray[np.float64]
Index = NDArray[np.int64]

HERE = Path(__file__).parent
RECIPE, EVENTS, SEED = "bbbar_pythia8", 1500, 73
TESTED = 3
"""One event in so many is kept for testing."""

PHOTON, ELECTRON, HADRON = range(3)
"""What most of a cluster's energy comes from: a photon, converted ones included, electrons, all else."""

CLASSIFIERS = {
    "photon_id": ("other", (ELECTRON, HADRON)),
    "is_not_e": ("electron", (ELECTRON,)),
    "is_not_h": ("hadron", (HADRON,)),
}
"""The name of what each sets against photons, and the labels."""

QUANTITIES = (
    Quantity("e", "MeV", "log"),
    Quantity("cell_size", "mm"),
    Quantity("split", ""),
    Quantity("track_chi2", "", "log1p"),
    Quantity("ps_e", "MeV", "log1p"),
    Quantity("spd", ""),
    Quantity("seed_share", ""),
    Quantity("square_share", ""),
    Quantity("spread", "mm^2", "sqrt"),
    Quantity("shape_chi2", "", "log1p"),
    Quantity("hcal_share", "", "log1p"),
)

NETWORK: dict[str, Any] = {
    "hidden_layer_sizes": (32, 16),
    "alpha": 1e-4,
    "batch_size": 512,
    "learning_rate_init": 1e-3,
    "max_iter": 150,
    "early_stopping": True,
    "validation_fraction": 0.15,
    "n_iter_no_change": 10,
}


class Sample(NamedTuple):
    """n clusters: features by name, label, transverse energy [MeV], event."""

    columns: dict[str, Array]
    label: Index
    et: Array
    event_id: Index

    def at(self, rows: NDArray[np.bool_]) -> Sample:
        """Some of the clusters."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Sample(columns, self.label[rows], self.et[rows], self.event_id[rows])


def clusters_of(batch: EventBatch, seed: int) -> Sample:
    """The neutral clusters of some events."""
    field, draws = field_of("MagUp"), Draws(seed)
    came = approach(batch, track(batch, field, draws), field, draws)
    events = np.sort(batch.array("events", "event_id"))
    calorimeter = draws.stage("calorimeter")
    clusters = observe(came.arrivals, came.paths, events, calorimeter).clusters
    label = source(clusters, came.arrivals, events, calorimeter)
    matched = match_photons(clusters, true_photons(came.photons)).photon >= 0
    label = np.where(matched & (label == ELECTRON), PHOTON, label)
    et = clusters.e * ecal().sine[clusters.cell]
    return Sample(cluster_features(clusters), label, et, clusters.event_id)


def source(clusters: Clusters, arrivals: Arrivals, events: Index, draws: Draws) -> Index:
    """What left most of the energy in the cells around the middle of each cluster."""
    event = np.searchsorted(events, arrivals.event_id)
    left = leave(arrivals, event, of_showers(draws)).ecal
    kind = np.where(arrivals.pid == 22, PHOTON, np.where(np.abs(arrivals.pid) == 11, ELECTRON, HADRON))
    at = np.searchsorted(events, clusters.event_id)
    cells = np.concatenate([clusters.cell[:, None], ecal().neighbours[clusters.cell]], axis=1)
    found = [deposited(left.at(kind == k), ecal(), len(events))[at[:, None], cells].sum(axis=1) for k in range(3)]
    return np.argmax(np.stack(found), axis=0)


def joined(samples: list[Sample]) -> Sample:
    """All clusters end to end."""
    columns, *rest = zip(*samples, strict=True)
    together = {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}
    return Sample(together, *(np.concatenate(parts) for parts in rest))


def train(name: str, sample: Sample, folder: Path, origin: dict[str, Any], seed: int) -> dict[str, Any]:
    """Train one classifier on most events of a sample, test on the rest, write it; the metrics."""
    other, labels = CLASSIFIERS[name]
    sample = sample.at(np.isin(sample.label, (PHOTON, *labels)))
    tested = sample.event_id % TESTED == 0
    trained, test = sample.at(~tested), sample.at(tested)
    features = scaled(QUANTITIES, trained.columns)
    rows = np.stack([feature(trained.columns[feature.name]) for feature in features], axis=1)
    network = MLPClassifier(**NETWORK, random_state=seed).fit(rows, trained.label == PHOTON)
    assert list(network.classes_) == [False, True]
    test_rows = np.stack([feature(test.columns[feature.name]) for feature in features], axis=1)
    metrics = evaluate(network.predict_proba(test_rows)[:, 1], test)
    save_classifier(folder / name, network, features, (other, "photon"), Origin(origin, seed, metrics))
    written = Classifier.load(folder / name)(test.columns)[:, 1]
    assert np.allclose(written, network.predict_proba(test_rows)[:, 1], atol=1e-4)
    return metrics


def evaluate(probability: Array, sample: Sample) -> dict[str, Any]:
    """How well photons are told from the others, in bins of transverse energy."""
    out: dict[str, Any] = {"all": _rates(probability, sample)}
    for low, high in ((200.0, 500.0), (500.0, 1000.0), (1000.0, 1e6)):
        rows = (sample.et >= low) & (sample.et < high)
        out[f"et_{low:.0f}"] = _rates(probability[rows], sample.at(rows))
    return out


def _rates(probability: Array, sample: Sample) -> dict[str, Any]:
    photon = sample.label == PHOTON
    out: dict[str, Any] = {"photons": int(photon.sum()), "others": int((~photon).sum())}
    if photon.any() and not photon.all():
        cut = np.quantile(probability[photon], 0.1)
        out["auc"] = round(float(roc_auc_score(photon, probability)), 4)
        out["others_at_90_percent"] = round(float((probability[~photon] > cut).mean()), 4)
    return out


def main() -> None:
    """Make the sample, train, write, and say how good they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS, help="Pythia8 events (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=HERE.parent)
    chosen = parser.parse_args()
    batches = generate(RECIPE, chosen.events, chosen.seed, chunk_events=100)
    sample = joined([clusters_of(batch, chosen.seed) for batch in batches])
    command = f"python models/detailed/calorimeter/train.py --events {chosen.events} --seed {chosen.seed}"
    origin = {
        "made_by": command,
        "recipe": RECIPE,
        "events": chosen.events,
        "clusters": len(sample.label),
        "tested_on": f"one event in {TESTED}",
        "network": {key: list(value) if isinstance(value, tuple) else value for key, value in NETWORK.items()},
    }
    for name in CLASSIFIERS:
        for what, values in train(name, sample, chosen.output, origin, chosen.seed).items():
            print(name, what, values)


if __name__ == "__main__":
    main()

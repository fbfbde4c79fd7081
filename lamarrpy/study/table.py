"""The master results table: one row for each network of a study (protocol section 10.2)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lamarrpy.study.jobs import Outcome
from lamarrpy.study.measuring import BATCHES
from lamarrpy.tracks.accuracy import OUTPUTS, UNITS

TABLE = "results.csv"

_FIGURES = {f"{figure}_{name}_{UNITS[name]}": (figure, name) for figure in ("mae", "rmse", "max") for name in OUTPUTS}

COLUMNS: tuple[str, ...] = (
    "model", "experiment", "family", "architecture", "activation", "parameters", "sample", "test", "steps",
    "training_wall_s", "training_cpu_s", "gpu_hours", "train_loss", "validation_loss", "test_loss",
    *_FIGURES,
    *(f"inference_us_{batch}" for batch in BATCHES),
    "generalization_gap", "notes",
)  # fmt: skip
"""Columns of the table; an inference time is that of one track if so many are given at once."""


def row(outcome: Outcome) -> dict[str, Any]:
    """The row of a network, by the names of `COLUMNS`."""
    config, history, metrics = outcome.config, outcome.history, outcome.metrics
    made = outcome.recipe.architecture
    wall = history["wall_s"]
    told = {
        "model": outcome.name,
        "experiment": config["experiment"],
        "family": made.family,
        "architecture": _layers(made.size),
        "activation": made.activation,
        "parameters": history["parameters"],
        "sample": config["sample"],
        "test": config["test"],
        "steps": history["steps"],
        "training_wall_s": wall,
        "training_cpu_s": history["cpu_s"],
        "gpu_hours": wall / 3600.0 if history["device"] == "GPU" else 0.0,
        **{f"{part}_loss": metrics["loss"][part] for part in ("train", "validation", "test")},
        **{column: metrics["test"][figure][name] for column, (figure, name) in _FIGURES.items()},
        **{f"inference_us_{batch}": metrics["inference_us"][str(batch)] for batch in BATCHES},
        "generalization_gap": metrics["generalization_gap"],
        "notes": "; ".join(notes(outcome)),
    }
    return {column: told[column] for column in COLUMNS}


def _layers(size: str | tuple[int, ...]) -> str:
    from lamarrpy.nn.extrapolators.families import SIZES

    return str(list(SIZES[size] if isinstance(size, str) else size))


def notes(outcome: Outcome) -> list[str]:
    """What there is to say of a network beyond its numbers."""
    config, metrics = outcome.config, outcome.metrics
    loss, told = outcome.recipe.loss, [config["notes"]] if config["notes"] else []
    if config["tracks"] is not None:
        told.append(f"learned from {config['tracks']:,} tracks")
    if config["begin_with"]:
        told.append(f"began with {config['begin_with']}")
    if loss.data == 0.0:
        told.append("no true track was looked at")
    if metrics["test"]["share_finite"] < 1.0:
        told.append(f"{1.0 - metrics['test']['share_finite']:.2%} of the answers are not finite")
    scores = [entry["score"] for entry in outcome.history["entries"] if entry.get("score") is not None]
    if scores and min(scores) < scores[-1]:
        told.append("best before the last step")
    return told


def summary(outcome: Outcome) -> dict[str, Any]:
    """The figures that experiments compare, as one flat row."""
    config, metrics, history = outcome.config, outcome.metrics, outcome.history
    test, made = metrics["test"], outcome.recipe.architecture
    return {
        "name": outcome.name,
        "family": made.family,
        "size": made.size if isinstance(made.size, str) else list(made.size),
        "parameters": history["parameters"],
        "sample": config["sample"],
        **{f"rmse_{name}": test["rmse"][name] for name in OUTPUTS},
        **{f"mean_{name}": test["mean"][name] for name in OUTPUTS},
        **{key: test[key] for key in ("distance_rms", "distance_68", "distance_95", "share_finite")},
        "test_loss": metrics["loss"]["test"],
        "generalization_gap": metrics["generalization_gap"],
        "inference_us": metrics["inference_us"][str(BATCHES[-1])],
        "wall_s": history["wall_s"],
        "cpu_s": history["cpu_s"],
    }


def write_table(out: Path, outcomes: Mapping[str, Outcome], failures: Iterable[Mapping[str, str]] = ()) -> Path:
    """Write the table of all networks of a study; failed ones have a row with their reason.

    Parameters
    ----------
    out : Path
        Folder of the study.
    outcomes : mapping of str to Outcome
        Those that went well.
    failures : iterable of mapping
        ``model``, ``experiment``, ``notes`` of the others.
    """
    path = out / TABLE
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for outcome in outcomes.values():
            writer.writerow({key: _written(value) for key, value in row(outcome).items()})
        for failure in failures:
            writer.writerow(dict(failure))
    return path


def _written(value: Any) -> Any:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else value

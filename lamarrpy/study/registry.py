"""The registry of models: what each is, how good it is, and which are the best (protocol section 12)."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lamarrpy.nn.extrapolators.families import SIZES
from lamarrpy.study.jobs import KERAS, ONNX, Outcome, write_json
from lamarrpy.study.measuring import BATCHES

REGISTRY = "registry.json"

_MAIN_TEST = "main.test"

CRITERIA: dict[str, str] = {
    "overall": "smallest product of rms distance in x and y and inference time at batch 10000",
    "fastest": "smallest inference time a track at batch 10000",
    "most_accurate": "smallest rms distance in x and y on the test tracks",
    "best_generalization": "smallest growth of the error from training to test tracks, of the more accurate half",
}
"""How the best models are chosen, among those that are measured on the main test tracks with finite answers alone."""

Row = Mapping[str, Any]


def write_registry(out: Path, outcomes: Mapping[str, Outcome], commit: str | None) -> dict[str, Any]:
    """Write the registry of all networks of a study.

    Parameters
    ----------
    out : Path
        Folder of the study.
    outcomes : mapping of str to Outcome
        Its networks.
    commit : str or None
        Of git.

    Returns
    -------
    dict
        ``models`` with the fields of the protocol and their ``marks``, the names of the ``best``, and the
        ``criteria`` that they were chosen by.
    """
    models = [_model(outcome, commit) for outcome in outcomes.values()]
    found = best_models(models)
    for model in models:
        model["marks"] = [mark for mark, name in found.items() if name == model["id"]]
    registry = {"models": models, "best": found, "criteria": CRITERIA}
    write_json(out / REGISTRY, registry)
    return registry


def _model(outcome: Outcome, commit: str | None) -> dict[str, Any]:
    recipe, history, metrics, config = outcome.recipe, outcome.history, outcome.metrics, outcome.config
    made = recipe.architecture
    layers = SIZES[made.size] if isinstance(made.size, str) else made.size
    return {
        "id": outcome.name,
        "path": f"jobs/{outcome.name}/{KERAS}",
        "onnx": f"jobs/{outcome.name}/{ONNX}",
        "architecture": {
            **made.model_dump(mode="json"), "hidden_layers": list(layers), "parameters": history["parameters"]
        },
        "training": {
            **recipe.training.model_dump(mode="json"), "loss": recipe.loss.model_dump(mode="json"), "seed": recipe.seed,
            "field": recipe.field, "sample": config["sample"], "tracks": config["tracks"],
            "begin_with": config["begin_with"], "wall_s": history["wall_s"], "cpu_s": history["cpu_s"],
        },
        "metrics": {
            "test_sample": config["test"], "test_loss": metrics["loss"]["test"], "accuracy": metrics["test"],
            "generalization_gap": metrics["generalization_gap"], "inference_us": metrics["inference_us"],
        },
        "timestamp": history["finished"],
        "git_commit": commit,
    }  # fmt: skip


def best_models(models: list[dict[str, Any]]) -> dict[str, str | None]:
    """Names of the best models by the keys of `CRITERIA`; None where there is nothing to choose from."""
    known = [
        model for model in models
        if model["metrics"]["test_sample"] == _MAIN_TEST and model["metrics"]["accuracy"]["share_finite"] == 1.0
    ]  # fmt: skip
    if not known:
        return dict.fromkeys(CRITERIA)
    half = statistics.median(_error(model) for model in known)
    accurate = [model for model in known if _error(model) <= half]
    return {
        "overall": _first(known, lambda model: _error(model) * _time(model)),
        "fastest": _first(known, _time),
        "most_accurate": _first(known, _error),
        "best_generalization": _first(accurate, lambda model: float(model["metrics"]["generalization_gap"])),
    }


def _first(models: list[dict[str, Any]], key: Callable[[Row], float]) -> str:
    name: str = min(models, key=key)["id"]
    return name


def _error(model: Row) -> float:
    return float(model["metrics"]["accuracy"]["distance_rms"])


def _time(model: Row) -> float:
    return float(model["metrics"]["inference_us"][str(BATCHES[-1])])

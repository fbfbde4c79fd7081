"""One training of a study: from its job to the files in its folder."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lamarrpy.errors import ArtifactError, DomainError
from lamarrpy.study.conversion import tracks_to_onnx
from lamarrpy.study.jobs import (
    CONFIG,
    FAILURE,
    HISTORY,
    KERAS,
    METRICS,
    ONNX,
    RESIDUALS,
    Job,
    Outcome,
    read_json,
    write_json,
)
from lamarrpy.study.measuring import inference_times, measure, unit_of
from lamarrpy.study.samples import Samples, SampleSpec
from lamarrpy.train.checkpoint import CHECKPOINT
from lamarrpy.train.export import AGREEMENT, to_keras
from lamarrpy.train.extrapolation.running import Trained, as_input, train_extrapolator

FINISHED, FAILED, OPEN = "finished", "failed", "open"
"""Where a job stands."""

_OF_ERROR = 0.01
"""Part of a network's error by which it may be another as ONNX."""

_NO_MATTER = ("experiment", "notes")
"""Keys of a job's config.json that do not change what it does."""


def config_of(job: Job, specs: Mapping[str, SampleSpec]) -> dict[str, Any]:
    """What is in the config.json of a job: the job, and what its samples are."""
    return {**job.as_data(), "samples": {name: specs[name].as_data() for name in job.samples}}


def standing(folder: Path, config: Mapping[str, Any]) -> str:
    """Whether the job of a configuration is finished, has failed, or is still open, in its folder."""
    for state, file in ((FINISHED, METRICS), (FAILED, FAILURE)):
        if (folder / file).is_file() and _is_that(folder, config):
            return state
    return OPEN


def _is_that(folder: Path, config: Mapping[str, Any]) -> bool:
    if not (folder / CONFIG).is_file():
        return False
    there = read_json(folder / CONFIG)
    return all(there.get(key) == value for key, value in config.items() if key not in _NO_MATTER)


def run_job(out: Path, job: Job, config: Mapping[str, Any]) -> str:
    """Train and measure a network; one that was stopped goes on, one that is finished stays.

    Parameters
    ----------
    out : Path
        Folder of the study, with the samples in it.
    job : Job
        What is to be trained.
    config : mapping
        As `config_of` gives it.

    Returns
    -------
    str
        `FINISHED` or `FAILED`; why it failed is in its failure.json.
    """
    folder = out / "jobs" / job.name
    state = standing(folder, config)
    if state != OPEN:
        return state
    if not _is_that(folder, config):
        _clear(folder)
    write_json(folder / CONFIG, config)
    try:
        _train_and_measure(out, folder, job)
    except (DomainError, ArtifactError) as error:
        write_json(folder / FAILURE, {"reason": str(error), "kind": type(error).__name__})
        return FAILED
    finally:
        keras.backend.clear_session()
        gc.collect()
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return FINISHED


def _clear(folder: Path) -> None:
    """Remove what another job of the name has left."""
    for name in (CONFIG, HISTORY, METRICS, RESIDUALS, FAILURE, KERAS, ONNX, CHECKPOINT):
        (folder / name).unlink(missing_ok=True)


def _train_and_measure(out: Path, folder: Path, job: Job) -> None:
    samples = Samples.of(out)
    sample, validation, test = (samples.read(name) for name in job.samples)
    sample = sample if job.tracks is None else sample.at(slice(job.tracks))
    begin_with = None if job.begin_with is None else _network_of(out, job.begin_with)
    trained = train_extrapolator(job.recipe, sample, validation, folder, begin_with=begin_with)
    network, unit = trained.network, unit_of(sample)
    metrics, residuals = measure(network, job.recipe, sample, test, unit)
    metrics["loss"]["validation"] = min(trained.history.scores)
    model = tracks_to_onnx(network, as_input(test.start, test.dz), tolerance_of(residuals, unit))
    (folder / ONNX).write_bytes(model)
    (folder / KERAS).write_bytes(to_keras(network))
    metrics["inference_us"] = inference_times(model, as_input(test.start, test.dz))
    np.savez(folder / RESIDUALS, **residuals)  # type: ignore[arg-type]
    write_json(folder / HISTORY, history_of(trained, job))
    write_json(folder / METRICS, metrics)  # the last one: with it, the job is finished


def tolerance_of(residuals: Mapping[str, Any], unit: Any) -> Any:
    """By how much ONNX and Keras may differ, shape (4,): little of the spread, or of the network's own error."""
    differ = residuals["predicted"] - residuals["true"]
    with np.errstate(over="ignore"):
        own = np.sqrt(np.mean(np.where(np.isfinite(differ), differ, 0.0) ** 2, axis=0))
    return np.maximum(AGREEMENT * unit, _OF_ERROR * own)


def _network_of(out: Path, name: str) -> keras.Model:
    done = Outcome(out / "jobs" / name)
    if not (done.folder / METRICS).is_file():
        raise ArtifactError(f"expected the network of {name} to begin with; that has failed, or is left out")
    return done.network()


def history_of(trained: Trained, job: Job) -> dict[str, Any]:
    """The content of history.json."""
    return {
        "entries": trained.history.entries,
        "wall_s": trained.wall,
        "cpu_s": trained.cpu,
        "device": "GPU" if tf.config.list_physical_devices("GPU") else "CPU",
        "parameters": int(trained.network.count_params()),
        "steps": job.recipe.training.steps,
        "loss_weights": asdict(job.recipe.weights),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }

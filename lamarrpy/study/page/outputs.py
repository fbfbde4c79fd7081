"""What a study has written, read back: jobs, results of experiments, registry, samples."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import InputError
from lamarrpy.study.jobs import CONFIG, FAILURE, HISTORY, METRICS, RESIDUALS
from lamarrpy.study.wording import FAMILIES
from lamarrpy.tracks.accuracy import MICRO

Array = NDArray[np.float64]

GEV = 1000.0
"""In MeV."""


@dataclass(frozen=True)
class Residuals:
    """Test tracks of a network: where they start, where they end, where the network says that they end.

    Attributes
    ----------
    tracks : ndarray of float64, shape (n, 7)
        x, y, z [mm], tx, ty, q/p [1/MeV], dz [mm].
    true, predicted : ndarray of float64, shape (n, 4)
        Deviations of x, y [mm], tx, ty from the straight line; only tracks with a finite answer.
    error : ndarray of float64, shape (n, 4), or None
        What the network takes for its error.
    """

    tracks: Array
    true: Array
    predicted: Array
    error: Array | None = None

    @cached_property
    def differ(self) -> Array:
        """Predicted less true, shape (n, 4), in um and urad."""
        found: Array = (self.predicted - self.true) * MICRO
        return found

    @cached_property
    def p(self) -> Array:
        """Momentum, shape (n,), in GeV."""
        return 1.0 / np.maximum(np.abs(self.tracks[:, 5]), 1e-12) / GEV

    def above(self, p: float) -> Residuals:
        """Those with at least a momentum [GeV]."""
        keep = self.p >= p
        return Residuals(self.tracks[keep], self.true[keep], self.predicted[keep],
                         None if self.error is None else self.error[keep])  # fmt: skip


@dataclass(frozen=True)
class JobFiles:
    """What a finished job has left, for the page.

    Attributes
    ----------
    folder : Path
        Its folder; its name is that of the job.
    config, history, metrics : dict
        What is in the files of these names.
    """

    folder: Path
    config: dict[str, Any]
    history: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def name(self) -> str:
        """Of the job."""
        return self.folder.name

    @property
    def family(self) -> str:
        """``mlp``, ``pinn`` or ``rk_pinn``."""
        return str(self.config["recipe"]["architecture"]["family"])

    @property
    def layers(self) -> str:
        """Its size by name, or its hidden layers."""
        size = self.config["recipe"]["architecture"]["size"]
        return size if isinstance(size, str) else str(list(size))

    @property
    def experiment(self) -> str:
        """Who asked for it first."""
        return str(self.config["experiment"])

    @property
    def test(self) -> dict[str, Any]:
        """Accuracy on its test tracks."""
        found: dict[str, Any] = self.metrics["test"]
        return found

    @property
    def position(self) -> float | None:
        """The larger of the rms errors of x and y [um]; None without a finite answer."""
        rms = self.test["rmse"]
        return None if rms["x"] is None or rms["y"] is None else float(max(rms["x"], rms["y"]))

    @cached_property
    def residuals(self) -> Residuals | None:
        """Test tracks with finite answers; None if the file is not there, or none is finite.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        path = self.folder / RESIDUALS
        if not path.is_file():
            return None
        try:
            with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
                arrays = {name: np.asarray(file[name], np.float64) for name in file.files}
            tracks, true, predicted = arrays["tracks"], arrays["true"], arrays["predicted"][:, :4]
        except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: expected arrays tracks, true and predicted, got something else: {error};"
                             " remove the folder of the job and run the study again") from error  # fmt: skip
        own = arrays.get("error")
        keep = np.isfinite(predicted).all(axis=1)
        if not keep.any():
            return None
        return Residuals(tracks[keep], true[keep], predicted[keep], None if own is None else own[keep])


@dataclass(frozen=True)
class Outputs:
    """The folder of a study.

    Attributes
    ----------
    folder : Path
        Where everything is.
    study : dict
        What was asked for, by which versions.
    jobs : dict of str to JobFiles
        Finished ones, by name.
    failures : dict of str to str
        Why others did not finish.
    results : dict of str to dict
        What each experiment found out.
    registry : dict
        Models, and the best of them.
    table : list of dict
        The master table of results.
    samples : dict of str to dict
        How each sample came to be.
    """

    folder: Path
    study: dict[str, Any]
    jobs: dict[str, JobFiles]
    failures: dict[str, str] = field(default_factory=dict)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    registry: dict[str, Any] = field(default_factory=dict)
    table: list[dict[str, str]] = field(default_factory=list)
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)

    def best(self, family: str) -> JobFiles | None:
        """The most accurate network of a family on the main test tracks, by its rms error of position.

        One whose answers are not all finite is the best only if there is no other.
        """
        found = [job for job in self.jobs.values() if job.family == family and job.position is not None
                 and job.config["test"] == "main.test"]  # fmt: skip
        return min(found, key=lambda job: (job.test["share_finite"] < 1.0, job.position), default=None)

    @cached_property
    def best_of_families(self) -> list[JobFiles]:
        """The best of each family that there is."""
        return [job for family in FAMILIES if (job := self.best(family)) is not None]


def read_outputs(folder: Path) -> Outputs:
    """Read what a study has written so far.

    Parameters
    ----------
    folder : Path
        That of the study. Where it has a registry and a table, jobs that are in neither are left out: they were left
        by an earlier configuration.

    Raises
    ------
    InputError
        If it is none, or a file in it is damaged.
    """
    if not (folder / "study.json").is_file():
        raise InputError(f"{folder}: expected the folder of a study with a study.json in it, found none;"
                         " run `lamarrpy study extrapolator` first")  # fmt: skip
    registry, table = _json_if_there(folder / "registry.json"), _table(folder / "results.csv")
    known = {str(model["id"]) for model in registry.get("models", [])} | {row["model"] for row in table}
    jobs, failures = (
        [path for path in sorted(folder.glob(f"jobs/*/{name}")) if not known or path.parent.name in known]
        for name in (METRICS, FAILURE)
    )
    return Outputs(
        folder,
        _json(folder / "study.json", ("preset",)),
        {path.parent.name: _job(path.parent) for path in jobs},
        {path.parent.name: str(_json(path).get("reason", "")) for path in failures},
        {path.stem: _json(path, ("experiment",)) for path in sorted(folder.glob("results/*.json"))},
        registry,
        table,
        {path.stem: _json(path) for path in sorted(folder.glob("samples/*.json"))},
    )


def _job(folder: Path) -> JobFiles:
    return JobFiles(
        folder,
        _json(folder / CONFIG, ("recipe", "experiment", "sample", "test")),
        _json(folder / HISTORY, ("entries", "wall_s", "cpu_s", "parameters", "steps")),
        _json(folder / METRICS, ("test", "bins", "inference_us", "generalization_gap")),
    )


def _json(path: Path, keys: tuple[str, ...] = ()) -> dict[str, Any]:
    """The object in a file, with the keys that it must have."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: expected JSON of a study, got something else: {error}; run the study again"
        ) from error
    missing = [key for key in keys if key not in content] if isinstance(content, Mapping) else ["an object"]
    if missing:
        raise InputError(f"{path}: expected {', '.join(missing)} in it, found none; run the study again")
    return dict(content)


def _json_if_there(path: Path) -> dict[str, Any]:
    return _json(path) if path.is_file() else {}


def _table(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

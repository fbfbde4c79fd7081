"""Trainings of a study: what each is to do, and what it leaves in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

    from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe

CONFIG, HISTORY, METRICS, RESIDUALS, FAILURE = (
    "config.json", "history.json", "metrics.json", "residuals.npz", "failure.json"
)  # fmt: skip
KERAS, ONNX = "model.keras", "model.onnx"
"""Files in the folder of a job."""


@dataclass(frozen=True)
class Job:
    """One network to be trained and measured.

    Attributes
    ----------
    name : str
        Its own in the whole study; jobs of one name are one job, and must be equal in all but the experiment.
    experiment : str
        Who asked for it first.
    recipe : ExtrapolatorRecipe
        What it is, and how it learns.
    sample, validation, test : str
        Samples of tracks.
    tracks : int or None
        How many of the sample's first tracks it learns from; None for all.
    begin_with : str or None
        Name of a job with a network of the same shape, with whose weights it begins.
    notes : str
        What the table of results says of it.
    """

    name: str
    experiment: str
    recipe: ExtrapolatorRecipe
    sample: str = "main.train"
    validation: str = "main.validation"
    test: str = "main.test"
    tracks: int | None = None
    begin_with: str | None = None
    notes: str = ""

    @property
    def samples(self) -> tuple[str, str, str]:
        """All three."""
        return self.sample, self.validation, self.test

    def as_data(self) -> dict[str, Any]:
        """The job as plain data: what is in its config.json, but for the samples' specifications."""
        return {
            "name": self.name,
            "experiment": self.experiment,
            "recipe": self.recipe.model_dump(mode="json"),
            **{key: getattr(self, key) for key in ("sample", "validation", "test", "tracks", "begin_with", "notes")},
        }


@dataclass(frozen=True)
class Outcome:
    """What a job has left.

    Attributes
    ----------
    folder : Path
        Its folder.
    """

    folder: Path

    @property
    def name(self) -> str:
        """Of the job."""
        return self.folder.name

    @cached_property
    def config(self) -> dict[str, Any]:
        """What it was to do; ``recipe`` in it is that of an `ExtrapolatorRecipe`."""
        return read_json(self.folder / CONFIG)

    @cached_property
    def history(self) -> dict[str, Any]:
        """Learning curves (``entries``), ``wall_s``, ``cpu_s``, ``parameters``, ``steps``."""
        return read_json(self.folder / HISTORY)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """``test``, ``train`` (accuracies), ``bins``, ``inference_us``, ``generalization_gap``, ``physics`` ..."""
        return read_json(self.folder / METRICS)

    @property
    def recipe(self) -> ExtrapolatorRecipe:
        """By which it learned."""
        from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe

        return ExtrapolatorRecipe.model_validate(self.config["recipe"])

    def residuals(self) -> dict[str, Any]:
        """Arrays ``tracks`` (n, 7), ``true`` and ``predicted`` deviations (n, 4), ``error`` (n, 4) if it tells one."""
        with np.load(self.folder / RESIDUALS, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}

    def network(self) -> keras.Model:
        """The trained network."""
        import lamarrpy.nn.extrapolators.families  # noqa: F401  its layers have to be known
        from lamarrpy.train.export import from_keras

        return from_keras((self.folder / KERAS).read_bytes())

    @property
    def onnx(self) -> Path:
        """File of the network as ONNX: input ``tracks`` (n, 7), float32."""
        return self.folder / ONNX


def read_json(path: Path) -> dict[str, Any]:
    """The content of a file of the study."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain data; the file is there as a whole or not at all. Numbers that are not finite become null."""
    partial = path.with_name(f".{path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(json.dumps(plain(content), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)


def plain(content: Any) -> Any:
    """Content as JSON has it: NumPy's numbers and arrays as numbers and lists, None for what is not finite."""
    if isinstance(content, Mapping):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain(value) for value in content]
    if isinstance(content, np.ndarray):
        return plain(content.tolist())
    if isinstance(content, np.generic):
        return plain(content.item())
    if isinstance(content, float) and not np.isfinite(content):
        return None
    return content

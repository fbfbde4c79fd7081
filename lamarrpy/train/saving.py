"""A trained model on its way to a folder: networks, transforms, manifest, model card, learning curves."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import lamarrpy
from lamarrpy.parameterization.folder import CARD, KERAS, MODEL, ROWS, TRANSFORM, write_folder
from lamarrpy.parameterization.manifest import Manifest, Target
from lamarrpy.parameterization.parameterization import CONDITIONS, TARGETS, Parameterization, load
from lamarrpy.train.card import card
from lamarrpy.train.export import to_keras, to_onnx
from lamarrpy.train.figures import calibration_figure, curves_figure, distributions_figure
from lamarrpy.train.learned import Learned, Watch
from lamarrpy.train.loop import History
from lamarrpy.train.measuring import measure
from lamarrpy.train.problem import Problem

_PACKAGES = ("numpy", "tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "scikit-learn")

CURVES, FIGURES = "curves", "figures"


def save(folder: Path, problem: Problem, learned: Learned, watch: Watch) -> Parameterization:
    """Write a model, measure what was written on the test rows, and write that down too.

    Parameters
    ----------
    folder : Path
        Where.
    problem : Problem
        What was to be learned.
    learned : Learned
        What came of it.
    watch : Watch
        Whose curves are kept.

    Returns
    -------
    Parameterization
        The model as it is opened from the folder.
    """
    manifest, files = _manifest(problem, learned), _files(problem, learned)
    write_folder(folder, manifest, files)
    measured = measure(load(folder), problem.parts["test"], problem.recipe.weight, problem.recipe.seed)
    manifest = manifest.model_copy(update={"metrics": measured.figures})
    for phase, history in watch.curves.items():
        if history.entries:
            files[f"{CURVES}/{phase}.csv"] = as_csv(history)
            files[f"{FIGURES}/{phase}.png"] = curves_figure(phase, history)
    if measured.wanted:
        draw = distributions_figure if measured.probabilities is None else calibration_figure
        files[f"{FIGURES}/test.png"] = draw(manifest, measured)
    files[CARD] = card(manifest, problem.recipe.description, sorted(files)).encode()
    write_folder(folder, manifest, files)
    return load(folder)


def _manifest(problem: Problem, learned: Learned) -> Manifest:
    recipe = problem.recipe
    latents = {
        "generator": learned.network.inputs[1].shape[-1] if learned.kind == "generator" and learned.network else 1
    }
    rows = {part: len(table) for part, table in problem.parts.items()}
    return Manifest(
        name=recipe.name,
        kind=learned.kind,
        algorithm=recipe.algorithm,
        conditions=problem.described_conditions(),
        targets=_targets(problem, learned),
        classes=learned.classes,
        latents=latents.get(learned.kind, 1),
        recipe=recipe.model_dump(mode="json", exclude_defaults=True),
        sample={**problem.source, "split": rows},
        seed=recipe.seed,
        versions=package_versions(),
    )


def package_versions() -> dict[str, str]:
    """Those of lamarrpy and of the packages at work, as far as they go by their usual names."""
    found = {"lamarrpy": lamarrpy.__version__}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):  # tensorflow may be called tensorflow-cpu
            found[package] = version(package)
    return found


def _targets(problem: Problem, learned: Learned) -> tuple[Target, ...]:
    """The targets; that of a classifier takes the values of its classes, even those too rare for the training rows."""
    targets = problem.described_targets()
    if not learned.classes:
        return targets
    known = {"low": min(learned.classes), "high": max(learned.classes), "masses": learned.classes}
    return tuple(target.model_copy(update=known) for target in targets)


def _files(problem: Problem, learned: Learned) -> dict[str, bytes]:
    transforms: dict[str, Any] = {CONDITIONS: problem.conditions.as_json()}
    if learned.targets is not None:
        transforms[TARGETS] = learned.targets.as_json()
    files = {TRANSFORM: json.dumps(transforms, separators=(",", ":")).encode()}
    if learned.network is not None:
        files |= {MODEL: learned.model or to_onnx(learned.network), KERAS: to_keras(learned.network)}
    elif learned.model is not None:
        files[MODEL] = learned.model
    if learned.rows is not None:
        files[ROWS] = learned.rows
    return files


def as_csv(history: History) -> bytes:
    """Learning curves, a column each."""
    names = list(dict.fromkeys(name for entry in history.entries for name in entry))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: f"{np.float64(value):.8g}" for name, value in entry.items()} for entry in history.entries)
    return stream.getvalue().encode()

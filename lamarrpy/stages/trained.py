"""Trained models as stages use them: opened once a process, asked part by part, their domain watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import RowDraws
from lamarrpy.errors import ArtifactError, ConfigError
from lamarrpy.parameterization import Classifier, Parameterization, load
from lamarrpy.particles import Species
from lamarrpy.shipped import shipped

Columns = Mapping[str, NDArray[Any]]

SPECIES = (Species.muon, Species.pion, Species.kaon, Species.proton)
"""Whose identification is learned: a model of each."""


@cache
def trained(stage: str, part: str, version: str, models: str | None = None) -> Parameterization:
    """A trained model: ``<models>/<stage>/<part>/<version>``, in the shipped models or in a folder of one's own.

    Parameters
    ----------
    stage : str
        Such as ``rich``.
    part : str
        What it is of: a species, ``charged``, ``photon``, ``event``.
    version : str
        How it was learned, such as ``distilled`` or ``gan``.
    models : str, optional
        Folder of models of one's own, laid out as the shipped one.

    Raises
    ------
    ConfigError
        If there is no such model.
    ArtifactError
        If it is damaged.
    """
    of_part = (shipped("models") if models is None else Path(models)) / stage / part
    if not (of_part / version).is_dir():
        known = ", ".join(sorted(folder.name for folder in of_part.glob("*/"))) or "none"
        raise ConfigError(f"expected a model {of_part / version}, got: no such folder; the versions of it are: {known}")
    return load(of_part / version)


def trained_classifier(stage: str, part: str, version: str, models: str | None = None) -> Classifier:
    """The same of a model that tells probabilities.

    Raises
    ------
    ConfigError, ArtifactError
        As `trained`, or if it is of another kind.
    """
    model = trained(stage, part, version, models)
    if not isinstance(model, Classifier):
        raise ArtifactError(
            f"models/{stage}/{part}/{version}: expected a classifier, got a {model.kind}: train it by"
            " algorithm: classifier"
        )
    return model


@dataclass(frozen=True, kw_only=True)
class TrainedStage:
    """What every stage of trained models has: which they are, and that all are opened as soon as it is made.

    Attributes
    ----------
    version : str
        How they were learned.
    models : str or None
        Folder of models of one's own, laid out as ``models``; the shipped ones if left out.
    """

    stage: ClassVar[str]
    parts: ClassVar[tuple[str, ...]]
    version: str = "distilled"
    models: str | None = None

    def __post_init__(self) -> None:
        for part in self.parts:
            self._model(part)

    @property
    def name(self) -> str:
        """The name of the stage."""
        return self.stage

    def _model(self, part: str) -> Parameterization:
        return trained(self.stage, part, self.version, self.models)


@dataclass(frozen=True, kw_only=True)
class DecidingStage(TrainedStage):
    """The same of models that tell probabilities."""

    version: str = "classifier"

    def _model(self, part: str) -> Classifier:
        return trained_classifier(self.stage, part, self.version, self.models)


def answers(
    model: Parameterization, conditions: Columns, rows: RowDraws, at: NDArray[np.intp], into: Mapping[str, NDArray[Any]]
) -> NDArray[np.bool_]:
    """Ask a model about some rows, and put what it says where it belongs.

    Parameters
    ----------
    model : Parameterization
        The model.
    conditions : mapping of str to ndarray, shape (n,)
        Of all rows.
    rows : RowDraws of length n
        The random numbers of all rows.
    at : ndarray of int, shape (m,)
        The rows that it is asked about.
    into : mapping of str to ndarray, shape (n,)
        Its targets, which get values at these rows.

    Returns
    -------
    ndarray of bool, shape (m,)
        Which of them have a condition beyond what the model was trained on.
    """
    own = {c.name: conditions[c.name][at] for c in model.manifest.conditions}
    for name, values in model(own, rows[at]).items():
        into[name][at] = values
    return model.outside(own)


def answers_by_species(
    model: Callable[[Species], Parameterization],
    kind: NDArray[np.integer[Any]],
    conditions: Columns,
    rows: RowDraws,
    into: Mapping[str, NDArray[Any]],
) -> NDArray[np.bool_]:
    """Ask the model of each species about its rows; those of no species that has one stay as they are.

    Parameters
    ----------
    model : callable
        Gives the model of one of `SPECIES`.
    kind : ndarray of int, shape (n,)
        The species of each row.
    conditions, rows, into
        As for `answers`.

    Returns
    -------
    ndarray of bool, shape (n,)
        Which rows have a condition beyond what their model was trained on.
    """
    outside = np.zeros(len(kind), bool)
    for species in SPECIES:
        own = np.flatnonzero(kind == species)
        outside[own] = answers(model(species), conditions, rows, own, into)
    return outside


def empty(names: Sequence[str], n: int) -> dict[str, NDArray[np.float64]]:
    """Columns of n rows without a value yet."""
    return {name: np.full(n, np.nan) for name in names}

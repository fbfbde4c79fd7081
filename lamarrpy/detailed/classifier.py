"""Trained classifiers: a network as ONNX, and a manifest that says what goes in, what comes out, and whence it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from lamarrpy.errors import ArtifactError, DomainError, did_you_mean
from lamarrpy.parameterization.network import Network
from lamarrpy.shipped import shipped

Array = NDArray[np.float64]

Transform = Literal["none", "log", "log1p", "sqrt", "asinh"]

TRANSFORMS: dict[str, Callable[[Array], Array]] = {
    "none": lambda values: values,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "asinh": np.arcsinh,
}
"""What may be done to a feature before it is scaled, all of it monotone, by name."""

MODEL, MANIFEST = "model.onnx", "manifest.json"
INPUT, OUTPUT = "features", "probabilities"
"""Names of the files, and of the network's tensors."""


class Feature(BaseModel):
    """One quantity that a classifier looks at: the network sees (transformed, clipped to [low, high] - mean) / scale.

    Attributes
    ----------
    name, unit : str
        What it is.
    transform : str
        One of `TRANSFORMS`.
    mean, scale : float
        Of the transformed values of the training sample.
    low, high : float
        Their range there: the network is not asked about what it has never seen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    unit: str
    transform: Transform
    mean: float
    scale: float
    low: float
    high: float

    def __call__(self, values: NDArray[Any]) -> Array:
        """The values as the network sees them.

        Raises
        ------
        DomainError
            If a value is not finite, or its transform is not.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            transformed = TRANSFORMS[self.transform](np.asarray(values, np.float64))
        bad = np.flatnonzero(~np.isfinite(transformed))
        if len(bad):
            raise DomainError(
                f"expected values of {self.name!r} whose {self.transform} is finite, got {len(bad)} others, the first"
                f" {float(values[bad[0]])} in row {bad[0]}; choose the rows for which the quantity is defined"
            )
        scaled: Array = (np.clip(transformed, self.low, self.high) - self.mean) / self.scale
        return scaled


class Manifest(BaseModel):
    """What is known of a classifier.

    Attributes
    ----------
    name : str
        Of the classifier and its folder.
    features : tuple of Feature
        In the order of the network's input.
    classes : tuple of str
        In the order of its output.
    sha256 : str
        Of the file of the network.
    sample : dict
        What it was trained on, and how that is made again.
    seed : int
        Of the training.
    versions : dict of str to str
        Of the packages that made it.
    metrics : dict
        How good it is on events that it has not been trained on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    features: tuple[Feature, ...]
    classes: tuple[str, ...]
    sha256: str
    sample: dict[str, Any]
    seed: int
    versions: dict[str, str]
    metrics: dict[str, Any]

    def matrix(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The network's input, shape (n, features), from columns of shape (n,) by name.

        Raises
        ------
        ArtifactError
            If the names are not those of the features.
        """
        wanted = [feature.name for feature in self.features]
        if set(columns) != set(wanted):
            missing, unknown = sorted(set(wanted) - set(columns)), sorted(set(columns) - set(wanted))
            raise ArtifactError(
                f"classifier {self.name!r}: expected the features {', '.join(wanted)}; missing: {missing}, unknown:"
                f" {unknown}; train it anew if the features have changed"
            )
        return np.stack([feature(columns[feature.name]) for feature in self.features], axis=1).astype(np.float32)


class Classifier:
    """A trained classifier, evaluated on one thread, each row independent of its neighbours to the last bit.

    Parameters
    ----------
    manifest : Manifest
        What it is.
    model : bytes
        The network as ONNX.

    Raises
    ------
    ArtifactError
        If the network is not the one that the manifest describes.
    """

    def __init__(self, manifest: Manifest, model: bytes) -> None:
        self.manifest = manifest
        self._network = _network(manifest, model)

    @staticmethod
    def load(name: str | Path) -> Classifier:
        """A shipped classifier by name, read once, or the one in a folder as it is now.

        Raises
        ------
        ArtifactError
            If there is none, or its files are damaged or do not belong together.
        """
        return _read_folder(name) if isinstance(name, Path) else _shipped(name)

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> Array:
        """The probability of each class.

        Parameters
        ----------
        columns : mapping of str to ndarray of shape (n,)
            The features by name, untransformed.

        Returns
        -------
        ndarray, shape (n, classes)
            In the order of ``manifest.classes``.

        Raises
        ------
        ArtifactError
            If the names are not those of the features.
        DomainError
            If a value is not one that the feature can have.
        """
        return self._network(**{INPUT: self.manifest.matrix(columns)}).astype(np.float64)


def _shipped_folder(name: str) -> Path:
    root = shipped("models", "detailed")
    known = sorted(path.parent.name for path in root.glob(f"*/{MANIFEST}"))
    if name not in known:
        raise ArtifactError(
            f"expected a classifier out of {', '.join(known) or '(none is shipped)'} in {root}, got {name!r}"
            f"{did_you_mean(name, known)}; make it with its train.py"
        )
    return root / name


@cache
def _shipped(name: str) -> Classifier:
    return _read_folder(_shipped_folder(name))


def _read_folder(folder: Path) -> Classifier:
    manifest = read_manifest(folder)
    return Classifier(manifest, _read(folder / MODEL))


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a folder.

    Raises
    ------
    ArtifactError
        If there is none, or it does not say all that it should.
    """
    try:
        return Manifest.model_validate_json(_read(folder / MANIFEST))
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ArtifactError(
            f"{folder / MANIFEST}: expected the manifest of a classifier, got: {found}; make it anew with its train.py"
        ) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"expected a file {path}, got: {error.strerror}; install lamarrpy anew or run its train.py"
        ) from None


def _network(manifest: Manifest, model: bytes) -> Network:
    """The network, once its bytes are known to be the right ones."""
    found = hashlib.sha256(model).hexdigest()
    if found != manifest.sha256:
        raise ArtifactError(
            f"classifier {manifest.name!r}: expected a {MODEL} with sha256 {manifest.sha256}, got {found}: it is"
            " damaged or not the one of the manifest; install lamarrpy anew or run its train.py"
        )
    inputs, outputs = {INPUT: len(manifest.features)}, len(manifest.classes)
    return Network(model, inputs, outputs, f"classifier {manifest.name!r}", OUTPUT)

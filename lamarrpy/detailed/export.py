"""Trained classifiers on their way to disk; needs what only training needs, scikit-learn and skl2onnx."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.classifier import INPUT, MANIFEST, MODEL, OUTPUT, TRANSFORMS, Feature, Manifest, Transform

OPSET = 17
"""Of ONNX; one that every supported onnxruntime knows."""

_PACKAGES = ("numpy", "scikit-learn", "skl2onnx", "onnx")


class Quantity(NamedTuple):
    """A feature before its scale is known: name, unit, and the name of its transform."""

    name: str
    unit: str
    transform: Transform = "none"


class Origin(NamedTuple):
    """Where a classifier comes from: its training sample, the seed of its training, how good it turned out."""

    sample: dict[str, Any]
    seed: int
    metrics: dict[str, Any]


def scaled(quantities: tuple[Quantity, ...], columns: Mapping[str, NDArray[Any]]) -> tuple[Feature, ...]:
    """The features with mean, standard deviation and range of a training sample.

    Parameters
    ----------
    quantities : tuple of Quantity
        In the order in which the network is to see them.
    columns : mapping of str to ndarray of shape (n,)
        The sample, untransformed.
    """
    return tuple(_scaled(quantity, columns[quantity.name]) for quantity in quantities)


def _scaled(quantity: Quantity, values: NDArray[Any]) -> Feature:
    transformed = TRANSFORMS[quantity.transform](np.asarray(values, np.float64))
    mean, scale = float(transformed.mean()), float(transformed.std()) or 1.0
    limits = {"low": float(transformed.min()), "high": float(transformed.max())}
    return Feature(**quantity._asdict(), mean=mean, scale=scale, **limits)


def save_classifier(
    folder: Path, network: Any, features: tuple[Feature, ...], classes: tuple[str, ...], origin: Origin
) -> Manifest:
    """Write a trained network and its manifest; the same network gives the same bytes.

    Parameters
    ----------
    folder : Path
        Whose name is that of the classifier; made if it is not there.
    network : sklearn.neural_network.MLPClassifier
        Trained on the features as `Feature` gives them.
    features : tuple of Feature
        In its order.
    classes : tuple of str
        In the order of its classes.
    origin : Origin
        Whence it is.

    Raises
    ------
    ValueError
        If the network has other numbers of features or classes.
    """
    if (network.n_features_in_, len(network.classes_)) != (len(features), len(classes)):
        raise ValueError(
            f"expected a network of {len(features)} features and {len(classes)} classes, got one of"
            f" {network.n_features_in_} and {len(network.classes_)}"
        )
    model = _onnx(network, folder.name)
    manifest = Manifest(
        name=folder.name,
        features=features,
        classes=classes,
        sha256=hashlib.sha256(model).hexdigest(),
        versions={package: version(package) for package in _PACKAGES},
        **origin._asdict(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(model)
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest


def _onnx(network: Any, name: str) -> bytes:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    shape = [(INPUT, FloatTensorType([None, network.n_features_in_]))]
    graph = convert_sklearn(network, name, initial_types=shape, options={"zipmap": False}, target_opset=OPSET)
    assert OUTPUT in [tensor.name for tensor in graph.graph.output]
    model: bytes = graph.SerializeToString(deterministic=True)
    return model

"""Networks on their way to disk: the ONNX that runs and the Keras file that training goes on from."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import ArtifactError
from lamarrpy.parameterization.network import Network

OPSET = 17
"""Of ONNX; one that every supported onnxruntime knows."""

AGREEMENT = 1e-5
"""Largest difference between the two, over a unit plus the size of the number."""

_SELDOM, _NEVER = 1e-3, 1e-4
"""Share of rows that may differ by more, by no more than this: steep places of flows make rounding larger."""

_ROWS = 4096


def to_onnx(network: keras.Model, like: NDArray[np.float32] | None = None, unit: ArrayLike = 1.0) -> bytes:
    """A network as ONNX, with the names of its inputs.

    Parameters
    ----------
    network : keras.Model
        The network.
    like : ndarray of float32, shape (n, columns), optional
        Rows that the two are compared on, of a network of one input; standard normal numbers if left out.
    unit : array_like, shape (columns,) or a number
        Of each column of the answer.

    Returns
    -------
    bytes

    Raises
    ------
    ArtifactError
        If its answers are not those of the network.
    """
    model = converted(network)
    _check(network, model, like, unit)
    return model


def converted(network: keras.Model) -> bytes:
    """A network as ONNX, with the names of its inputs, without a look at its answers."""
    given = [tf.TensorSpec((None, tensor.shape[-1]), tf.float32, name=tensor.name) for tensor in network.inputs]

    def answer(*inputs: tf.Tensor) -> tf.Tensor:
        out = network(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        return tf.ensure_shape(out, (None, network.output.shape[-1]))

    with _unsaid():
        graph, _ = tf2onnx.convert.from_function(tf.function(answer, input_signature=given), given, opset=OPSET)
    model: bytes = graph.SerializeToString(deterministic=True)
    return model


@contextmanager
def _unsaid() -> Iterator[None]:
    """Keep to itself what the conversion logs of its own rewriting; whether it went well is measured."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _check(network: keras.Model, model: bytes, like: NDArray[np.float32] | None = None, unit: ArrayLike = 1.0) -> None:
    sizes = {tensor.name: tensor.shape[-1] for tensor in network.inputs}
    random = np.random.default_rng(0)
    rows = {name: random.normal(size=(_ROWS, size)).astype(np.float32) for name, size in sizes.items()}
    if like is not None:
        rows = dict.fromkeys(rows, like)
    got = Network(model, sizes, network.output.shape[-1], network.name)(**rows)
    inputs = [tf.constant(values) for values in rows.values()]
    wanted = np.asarray(network(inputs if len(inputs) > 1 else inputs[0], training=False))
    differ = disagreement(got, wanted, unit)
    if not differ <= AGREEMENT:
        raise ArtifactError(
            f"{network.name}: expected ONNX and Keras to agree to {AGREEMENT}, they differ by {differ:.2g}: it has an"
            " operation that ONNX does otherwise, or its weights are not finite"
        )


def disagreement(got: NDArray[np.float32], wanted: NDArray[np.float32], unit: ArrayLike = 1.0) -> float:
    """By how much two answers to the same rows differ, over a unit plus the size of the number.

    Parameters
    ----------
    got, wanted : ndarray of float32, shape (n, columns)
    unit : array_like, shape (columns,) or a number
        Of each column.

    Returns
    -------
    float
        What all but one row in a thousand stay below, or the largest difference if that is beyond 1e-4 or not a
        number.
    """
    with np.errstate(invalid="ignore"):
        each = (np.abs(got - wanted) / (np.asarray(unit) + np.abs(wanted))).max(axis=1)
    largest = float(each.max())
    return float(np.quantile(each, 1.0 - _SELDOM)) if largest <= _NEVER else largest


def to_keras(network: keras.Model) -> bytes:
    """A network as the content of a .keras file, without an optimizer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        network.save(path, include_optimizer=False)
        return path.read_bytes()


def from_keras(content: bytes) -> keras.Model:
    """The network in a .keras file; no code but that of this project is run.

    Raises
    ------
    ArtifactError
        If it is not a network of this project.
    """
    import lamarrpy.nn.extrapolators.families
    import lamarrpy.nn.flows
    import lamarrpy.nn.histograms  # noqa: F401  their layers have to be known

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(content)
        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except (ValueError, TypeError, OSError, KeyError, BadZipFile) as error:
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ArtifactError(f"expected a Keras network of this project, got: {what}; train it again") from None

"""A neural extrapolator as ONNX, compared with Keras on tracks as there are."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from tf2onnx.handler import tf_op
from tf2onnx.utils import make_name

from lamarrpy.errors import ArtifactError
from lamarrpy.nn.extrapolators.tracks import INPUTS, OUTPUTS, TRACKS
from lamarrpy.parameterization.network import Network
from lamarrpy.train.export import AGREEMENT, converted
from lamarrpy.train.extrapolation.running import answers

_ROWS = 4096

_SELDOM = 1e-2
"""Share of tracks that may differ by more: the softest ones, whose way rounding changes."""


def tracks_to_onnx(network: keras.Model, tracks: NDArray[np.float32], tolerance: NDArray[np.floating[Any]]) -> bytes:
    """A neural extrapolator as ONNX.

    Parameters
    ----------
    network : keras.Model
        From tracks, shape (n, 7), to numbers.
    tracks : ndarray of float32, shape (n, 7)
        Some for which both must say the same. The random numbers of `lamarrpy.train.export.to_onnx` would be
        tracks of 1 MeV, for which rounding decides where they end.
    tolerance : ndarray, shape (4,)
        By how much deviations may differ; what is small against the network's own error is good enough.

    Raises
    ------
    ArtifactError
        If they do not: more than one track in a hundred differs, see `disagreeing`.
    """
    model, columns = converted(network), network.output.shape[-1]
    some = tracks[:_ROWS]
    got, wanted = Network(model, {TRACKS: INPUTS}, columns, network.name)(**{TRACKS: some}), answers(network, some)
    share = disagreeing(got[:, :OUTPUTS], wanted[:, :OUTPUTS], tolerance)
    if share > _SELDOM:
        raise ArtifactError(
            f"{network.name}: expected ONNX and Keras to agree on 99 % of the tracks, they differ on {share:.1%}: it"
            " has an operation that ONNX does otherwise"
        )
    return model


def disagreeing(got: NDArray[np.float32], wanted: NDArray[np.float32], tolerance: NDArray[np.floating[Any]]) -> float:
    """Share of the tracks for which two answers differ, where at least one is finite.

    Parameters
    ----------
    got, wanted : ndarray of float32, shape (n, columns)
        Answers.
    tolerance : ndarray, shape (columns,)
        What counts as equal, and 1e-5 of the size of the number besides.
    """
    finite = np.isfinite(wanted).all(axis=1)
    with np.errstate(invalid="ignore"):
        equal = (np.abs(got - wanted) <= tolerance + AGREEMENT * np.abs(wanted)).all(axis=1)
    both_lost = ~finite & ~np.isfinite(got).all(axis=1)
    return float(np.mean(~equal & ~both_lost))


@tf_op("Erfc")
class _ComplementOfErf:
    """How gelu's erfc, which tf2onnx does not know, is said in ONNX: 1 - erf."""

    @classmethod
    def version_9(cls, ctx: Any, node: Any, **_: Any) -> None:
        one = ctx.make_const(make_name("one"), np.ones((), np.float32))
        erf = ctx.make_node("Erf", [node.input[0]])
        shapes, types = [ctx.get_shape(node.output[0])], [ctx.get_dtype(node.output[0])]
        ctx.remove_node(node.name)
        ctx.make_node(
            "Sub", [one.output[0], erf.output[0]], name=node.name, outputs=node.output, shapes=shapes, dtypes=types
        )

"""Networks as they run: ONNX on one thread, in blocks of fixed size, so that a row never depends on its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ArtifactError

BLOCK = 1024
"""Rows evaluated together, the last ones filled up: always the same product of matrices, whoever is beside a row."""


class Network:
    """A network, of which one output is wanted.

    Parameters
    ----------
    model : bytes
        As ONNX.
    inputs : mapping of str to int
        Number of columns of each input, by name.
    outputs : int
        Number of columns of the output.
    of : str
        Whose it is, for messages.
    output : str, optional
        Name of the output; the first one if left out.

    Raises
    ------
    ArtifactError
        If it is not ONNX, or has other inputs or outputs.
    """

    def __init__(
        self, model: bytes, inputs: Mapping[str, int], outputs: int, of: str, output: str | None = None
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what is wrong is raised, and not written on the screen too
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ArtifactError(f"{of}: expected a network as ONNX, got: {error}; train it again") from None
        found = {tensor.name: _columns(tensor) for tensor in self._session.get_inputs()}
        there = {tensor.name: _columns(tensor) for tensor in self._session.get_outputs()}
        name = output or next(iter(there))
        if found != dict(inputs) or there.get(name) != outputs:
            raise ArtifactError(
                f"{of}: expected a network from {dict(inputs)} columns of float32 to {outputs} of {name!r}, got"
                f" {found} to {there}; its manifest is of another network: train it again"
            )
        self._inputs, self._output, self._columns = dict(inputs), name, outputs

    def __call__(self, **rows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Evaluate.

        Parameters
        ----------
        **rows : ndarray, shape (n, columns)
            Each input by name.

        Returns
        -------
        ndarray of float32, shape (n, outputs)
            A row of it depends on the same row of the inputs alone, to the last bit.
        """
        count = len(next(iter(rows.values())))
        out = np.empty((count, self._columns), np.float32)
        block = {name: np.zeros((BLOCK, columns), np.float32) for name, columns in self._inputs.items()}
        for first in range(0, count, BLOCK):
            size = min(BLOCK, count - first)
            for name, filled in block.items():
                filled[:size] = rows[name][first : first + size]
            out[first : first + size] = self._session.run([self._output], block)[0][:size]
        return out


def _columns(tensor: Any) -> Any:
    """Number of columns of a matrix of float32, for any number of rows; otherwise what it is, for the message."""
    fits = tensor.type == "tensor(float)" and len(tensor.shape) == 2 and not isinstance(tensor.shape[0], int)
    return tensor.shape[1] if fits else f"{tensor.type} of shape {tensor.shape}"

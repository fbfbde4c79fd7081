"""Where a training stands, on disk: plain arrays and JSON, each put in its place as a whole."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lamarrpy.errors import ArtifactError

CHECKPOINT = "checkpoint.npz"

Arrays = dict[str, np.ndarray[Any, Any]]

_NUMBERS = "numbers"


class Resumable(Protocol):
    """Something that can be stopped, and go on elsewhere."""

    def arrays(self) -> Arrays:
        """Its arrays by name."""
        ...

    def numbers(self) -> dict[str, Any]:
        """Everything else that it needs, as plain data."""
        ...

    def restore(self, arrays: Arrays, numbers: dict[str, Any]) -> None:
        """Go on from there."""
        ...


def write_checkpoint(folder: Path, training: Resumable) -> None:
    """Write where a training stands, in the place of an earlier checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(training.numbers())
    stream = io.BytesIO()
    np.savez(stream, **{_NUMBERS: np.array(text)}, **training.arrays())  # type: ignore[arg-type]
    partial = folder / f".{CHECKPOINT}"
    partial.write_bytes(stream.getvalue())
    os.replace(partial, folder / CHECKPOINT)


def read_checkpoint(folder: Path, training: Resumable) -> bool:
    """Let a training go on from its checkpoint; false if there is none.

    Raises
    ------
    ArtifactError
        If the checkpoint is damaged or of another training: of other networks, another batch or another seed.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return False
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name != _NUMBERS}
            numbers = json.loads(str(file[_NUMBERS]))
    except Exception as error:  # zip, NumPy and JSON have many words for damaged bytes
        what = str(error).partition("\n")[0] or type(error).__name__
        raise ArtifactError(f"{path}: expected a checkpoint, got: {what}; delete it to begin anew") from None
    _check(path, training, arrays, numbers)
    training.restore(arrays, numbers)
    return True


def _check(path: Path, training: Resumable, arrays: Arrays, numbers: dict[str, Any]) -> None:
    mine = {name: array.shape for name, array in training.arrays().items() if name.startswith("variable_")}
    its = {name: array.shape for name, array in arrays.items() if name.startswith("variable_")}
    if mine != its or numbers.get("plan") != training.numbers()["plan"]:
        raise ArtifactError(
            f"{path}: expected the checkpoint of this training, got one of other networks, another batch or another"
            " seed; delete it to begin anew, or choose another output folder"
        )

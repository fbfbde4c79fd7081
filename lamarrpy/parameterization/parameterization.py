"""Trained models in memory: columns of conditions go in, columns of answers come out, whatever is inside."""

from __future__ import annotations

import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import RowDraws
from lamarrpy.errors import ArtifactError, DomainError, SchemaError, did_you_mean
from lamarrpy.parameterization.folder import MODEL, ROWS, TRANSFORM, read_file, read_manifest
from lamarrpy.parameterization.manifest import Condition, Kind, Manifest, Target
from lamarrpy.parameterization.neighbours import Neighbours
from lamarrpy.parameterization.network import Network
from lamarrpy.parameterization.transforms import PerColumn, Transform, from_json

Columns = Mapping[str, NDArray[Any]]

_CHUNK = 8192
"""Rows that go through transforms and network together, so that they stay in the processor's cache."""

CONDITIONS, LATENTS, TARGETS, PROBABILITIES = "conditions", "latents", "targets", "probabilities"
"""Names of a network's tensors, and of the transforms."""


class Parameterization(ABC):
    """A conditional distribution that was learned from a table.

    Parameters
    ----------
    folder : Path
        As `lamarrpy.parameterization.folder.write_folder` makes it.
    manifest : Manifest
        Its manifest.

    Raises
    ------
    ArtifactError
        If a file is missing, was changed, or does not fit the others.
    """

    kind: ClassVar[Kind]

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest, self._folder = manifest, folder.absolute()  # a copy may be opened elsewhere
        self._transforms = _transforms(folder, manifest)
        self._conditions = self._transform(CONDITIONS, manifest.conditions)

    def __reduce__(self) -> tuple[Any, ...]:
        return load, (self._folder,)

    @property
    def draws_needed(self) -> int:
        """Random numbers that an answer takes for each row: indices ``first`` ... of the row's stream."""
        return self.manifest.latents

    def outside(self, conditions: Columns) -> NDArray[np.bool_]:
        """Rows with a condition that is not in the range seen in training: answered as if it were at its edge.

        Parameters
        ----------
        conditions : mapping of str to ndarray of shape (n,)
            The conditions by name; other columns are ignored.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        self._check(conditions)
        bounds = [(np.asarray(conditions[c.name]), c.low, c.high) for c in self.manifest.conditions]
        inside: NDArray[np.bool_] = np.all([(values >= low) & (values <= high) for values, low, high in bounds], axis=0)
        return ~inside

    def __call__(
        self, conditions: Columns, rows: RowDraws, first: int = 0, threads: int = 1
    ) -> dict[str, NDArray[Any]]:
        """Draw the targets of each row.

        Parameters
        ----------
        conditions : mapping of str to ndarray of shape (n,)
            The conditions by name, in the units of the manifest; other columns are ignored.
        rows : RowDraws
            Random numbers, a stream for each of the n rows.
        first : int
            Index of the first number to be used of each stream.
        threads : int
            Threads at work, which changes nothing but the time.

        Returns
        -------
        dict of str to ndarray of shape (n,)
            The targets by name, in the dtypes of the manifest. A row of them depends on its conditions and its
            stream alone.

        Raises
        ------
        SchemaError
            If a condition is missing, or there is not one value for each row.
        DomainError
            If a value is not finite, or none that its transform can take.
        ArtifactError
            If the model answers with numbers that the dtype of a target cannot hold.
        """
        self._check(conditions, len(rows))
        needed = {c.name: np.asarray(conditions[c.name]) for c in self.manifest.conditions}
        out = {target.name: np.empty(len(rows), target.dtype) for target in self.manifest.targets}

        def fill(start: int) -> None:
            some = slice(start, start + _CHUNK)
            answers = self._answer({name: values[some] for name, values in needed.items()}, rows[some], first)
            for name, values in answers.items():
                self._put(values, out[name][some], name)

        try:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(fill, range(0, len(rows), _CHUNK)))
        except DomainError:
            self.seen(needed)  # says the same with the number of the row in all rows, not in its chunk
            raise
        return out

    def seen(self, conditions: Columns) -> NDArray[np.float32]:
        """The conditions as the network sees them, those outside of the training domain at its edge.

        Parameters
        ----------
        conditions : mapping of str to ndarray of shape (n,)
            The conditions by name; other columns are ignored.

        Returns
        -------
        ndarray of float32, shape (n, c)
        """
        self._check(conditions)
        held = {c.name: _held(np.asarray(conditions[c.name], np.float64), c) for c in self.manifest.conditions}
        return self._conditions.forward_columns(held)

    @abstractmethod
    def _answer(self, conditions: Columns, rows: RowDraws, first: int) -> Mapping[str, NDArray[Any]]:
        """The targets of some rows."""

    def _put(self, values: NDArray[Any], place: NDArray[Any], name: str) -> None:
        """Store answers in the dtype of the manifest; whole numbers are never made by cutting digits off."""
        with np.errstate(invalid="ignore"):
            place[:] = values
        if place.dtype.kind != "f" and not np.array_equal(place, values):
            raise ArtifactError(
                f"model {self.manifest.name!r}: expected answers of {place.dtype} in {name!r}, got others: its manifest"
                " is of another model: train it again"
            )

    def _transform(self, role: str, columns: Sequence[Condition | Target]) -> PerColumn:
        """The stored transform of the conditions or targets, once it is known to be of these columns."""
        transform, names = self._transforms.get(role), [column.name for column in columns]
        if not isinstance(transform, PerColumn) or list(transform.names) != names:
            found = ", ".join(transform.names) if isinstance(transform, PerColumn) else "none"
            raise ArtifactError(
                f"{self._folder / TRANSFORM}: expected transforms of the {role} {', '.join(names)}, got {found}: it is"
                " of another model: train it again"
            )
        return transform

    def _check(self, conditions: Columns, rows: int | None = None) -> None:
        missing = [c.name for c in self.manifest.conditions if c.name not in conditions]
        if missing:
            raise SchemaError(
                f"model {self.manifest.name!r}: expected the conditions"
                f" {', '.join(c.name for c in self.manifest.conditions)}; missing: {', '.join(missing)}"
                f"{did_you_mean(missing[0], conditions)}"
            )
        shapes = {c.name: np.shape(conditions[c.name]) for c in self.manifest.conditions}
        shape = next(iter(shapes.values())) if rows is None else (rows,)
        if len(shape) != 1 or set(shapes.values()) != {shape}:
            expected = (
                "columns of one length" if rows is None else f"columns of the {rows} rows that there are draws for"
            )
            raise SchemaError(f"model {self.manifest.name!r}: expected {expected}, got shapes {shapes}")


class Generator(Parameterization):
    """A network from conditions and standard normal numbers to targets."""

    kind = "generator"

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        super().__init__(folder, manifest)
        self._targets = self._transform(TARGETS, manifest.targets)
        inputs = {CONDITIONS: self._conditions.width_out, LATENTS: manifest.latents}
        model = read_file(folder, manifest, MODEL)
        self._network = Network(model, inputs, self._targets.width_out, f"model {manifest.name!r}")

    def _answer(self, conditions: Columns, rows: RowDraws, first: int) -> Mapping[str, NDArray[Any]]:
        return self._targets.inverse_columns(self.raw(conditions, rows, first))

    def raw(self, conditions: Columns, rows: RowDraws, first: int = 0) -> NDArray[np.float32]:
        """What the network itself says, before targets are physical, shape (n, t)."""
        latents = rows.normals(self.manifest.latents, first).T
        return self._network(conditions=self.seen(conditions), latents=latents)


class Classifier(Parameterization):
    """A network from conditions to the probability of each class; an answer is a class drawn by them."""

    kind = "classifier"

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        super().__init__(folder, manifest)
        if len(manifest.targets) != 1:
            raise ArtifactError(f"{folder}: expected a classifier of one target, got {len(manifest.targets)}")
        self._classes = np.asarray(manifest.classes)
        inputs = {CONDITIONS: self._conditions.width_out}
        model = read_file(folder, manifest, MODEL)
        self._network = Network(model, inputs, len(self._classes), f"model {manifest.name!r}")

    def probabilities(self, conditions: Columns) -> NDArray[np.float64]:
        """The probability of each class, whose sum is one.

        Parameters
        ----------
        conditions : mapping of str to ndarray of shape (n,)
            The conditions by name.

        Returns
        -------
        ndarray of float64, shape (n, classes)
            In the order of ``manifest.classes``.
        """
        said = np.asarray(self.raw(conditions), np.float64)
        normalised: NDArray[np.float64] = said / said.sum(axis=1, keepdims=True)
        return normalised

    def raw(self, conditions: Columns, rows: RowDraws | None = None) -> NDArray[np.float32]:
        """What the network itself says, which adds up to one as nearly as float32 can, shape (n, classes)."""
        return self._network(conditions=self.seen(conditions))

    def _answer(self, conditions: Columns, rows: RowDraws, first: int) -> Mapping[str, NDArray[Any]]:
        above = np.cumsum(self.probabilities(conditions), axis=1)[:, :-1] <= rows.uniform(first)[:, None]
        return {self.manifest.targets[0].name: self._classes[above.sum(axis=1)]}


class Resampling(Parameterization):
    """Rows of the training sample whose conditions are near."""

    kind = "neighbours"

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        super().__init__(folder, manifest)
        self._neighbours = Neighbours.from_arrays(_arrays(folder, manifest))
        wanted = {target.name for target in manifest.targets}
        if set(self._neighbours.names) != wanted:
            raise ArtifactError(
                f"{folder / ROWS}: expected rows of {', '.join(sorted(wanted))}, got rows of"
                f" {', '.join(self._neighbours.names)}: it is of another model: train it again"
            )

    def _answer(self, conditions: Columns, rows: RowDraws, first: int) -> Mapping[str, NDArray[Any]]:
        return self._neighbours(self.seen(conditions), rows.uniform(first))


KINDS: dict[Kind, type[Parameterization]] = {kind.kind: kind for kind in (Generator, Classifier, Resampling)}
"""Every kind of parameterization, by its name in the manifest."""


def load(folder: str | Path) -> Parameterization:
    """Open a parameterization; the hash of everything that is read is checked before.

    Raises
    ------
    ArtifactError
        If a file is missing, was changed, or does not fit the others.
    """
    manifest = read_manifest(Path(folder))
    if manifest.kind not in KINDS:
        raise ArtifactError(
            f"{folder}: expected a model of kind {', '.join(KINDS)}, got {manifest.kind}: it draws nothing; the"
            " propagation stage takes it"
        )
    return KINDS[manifest.kind](Path(folder), manifest)


def _held(values: NDArray[np.float64], condition: Condition) -> NDArray[np.float64]:
    """Values inside of the training domain; what is not finite stays, to be refused."""
    return np.clip(values, condition.low, condition.high) if np.isfinite(values).all() else values


def _transforms(folder: Path, manifest: Manifest) -> dict[str, Transform]:
    try:
        stored = json.loads(read_file(folder, manifest, TRANSFORM))
        return {role: from_json(content) for role, content in stored.items()}
    except (ValueError, AttributeError) as error:
        raise ArtifactError(
            f"{folder / TRANSFORM}: expected transforms as JSON, got: {error}; train it again"
        ) from None


def _arrays(folder: Path, manifest: Manifest) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(read_file(folder, manifest, ROWS)), allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, TypeError, OSError, EOFError, BadZipFile) as error:
        raise ArtifactError(
            f"{folder / ROWS}: expected arrays of plain numbers, got: {error}; train it again"
        ) from None

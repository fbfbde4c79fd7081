"""A table's columns by name, each with a transform of its own, side by side as the matrix that a network sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamarrpy.errors import ConfigError, DomainError, SchemaError, did_you_mean
from lamarrpy.parameterization.transforms.compositions import Fitter
from lamarrpy.parameterization.transforms.stored import Stored
from lamarrpy.parameterization.transforms.transform import Floats, Transform, checked


@dataclass(frozen=True, eq=False, repr=False)
class PerColumn(Transform):
    """One transform for each named column, in order.

    Parameters
    ----------
    columns : dict of str to Transform
        Each taking one column, and giving one or more.

    Raises
    ------
    ConfigError
        If there is none, or one takes several columns.
    """

    columns: Mapping[str, Transform]
    kind: ClassVar[str] = "per_column"

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", dict(self.columns))
        if not self.columns:
            raise ConfigError("expected transforms of one or more named columns, got none")
        for name, transform in self.columns.items():
            if transform.width_in != 1:
                raise ConfigError(
                    f"column {name!r}: expected a transform of one column, got {transform.kind!r} of"
                    f" {transform.width_in}; name each column, and chain such a transform after all of them"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, in order."""
        return tuple(self.columns)

    @property
    def width_in(self) -> int:
        """Number of named columns."""
        return len(self.columns)

    @property
    def width_out(self) -> int:
        """Columns of the matrix."""
        return sum(transform.width_out for transform in self.columns.values())

    @property
    def slices(self) -> dict[str, slice]:
        """Where each named column is in the matrix."""
        ends = np.cumsum([transform.width_out for transform in self.columns.values()]).tolist()
        starts = [0, *ends[:-1]]
        return {name: slice(*ends) for name, *ends in zip(self.columns, starts, ends, strict=True)}

    def forward_columns(
        self, columns: Mapping[str, ArrayLike], within: Mapping[str, ArrayLike] | None = None
    ) -> NDArray[np.float32]:
        """The matrix that a network sees.

        Parameters
        ----------
        columns : mapping of str to array_like of shape (n,)
            Exactly the columns named here, in any order.
        within : mapping of str to array_like of shape (n,), optional
            Positions inside the ranges of ranks of point masses, in (0, 1), for columns that have any.

        Returns
        -------
        ndarray of float32, shape (n, width_out)

        Raises
        ------
        SchemaError
            If a column is missing, unknown or of another length.
        DomainError
            If a value is not one that its column can have; the message names the column.
        """
        arrays = self._arrays(columns)
        inside = self._inside(within or {})
        out = np.empty((len(arrays[self.names[0]]), self.width_out), np.float32)
        for name, part in self.slices.items():
            with _named(name):
                out[:, part] = self.columns[name].forward(arrays[name], inside.get(name))
        return out

    def inverse_columns(self, values: ArrayLike) -> dict[str, Floats]:
        """The columns by name, each of shape (n,), float64, from a matrix of shape (n, width_out).

        Raises
        ------
        SchemaError
            If the matrix has another shape.
        DomainError
            If a number in it is not finite, or nothing belongs to it; the message names the column.
        """
        rows = np.asarray(values)
        if rows.ndim != 2 or rows.shape[1] != self.width_out:
            raise SchemaError(f"expected values of shape (n, {self.width_out}), got {rows.shape}")
        out = {}
        for name, part in self.slices.items():
            with _named(name):
                out[name] = self.columns[name].inverse(rows[:, part])[:, 0]
        return out

    @classmethod
    def fit(
        cls,
        values: ArrayLike,
        weights: ArrayLike | None = None,
        columns: Mapping[str, Fitter] | None = None,
    ) -> Self:
        """Fit a transform to each column of a sample of shape (n, k), named in order."""
        rows, fitters = checked(values), columns or {}
        if rows.shape[1] != len(fitters):
            raise ConfigError(f"expected {rows.shape[1]} named columns, got {len(fitters)}: {list(fitters)}")
        return cls.fit_columns(dict(zip(fitters, rows.T, strict=True)), weights, fitters)

    @classmethod
    def fit_columns(
        cls, columns: Mapping[str, ArrayLike], weights: ArrayLike | None, fitters: Mapping[str, Fitter]
    ) -> Self:
        """Fit a transform to each of the named columns of shape (n,); other columns are left alone.

        Raises
        ------
        SchemaError
            If a column is missing.
        """
        for name in fitters:
            if name not in columns:
                raise SchemaError(
                    f"expected a column {name!r}, got {', '.join(map(str, columns))}{did_you_mean(name, columns)}"
                )
        fitted = {}
        for name, fit in fitters.items():
            with _named(name):
                fitted[name] = fit(columns[name], weights)
        return cls(fitted)

    def as_json(self) -> dict[str, Any]:
        """The transform of each column, in order."""
        columns = [{"name": name, "transform": transform.as_json()} for name, transform in self.columns.items()]
        return {"kind": self.kind, "columns": columns}

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        columns: dict[str, Transform] = {}
        for entry in stored.list("columns"):
            if not isinstance(entry, Mapping) or set(entry) != {"name", "transform"}:
                raise stored.wrong("columns", "a list of entries with name and transform", entry)
            name = entry["name"]
            if not isinstance(name, str) or name in columns:
                raise stored.wrong("columns", "of different names", name)
            columns[name] = read(entry["transform"])
        try:
            return cls(columns)
        except ConfigError as error:
            raise stored.wrong("columns", f"transforms of one column each ({error})", list(columns)) from None

    def _arrays(self, columns: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
        missing = [name for name in self.columns if name not in columns]
        unknown = [name for name in columns if name not in self.columns]
        if missing or unknown:
            hint = did_you_mean(missing[0], unknown) if missing else ""
            raise SchemaError(
                f"expected the columns {', '.join(self.columns)}; missing: {missing}, unknown: {unknown}{hint}"
            )
        arrays = {name: np.asarray(columns[name]) for name in self.columns}
        sizes = {name: array.shape for name, array in arrays.items()}
        if any(len(shape) != 1 for shape in sizes.values()) or len(set(sizes.values())) != 1:
            raise SchemaError(f"expected columns of shape (n,) with the same n, got {sizes}")
        return arrays

    def _inside(self, within: Mapping[str, ArrayLike]) -> Mapping[str, ArrayLike]:
        for name in within:
            if name not in self.columns:
                raise SchemaError(f"`within`: unknown column {name!r}{did_you_mean(name, self.columns)}")
        return within

    def _forward(self, values: Floats) -> Floats:
        out = np.empty((len(values), self.width_out))
        for column, (name, part) in zip(values.T, self.slices.items(), strict=True):
            with _named(name):
                out[:, part] = self.columns[name].forward(column)
        return out

    def _inverse(self, values: Floats) -> Floats:
        return np.stack(list(self.inverse_columns(values).values()), axis=1)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say which column an error is about."""
    try:
        yield
    except (DomainError, SchemaError, ConfigError) as error:
        raise type(error)(f"column {name!r}: {error}") from None

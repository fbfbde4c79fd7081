"""Reading what a transform wrote as JSON: every field is there, of its type, finite, and nothing else is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ArtifactError, did_you_mean


class Stored:
    """The fields of a stored transform.

    Parameters
    ----------
    data : object
        What JSON gave.

    Raises
    ------
    ArtifactError
        From every method, if the data are not what was asked for.
    """

    def __init__(self, data: Any) -> None:
        if not isinstance(data, Mapping) or not isinstance(data.get("kind"), str):
            raise ArtifactError(f"expected a stored transform with its kind, got {_short(data)}; write it with as_json")
        self.kind: str = data["kind"]
        self._data = {str(name): value for name, value in data.items() if name != "kind"}
        self._read: set[str] = set()

    def field(self, name: str) -> Any:
        """A field, whatever it is."""
        if name not in self._data:
            raise ArtifactError(f"transform {self.kind!r}: expected a field {name!r}, got {sorted(self._data)}")
        self._read.add(name)
        return self._data[name]

    def list(self, name: str) -> list[Any]:
        """A list of anything."""
        value = self.field(name)
        if not isinstance(value, list | tuple):
            raise self.wrong(name, "a list", value)
        return list(value)

    def mapping(self, name: str) -> dict[str, Any]:
        """A mapping of names to anything."""
        value = self.field(name)
        if not isinstance(value, Mapping):
            raise self.wrong(name, "a mapping of names", value)
        return {str(key): item for key, item in value.items()}

    def numbers(self, name: str, *shape: int | None) -> NDArray[np.float64]:
        """Finite numbers, of that shape; None stands for any size."""
        value = self.field(name)
        if not _plain(value):
            raise self.wrong(name, "lists of finite numbers", value)
        try:
            array = np.array(value, np.float64)
        except ValueError:
            raise self.wrong(name, "lists of equal length", value) from None
        if array.size == 0:
            array = array.reshape([0, *(size or 0 for size in shape[1:])])
        if len(shape) != array.ndim or any(
            want not in (None, got) for want, got in zip(shape, array.shape, strict=True)
        ):
            raise self.wrong(name, f"numbers of shape {shape}", value)
        return array

    def number(self, name: str) -> float:
        """A finite number."""
        return float(self.numbers(name))

    def bound(self, name: str) -> float | None:
        """A finite number, or None."""
        return None if self.field(name) is None else self.number(name)

    def count(self, name: str) -> int:
        """A whole number above 0."""
        value = self.field(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self.wrong(name, "a whole number above 0", value)
        return value

    def flag(self, name: str) -> bool:
        """True or False."""
        value = self.field(name)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false", value)
        return value

    def wrong(self, name: str, expected: str, value: Any) -> ArtifactError:
        """The error that says what a field should have been."""
        return ArtifactError(f"transform {self.kind!r}: expected {name!r} to be {expected}, got {_short(value)}")

    def done(self) -> None:
        """All fields have been read."""
        for name in self._data:
            if name not in self._read:
                hint = did_you_mean(name, self._read)
                raise ArtifactError(
                    f"transform {self.kind!r}: unknown field {name!r}{hint}; its fields are {sorted(self._read)}"
                )


def _plain(value: Any) -> bool:
    """Whether a value is a finite number, or lists of them."""
    if isinstance(value, list | tuple):
        return all(_plain(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

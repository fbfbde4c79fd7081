"""Transforms made of others: one after the other, or the other way round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike

from lamarrpy.errors import ConfigError
from lamarrpy.parameterization.transforms.stored import Stored
from lamarrpy.parameterization.transforms.transform import Floats, Transform, checked

Fitter = Callable[[ArrayLike, ArrayLike | None], Transform]
"""What fits one transform to a sample of shape (n, k) and weights."""


@dataclass(frozen=True, eq=False, repr=False)
class Chain(Transform):
    """Transforms one after the other; the inverse goes through them from the last to the first.

    Parameters
    ----------
    steps : tuple of Transform
        Each taking as many columns as the one before gives.

    Raises
    ------
    ConfigError
        If there is none, or their widths do not fit.
    """

    steps: tuple[Transform, ...]
    kind: ClassVar[str] = "chain"

    def __post_init__(self) -> None:
        if not self.steps:
            raise ConfigError("expected a chain of one or more transforms, got none; take 'identity' for no change")
        for before, after in pairwise(self.steps):
            if before.width_out != after.width_in:
                raise ConfigError(
                    f"chain: expected {after.kind!r} to take the {before.width_out} columns that {before.kind!r} gives,"
                    f" but it takes {after.width_in}"
                )

    @property
    def width_in(self) -> int:
        """Columns that the first one takes."""
        return self.steps[0].width_in

    @property
    def width_out(self) -> int:
        """Columns that the last one gives."""
        return self.steps[-1].width_out

    @property
    def has_masses(self) -> bool:
        """Whether a step has ranges of ranks to place values in."""
        return any(step.has_masses for step in self.steps)

    @classmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None, steps: Sequence[Fitter] = ()) -> Self:
        """Fit each step to what the ones before it make of a sample of shape (n, k)."""
        rows, fitted = checked(values), []
        for fit in steps:
            fitted.append(fit(rows, weights))
            rows = fitted[-1].forward(rows)
        return cls(tuple(fitted))

    def as_json(self) -> dict[str, Any]:
        """The steps."""
        return {"kind": self.kind, "steps": [step.as_json() for step in self.steps]}

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        steps = stored.list("steps")
        try:
            return cls(tuple(read(step) for step in steps))
        except ConfigError as error:
            raise stored.wrong("steps", f"transforms that fit ({error})", [_kind(step) for step in steps]) from None

    def _forward(self, values: Floats) -> Floats:
        for step in self.steps:
            values = step.forward(values)
        return values

    def _forward_within(self, values: Floats, within: Floats) -> Floats:
        for step in self.steps:
            values = step.forward(values, within if step.has_masses else None)
        return values

    def _inverse(self, values: Floats) -> Floats:
        for step in reversed(self.steps):
            values = step.inverse(values)
        return values


@dataclass(frozen=True, eq=False, repr=False)
class Inverted(Transform):
    """Another transform with forward and inverse swapped.

    Parameters
    ----------
    of : Transform
        Fitted already.
    """

    of: Transform
    kind: ClassVar[str] = "inverted"

    @property
    def width_in(self) -> int:
        """Columns that the other gives."""
        return self.of.width_out

    @property
    def width_out(self) -> int:
        """Columns that the other takes."""
        return self.of.width_in

    @classmethod
    def fit(cls, values: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Refuse: what is to be inverted has been fitted to other values than these."""
        raise ConfigError("an 'inverted' transform cannot be fitted: fit the other one, and wrap it in Inverted(...)")

    def as_json(self) -> dict[str, Any]:
        """The other one."""
        return {"kind": self.kind, "of": self.of.as_json()}

    @classmethod
    def of_json(cls, stored: Stored, read: Callable[[Any], Transform]) -> Self:
        """From what `as_json` wrote."""
        return cls(read(stored.field("of")))

    def _forward(self, values: Floats) -> Floats:
        return self.of.inverse(values)

    def _inverse(self, values: Floats) -> Floats:
        return self.of.forward(values)


def _kind(step: Any) -> Any:
    return step.get("kind") if isinstance(step, dict) else step

"""A recipe and its data: what is to be learned, as numbers that networks like, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.parameterization.manifest import Condition, Target
from lamarrpy.parameterization.transforms import PerColumn, QuantileToNormal, Spec, fit_columns
from lamarrpy.train.recipe import Recipe
from lamarrpy.train.rows import Float32s, Rows, mean_one
from lamarrpy.train.table import Table, split

_FEW = 16
"""Conditions with no more values than these keep their spacing; the others are given by their rank."""

_KNOTS = 400
"""Of a quantile transform: a fortieth of a standard deviation apart."""


@dataclass(frozen=True)
class Problem:
    """What is to be learned.

    Attributes
    ----------
    recipe : Recipe
        By which.
    parts : dict of str to Table
        Rows for training, validation and test.
    conditions, targets : PerColumn
        Fitted to the training rows. Targets become standard normal.
    source : dict
        Where the data are from.
    """

    recipe: Recipe
    parts: dict[str, Table]
    conditions: PerColumn
    targets: PerColumn
    source: dict[str, Any]

    def given(self, part: str) -> Float32s:
        """The conditions of a part as a network sees them, shape (n, c)."""
        return self.conditions.forward_columns({name: self.parts[part][name] for name in self.recipe.conditions})

    def weights(self, part: str) -> NDArray[np.float64] | None:
        """The weights of a part, if the recipe has any, shape (n,)."""
        name = self.recipe.weight
        return None if name is None else np.asarray(self.parts[part][name], np.float64)

    def rows(self, part: str) -> SpreadRows:
        """The rows of a part as a generator is shown them."""
        table = self.parts[part]
        columns = {name: table[name] for name in self.recipe.targets}
        return SpreadRows(
            self.given(part), columns, self.targets, mean_one(self.weights(part), len(table)), self.recipe.seed
        )

    def mass_ranges(self) -> dict[str, list[tuple[float, float]]]:
        """Ranges of ranks of the point masses of each target, rising."""
        return {name: list(_mass_ranks(transform)) for name, transform in self.targets.columns.items()}

    def described_conditions(self) -> tuple[Condition, ...]:
        """The conditions with units and the range seen in training."""
        return tuple(Condition(**self._described(name)) for name in self.recipe.conditions)

    def described_targets(self) -> tuple[Target, ...]:
        """The targets with units, point masses and the range seen in training."""
        out = []
        for name, column in self.recipe.targets.items():
            transform = self.targets.columns[name]
            masses = transform.masses.tolist() if isinstance(transform, QuantileToNormal) else []
            out.append(Target(**self._described(name), integer=_is_integer(self, name, column.integer), masses=masses))
        return tuple(out)

    def _described(self, name: str) -> dict[str, Any]:
        values = self.parts["training"][name]
        recipe = (self.recipe.conditions | self.recipe.targets)[name]
        unit = recipe.unit or self.parts["training"].units.get(name, "")
        whole = values.dtype.kind == "f" or getattr(recipe, "integer", None) is not False
        return {
            "name": name,
            "unit": unit,
            "dtype": values.dtype.name if whole else "float64",
            "low": float(values.min()),
            "high": float(values.max()),
        }


def make_problem(recipe: Recipe, table: Table) -> Problem:
    """Split a table, and fit the transforms of a recipe to the training rows.

    Raises
    ------
    ConfigError, DomainError, SchemaError
        If the data are not what the recipe takes them for.
    """
    group = recipe.group or ("event_id" if "event_id" in table.columns else None)
    parts = split(table, recipe.split, group, recipe.seed)
    training = parts["training"]
    weights = None if recipe.weight is None else training[recipe.weight]
    given = {name: condition.transform or _usual(training[name]) for name, condition in recipe.conditions.items()}
    conditions = fit_columns(given, {name: training[name] for name in given}, weights)
    for name in recipe.targets:
        _check_target(table[name], name, recipe)
    wanted = {name: _target(training[name], name, recipe) for name in recipe.targets}
    targets = fit_columns(wanted, {name: training[name] for name in wanted}, weights)
    return Problem(recipe, parts, conditions, targets, dict(table.source))


def _usual(values: NDArray[Any]) -> Spec:
    """What a network sees of a condition about which nothing is said."""
    return "standard" if len(np.unique(values)) <= _FEW else {"kind": "quantile", "knots": _KNOTS}


def _target(values: NDArray[Any], name: str, recipe: Recipe) -> Spec:
    wanted = recipe.targets[name]
    integer = wanted.integer if wanted.integer is not None else values.dtype.kind in "biu"
    masses: Any = "all" if integer else wanted.masses
    if not isinstance(masses, str):
        absent = [mass for mass in masses if not (values == mass).any()]
        if absent:
            raise ConfigError(f"target {name!r}: expected rows at each of its masses, got none at {absent}")
    return {"kind": "quantile", "masses": masses, "low": wanted.low, "high": wanted.high, "knots": _KNOTS, "clip": True}


def _check_target(values: NDArray[Any], name: str, recipe: Recipe) -> None:
    """Whether all rows, not only those for training, are as the recipe says."""
    wanted = recipe.targets[name]
    if wanted.integer and (values != np.rint(values)).any():
        raise DomainError(f"target {name!r}: expected whole numbers, as the recipe says, got others")
    for bound, beyond in ((wanted.low, np.less), (wanted.high, np.greater)):
        if bound is not None and (bad := beyond(values, bound)).any():
            raise DomainError(
                f"target {name!r}: expected values within its bounds, got {int(bad.sum()):,} beyond {bound:g}, the"
                f" first {values[bad][0]} in row {int(np.argmax(bad)):,}: choose other bounds, or leave such rows out"
            )


def _is_integer(problem: Problem, name: str, said: bool | None) -> bool:
    return said if said is not None else problem.parts["training"][name].dtype.kind in "biu"


def _mass_ranks(transform: Any) -> Iterator[tuple[float, float]]:
    from scipy.special import ndtr

    for low, high in transform.mass_ranges:
        yield float(ndtr(low)), float(ndtr(high))


class SpreadRows:
    """Rows whose point masses lie somewhere inside their own ranges of ranks: elsewhere in each pass.

    Parameters
    ----------
    conditions : ndarray of float32, shape (n, c)
        As a network sees them.
    targets : mapping of str to ndarray of shape (n,)
        In physical units.
    transform : PerColumn
        Of the targets.
    weights : ndarray of float32, shape (n,)
    seed : int
        Of the positions.
    """

    def __init__(
        self,
        conditions: Float32s,
        targets: Mapping[str, NDArray[Any]],
        transform: PerColumn,
        weights: Float32s,
        seed: int,
    ) -> None:
        self._conditions, self._transform, self._weights, self._seed = conditions, transform, weights, seed
        self._middle = transform.forward_columns(targets)
        self._with_masses = {
            name: np.asarray(targets[name], np.float64)
            for name, column in transform.columns.items()
            if isinstance(column, QuantileToNormal) and len(column.masses)
        }

    def __len__(self) -> int:
        return len(self._weights)

    def epoch(self, number: int) -> Rows:
        """The rows of one pass."""
        random = np.random.default_rng((self._seed, 1, number))
        targets = self._middle.copy()
        for name, values in self._with_masses.items():
            within = random.random(len(values))
            targets[:, self._transform.slices[name]] = self._transform.columns[name].forward(values, within)
        return Rows(self._conditions, targets, self._weights)

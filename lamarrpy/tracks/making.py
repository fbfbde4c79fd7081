"""From a recipe to tracks: drawn, carried to their true end, kept or counted among the lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.field import MagneticField
from lamarrpy.propagation.state import State
from lamarrpy.tracks.ranges import contains
from lamarrpy.tracks.recipe import TrackRecipe, load_track_recipe
from lamarrpy.tracks.sample import TrackSample, concatenate
from lamarrpy.tracks.truth import Limits, true_end

BLOCK = 1 << 17
"""Tracks drawn at a time: many, so that the few difficult ones among them are integrated together."""

FUTILE = 1 << 20
"""Tracks drawn without keeping one, after which a recipe is given up."""

FATES = {
    "kept": "in the sample",
    "momentum": "outside the window on the momentum",
    "curled": "|t| > 5 on the way: the track does not get there",
    "unconverged": "the end still depends on the integration steps",
    "steep": "|t| at the end above the limit",
    "outside": "|x| or |y| at the end above the limit",
    "no_candidate": "in the hollow of the box: not counted as drawn",
}
"""What becomes of a track that is drawn."""

_CODE = {fate: code for code, fate in enumerate(FATES)}

Codes = NDArray[np.int8]
RecipeLike = TrackRecipe | Mapping[str, Any] | str | Path


@dataclass
class Tally:
    """How many tracks were drawn for a sample, and what became of them.

    Attributes
    ----------
    counts : dict of str to int
        By the names of `FATES`.
    """

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))

    def add(self, fates: Codes) -> None:
        """Count tracks in."""
        for fate, number in zip(FATES, np.bincount(fates, minlength=len(FATES)), strict=True):
            self.counts[fate] += int(number)

    @property
    def kept(self) -> int:
        """Tracks of the sample."""
        return self.counts["kept"]

    @property
    def drawn(self) -> int:
        """Tracks drawn for it; those that its box leaves out are none."""
        return sum(self.counts.values()) - self.counts["no_candidate"]

    @property
    def fractions(self) -> dict[str, float]:
        """Share of the drawn tracks by what became of them."""
        return {fate: self.counts[fate] / max(self.drawn, 1) for fate in FATES if fate != "no_candidate"}

    def __str__(self) -> str:
        lost = [f"{share:.2%} {fate}" for fate, share in self.fractions.items() if fate != "kept" and share > 0.0]
        return (
            f"{self.kept:,} of {self.drawn:,} drawn tracks kept ({self.fractions['kept']:.2%}"
            + "".join(f"; {part}" for part in lost)
            + ")"
        )


class Made(NamedTuple):
    """Tracks made from some consecutive numbers.

    Attributes
    ----------
    sample : TrackSample
        The kept ones, in the order of their numbers.
    fates : ndarray of int8, shape (n,)
        What became of each number, as an index into `FATES`.
    """

    sample: TrackSample
    fates: Codes

    def first_kept(self, n: int) -> Made:
        """As far as the n-th kept track."""
        if len(self.sample) <= n:
            return self
        last = np.flatnonzero(self.fates == _CODE["kept"])[n - 1] + 1 if n else 0
        return Made(self.sample.at(slice(n)), self.fates[:last])


@dataclass(frozen=True)
class TrackMaker:
    """Makes the tracks of a recipe and a seed, each from its number alone.

    Parameters
    ----------
    recipe : TrackRecipe
        What tracks.
    seed : int
        Other seeds give independent tracks.
    """

    recipe: TrackRecipe
    seed: int

    @cached_property
    def field(self) -> MagneticField:
        """The field that the tracks go through."""
        return self.recipe.field.make()

    def make(self, first: int, count: int) -> Made:
        """The tracks of the numbers first ... first + count - 1."""
        recipe = self.recipe
        draws = Draws(self.seed, "tracks").rows(np.arange(first, first + count))
        fates = np.full(count, _CODE["kept"], np.int8)
        qop = recipe.momentum.qop(draws)
        start, reaches, converged = recipe.start.draw(qop, draws, self.field)
        _mark(fates, ~recipe.start.candidates(start), "no_candidate")
        if recipe.keep.p is not None:
            _mark(fates, ~contains(recipe.keep.p, 1.0 / np.abs(qop)), "momentum")
        _mark(fates, ~converged, "unconverged")
        _mark(fates, ~reaches, "curled")
        dz = recipe.length.draw(start.z, draws)
        rows = np.flatnonzero(fates == _CODE["kept"])
        start, dz = start.at(rows), dz[rows]
        end, lost = self._carry(start, dz)
        fates[rows] = lost
        kept = lost == _CODE["kept"]
        return Made(TrackSample(start.at(kept), dz[kept], end.at(kept)), fates)

    def _carry(self, start: State, dz: NDArray[np.float64]) -> tuple[State, Codes]:
        """The true ends of tracks, and what becomes of each."""
        keep, tolerance = self.recipe.keep, self.recipe.tolerance
        limits = Limits(keep.slope, keep.x, keep.y)
        end, reaches, converged = true_end(
            start,
            dz,
            self.field,
            planes=self.recipe.planes,
            limits=limits,
            position=tolerance.position,
            slope=tolerance.slope,
        )
        fates = np.full(len(dz), _CODE["kept"], np.int8)
        _mark(fates, ~converged, "unconverged")
        _mark(fates, ~reaches, "curled")
        track = np.array([end.x, end.y, end.tx, end.ty])
        _mark(fates, limits.steep(track), "steep")
        _mark(fates, limits.outside(track), "outside")
        return end, fates


def _mark(fates: Codes, lost: NDArray[np.bool_], fate: str) -> None:
    """Give a fate to those that have none yet."""
    fates[lost & (fates == _CODE["kept"])] = _CODE[fate]


def tracks(
    recipe: RecipeLike, n: int, seed: int = 0, first: int = 0, *, tally: Tally | None = None, block: int = BLOCK
) -> Iterator[TrackSample]:
    """Make tracks, some at a time, until n of them are kept.

    Track number i of a recipe and seed is the same in any block and any sample, bit for bit: a longer
    sample begins with the shorter one.

    Parameters
    ----------
    recipe : TrackRecipe, mapping, str or Path
        What tracks, as `load_track_recipe` takes it.
    n : int
        How many to keep.
    seed : int
        Seed of all random numbers.
    first : int
        Number of the first track to draw.
    tally : Tally, optional
        Counts what becomes of all tracks up to the last one kept.
    block : int
        Largest number of tracks drawn at a time.

    Yields
    ------
    TrackSample
        At most ``block`` tracks, n in all.

    Raises
    ------
    ConfigError
        If the recipe or a number makes no sense.
    DomainError
        If of a million tracks none is kept.
    """
    maker = TrackMaker(load_track_recipe(recipe), int(seed))
    expect_numbers(n, first, block)
    tally = Tally() if tally is None else tally
    for made in kept_of((maker.make(at, count) for at, count in numbers(n, first, block)), n, maker.recipe.name):
        tally.add(made.fates)
        if len(made.sample):
            yield made.sample


def expect_numbers(n: int, first: int, block: int) -> None:
    """Refuse numbers of tracks that make no sense."""
    if n < 0 or first < 0 or block < 1:
        raise ConfigError(
            f"expected n and first not to be negative and block to be at least 1, got {n}, {first} and {block}"
        )


def numbers(n: int, first: int, block: int) -> Iterator[tuple[int, int]]:
    """First number and count of one block after the other, without end; short ones for a short sample."""
    count = min(block, max(1024, n + n // 4))
    while True:
        yield first, count
        first += count


def kept_of(blocks: Iterator[Made], n: int, name: str) -> Iterator[Made]:
    """The blocks until n tracks are kept.

    Raises
    ------
    DomainError
        If of `FUTILE` tracks none is.
    """
    if n == 0:
        return
    left, futile, seen = n, 0, Tally()
    for made in blocks:
        seen.add(made.fates)
        futile = 0 if len(made.sample) else futile + len(made.fates)
        if futile >= FUTILE:
            raise DomainError(
                f"recipe {name!r}: of the last {futile:,} tracks none could be kept ({seen}); change"
                " start, momentum, length or keep"
            )
        made = made.first_kept(left)
        left -= len(made.sample)
        yield made
        if left == 0:
            return


def make_sample(
    recipe: RecipeLike, n: int, seed: int = 0, first: int = 0, *, tally: Tally | None = None
) -> TrackSample:
    """The first n kept tracks of a recipe and seed, in memory; as `tracks`."""
    return concatenate(list(tracks(recipe, n, seed, first, tally=tally)))

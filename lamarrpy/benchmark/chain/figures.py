"""A figure of the default beside those of its competitors, and what becomes of it on paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lamarrpy.benchmark.checks import Check

FLASH, GAN, NEIGHBOURS, IDEAL = "flash", "gan", "neighbours", "ideal"
COMPETITORS = (GAN, NEIGHBOURS, IDEAL)
"""Beside the default: the adversarial version, nearest-neighbour resampling, a second Detailed Simulation."""


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes
    ----------
    name : str
        ``<stage>.<quantity>[.<part>]``.
    values : mapping of str to float or None
        By `FLASH` and `COMPETITORS`; what was not measured is left out or None.
    low, high : float or None
        Bounds of the default's.
    unit : str
        Of all of them.
    headline : bool
        Whether it stands in the printed table even if it is within its bounds.
    compared : tuple of str
        The competitors that get a check of their own.
    """

    name: str
    values: Mapping[str, float | None]
    low: float | None = None
    high: float | None = None
    unit: str = ""
    headline: bool = True
    compared: tuple[str, ...] = field(default=COMPETITORS)

    def checks(self, *, quick: bool) -> Iterator[Check]:
        """The check of the default, and one without bounds for each competitor; without values if ``quick``."""
        value = None if quick else self.values.get(FLASH)
        yield Check(self.name, value, self.low, self.high, self.unit)
        for name in self.compared:
            yield Check(f"{self.name}.{name}", None if quick else self.values.get(name), None, None, self.unit)


def worst(values: Sequence[float | None]) -> float | None:
    """The largest of those that are there; None if there is none."""
    there = [value for value in values if value is not None]
    return max(there) if there else None


def tell(figures: Sequence[Figure], missing: Sequence[str]) -> None:
    """Print headlines, and whatever is out of bounds, with the competitors beside; and what could not be compared."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="the flash simulation beside the Detailed Simulation")
    for header in ("", FLASH, *COMPETITORS, "bar"):
        table.add_column(header, justify="right" if header else "left", no_wrap=True)
    stage = None
    for figure in figures:
        ok = Check(figure.name, figure.values.get(FLASH), figure.low, figure.high).ok
        if not figure.headline and ok is not False:
            continue
        if stage not in (None, figure.name.partition(".")[0]):
            table.add_section()
        stage = figure.name.partition(".")[0]
        numbers = [_number(figure.values.get(name)) for name in (FLASH, *COMPETITORS)]
        if ok is not None:
            numbers[0] = f"[{'green' if ok else 'bold red'}]{numbers[0]}[/]"
        table.add_row(figure.name, *numbers, _bar(figure))
    console = Console(width=max(Console().width, 110), stderr=True)
    console.print(table)
    for line in missing:
        console.print(line, highlight=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def _bar(figure: Figure) -> str:
    low, high = figure.low, figure.high
    if low is None or high is None:
        return "" if low is high else f"<= {high:g}" if low is None else f">= {_number(low)}"
    return f"{low:g} to {high:g}"

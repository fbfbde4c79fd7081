"""All ways through the magnet in one table, and in words where the network does not win."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A way through the magnet.

    Attributes
    ----------
    name : str
        What it is.
    time : float, us
        CPU time a track, on one thread.
    from_5, from_2 : dict of str to float
        Its errors [um, urad] from 5 and from 2 GeV.
    """

    name: str
    time: float
    from_5: dict[str, float]
    from_2: dict[str, float]


def tell(field: str, rows: Sequence[Row], known: str | None) -> None:
    """Print the table of a field, fastest first, and the verdict."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"z = 4 to 12 m in {field}, box of positions and slopes, one thread")
    for header in ("", "us/track", "68 %", "95 %", "rms x", "mean x", "68 %", "95 %", "rms x"):
        table.add_column(header, justify="left" if not header else "right", no_wrap=True)
    table.add_row("", "", *("p >= 5 GeV [um]", "", "", "", "p >= 2 GeV [um]", "", ""), style="dim")
    for row in sorted(rows, key=lambda row: row.time):
        five = (row.from_5[name] for name in ("distance_68", "distance_95", "rms_x", "mean_x"))
        two = (row.from_2[name] for name in ("distance_68", "distance_95", "rms_x"))
        numbers = (f"{value:.3g}" for value in (row.time, *five, *two))
        table.add_row(row.name, *numbers, style="bold" if row.name == known else None)
    console = Console(width=max(Console().width, 125), stderr=True)
    console.print(table)
    for line in verdict(rows, known):
        console.print(line, highlight=False)


def verdict(rows: Sequence[Row], known: str | None) -> list[str]:
    """Where the network does not win, in sentences."""
    mine = next((row for row in rows if row.name == known), None)
    if mine is None:
        return []
    lines = []
    for what, figure, part in (
        ("at the median from 5 GeV", "distance_68", "from_5"),
        ("in the tail from 2 GeV", "rms_x", "from_2"),
    ):
        better = [
            row.name
            for row in rows
            if row.time <= mine.time and getattr(row, part)[figure] <= getattr(mine, part)[figure] and row is not mine
        ]
        lines.append(
            f"The network does not win {what}: {', '.join(better)} cost no more and end no further from the truth."
            if better
            else f"The network wins {what}: nothing that costs no more ends nearer to the truth."
        )
    return lines

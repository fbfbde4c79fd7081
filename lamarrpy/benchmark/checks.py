"""A check: one measured figure beside the bounds it is held against."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Check:
    """One figure and its bounds.

    Attributes
    ----------
    name : str
        ``<area>.<quantity>[.<species or class>][.<bin>]``.
    value : float or None
        The figure as measured in this run; None if it was not.
    low, high : float or None
        Its bounds, None for none.
    unit : str
        Unit of all three.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether the figure lies within its bounds; None if it was not measured or has none."""
        if self.value is None or (self.low is None and self.high is None):
            return None
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)

    def as_json(self) -> dict[str, Any]:
        """The check as plain data."""
        return {**vars(self), "ok": self.ok}


def write(checks: Sequence[Check], path: Path) -> None:
    """Write ``{"checks": [...]}`` as JSON."""
    path.write_text(json.dumps({"checks": [check.as_json() for check in checks]}, indent=2) + "\n", encoding="utf-8")


def report(checks: Iterable[Check], unmeasured: str = "full run only") -> None:
    """Print the checks as a table; ``unmeasured`` stands for those without a value."""
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for header in ("check", "value", "low", "high", "unit", "ok"):
        table.add_column(header, no_wrap=True, justify="right" if header in ("value", "low", "high") else "left")
    verdict = {True: "[green]yes[/]", False: "[bold red]no[/]", None: "-"}
    for check in checks:
        numbers = [
            "-" if v is None else f"{v:,.4g}" if abs(v) < 1e4 else f"{v:,.0f}"
            for v in (check.value, check.low, check.high)
        ]
        told = unmeasured if check.value is None else verdict[check.ok]
        table.add_row(check.name, *numbers, check.unit, told)
    Console(width=max(Console().width, 110)).print(table)

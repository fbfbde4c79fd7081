"""Numbers and names as conclusions say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FAMILIES = {"mlp": "MLP", "pinn": "PINN", "rk_pinn": "RK-PINN"}
"""Families as people write them."""


def distance(um: float | None) -> str:
    """A distance in a unit that suits it."""
    if um is None:
        return "no finite distance"
    if um >= 1e6:
        return f"{um / 1e6:.3g} m"
    if um >= 1e3:
        return f"{um / 1e3:.3g} mm"
    return f"{um:.3g} um" if um >= 0.01 else f"{1e3 * um:.3g} nm"


def times(ratio: float) -> str:
    """A ratio."""
    return f"{ratio:.2g} times" if ratio < 100.0 else f"{ratio:,.0f} times"


def names(found: Sequence[str]) -> str:
    """Names, one after the other."""
    if len(found) < 2:
        return "".join(found) or "none"
    return f"{', '.join(found[:-1])} and {found[-1]}"


def best(rows: Iterable[Mapping[str, Any]], key: str = "distance_rms") -> Any:
    """The row with the smallest figure; None if none has one."""
    known = [row for row in rows if row.get(key) is not None]
    return min(known, key=lambda row: float(row[key]), default=None)


def compared(rows: Sequence[Mapping[str, Any]], label: str = "name", key: str = "distance_rms") -> str:
    """Rows with their distances, the best first."""
    known = sorted((row for row in rows if row.get(key) is not None), key=lambda row: float(row[key]))
    return ", ".join(f"{row[label]} {distance(row[key])}" for row in known) or "nothing was measured"

"""Numbers of a study as people read them, and rows of results as tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from lamarrpy.page.content import NOTHING, Table

_MINUS = "\N{MINUS SIGN}"
_NUMERIC = re.compile(rf"{_MINUS}?\d[\d,.]*(e{_MINUS}?\d+)?|{NOTHING}")
_WRITTEN = r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"
"""A number without a sign as programs write it."""


def is_numeric(cell: object) -> bool:
    """Whether a cell of a table is a number, or stands for one that there is not."""
    return _NUMERIC.fullmatch(str(cell)) is not None


def number(value: object, digits: int = 3) -> str:
    """A figure in so many digits, with thousands apart and a proper minus sign; a dash for none."""
    if value is None or value == "" or value != value:  # the last: not a number
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace("-", _MINUS)
    if not isinstance(value, float):
        return str(value)
    if value and not 1e-3 <= abs(value) < 1e6:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(power)}".replace("-", _MINUS)
    places = max(0, digits - 1 - int(f"{value:.{digits - 1}e}".split("e")[1])) if value else 0
    return f"{value:,.{places}f}".replace("-", _MINUS)


def length(micrometres: float | None) -> str:
    """A distance in the unit that fits."""
    return _in_units(micrometres, ((1e6, "m"), (1e3, "mm"), (1.0, "µm"), (1e-3, "nm")))


def angle(microradians: float | None) -> str:
    """An angle in the unit that fits."""
    return _in_units(microradians, ((1e6, "rad"), (1e3, "mrad"), (1.0, "µrad"), (1e-3, "nrad")))


def _in_units(value: float | None, units: Sequence[tuple[float, str]]) -> str:
    if value is None:
        return NOTHING
    size, unit = next(((size, unit) for size, unit in units if abs(value) >= 0.1 * size), units[-1])
    if size > 1.0 and abs(value) < size:  # 800 um rather than .8 mm, but .8 um rather than 800 nm
        size, unit = units[units.index((size, unit)) + 1]
    return f"{number(float(value) / size)} {unit}"


def listed(names: Iterable[str]) -> str:
    """Names as a sentence lists them."""
    found = list(names)
    return " and ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)


def micro(text: str) -> str:
    """Lengths and angles of a sentence as people write them; thousands of um and urad in the next unit."""
    for unit, written in (("um", length), ("urad", angle)):
        text = re.sub(rf"({_WRITTEN}) {unit}\b", partial(_rewritten, written), text)
    return re.sub(r"\bu(m|rad|s)\b", r"µ\1", text)


def _rewritten(written: Callable[[float], str], found: re.Match[str]) -> str:
    value = float(found[1].replace(",", ""))
    return written(value) if value >= 1e3 else found[0]


def label(key: str) -> str:
    """A key of a row as the head of a column."""
    text = key.replace("_", " ")
    for short, written in ((" um", " [µm]"), (" urad", " [µrad]"), (" us", " [µs]"), (" mb", " [MB]"), (" s", " [s]")):
        if text.endswith(short):
            return text.removesuffix(short) + written
    return text


def table_of(
    rows: Sequence[Mapping[str, Any]], caption: str, columns: Mapping[str, str] | None = None, most: int = 400
) -> Table:
    """Rows of results as a table; columns without any value are left out.

    Parameters
    ----------
    rows : sequence of mapping
        Plain data.
    caption : str
        What they are.
    columns : mapping of str to str, optional
        Keys and heads of the columns; all keys with plain values if left out.
    most : int
        Rows that are shown; the caption says if there are more.
    """
    if columns is None:
        keys = dict.fromkeys(key for row in rows for key, value in row.items() if not isinstance(value, dict | list))
        columns = {key: label(key) for key in keys}
    columns = {key: head for key, head in columns.items() if any(row.get(key) is not None for row in rows)}
    cut = f" The first {most:,} of {len(rows):,} rows." if len(rows) > most else ""
    body = [[_cell(row.get(key)) for key in columns] for row in rows[:most]]
    return Table(tuple(columns.values()), body, caption + cut)


def _cell(value: object) -> str:
    return ", ".join(map(number, value)) if isinstance(value, list | tuple) else number(value)

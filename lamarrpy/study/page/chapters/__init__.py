"""Chapters of the page, one file an experiment: title, what it is about, figures, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lamarrpy.page.content import Table
from lamarrpy.study.page.chapters import (
    activations,
    architecture,
    dynamics,
    momentum,
    multi_step,
    normalization,
    physics_loss,
    robustness,
    timing,
    transfer,
    uncertainty,
    volume,
)
from lamarrpy.study.page.content import Chapter
from lamarrpy.study.page.drawn import Drawing
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.words import micro, table_of


class Writing(Protocol):
    """What a module of this package has: ``TITLE``, ``ABOUT``, and what is made from the result of the experiment."""

    @property
    def TITLE(self) -> str:
        """Head of the chapter."""
        ...

    @property
    def ABOUT(self) -> str:
        """What to know before reading it."""
        ...

    def drawings(self, outputs: Outputs, result: Mapping[str, Any]) -> Sequence[Drawing]:
        """Figures that have something to show, drawn when they are called."""
        ...

    def tables(self, outputs: Outputs, result: Mapping[str, Any]) -> Sequence[Table]:
        """Tables."""
        ...


CHAPTERS: dict[str, Writing] = {
    "architecture": architecture,
    "physics_loss": physics_loss,
    "momentum": momentum,
    "timing": timing,
    "robustness": robustness,
    "dynamics": dynamics,
    "activations": activations,
    "normalization": normalization,
    "volume": volume,
    "multi_step": multi_step,
    "uncertainty": uncertainty,
    "transfer": transfer,
}
"""Every chapter by the experiment it is about, in the order of the protocol."""


def chapters(outputs: Outputs) -> list[Chapter]:
    """A chapter for each experiment: those that did not run say so, those that no chapter is written for are tables."""
    known = [_known(outputs, name, writing) for name, writing in CHAPTERS.items()]
    return known + [_plain(result, name) for name, result in outputs.results.items() if name not in CHAPTERS]


def _known(outputs: Outputs, name: str, writing: Writing) -> Chapter:
    result = outputs.results.get(name)
    if result is None:
        text = f"The experiment {name} was not part of this run: --only {name} adds it."
        return Chapter(name, writing.TITLE, text, missing=True)
    return Chapter(
        name,
        writing.TITLE,
        f"{result['question']} {writing.ABOUT}",
        drawings=writing.drawings(outputs, result),
        tables=writing.tables(outputs, result),
        conclusion=micro(result["conclusion"]),
    )


def _plain(result: Mapping[str, Any], name: str) -> Chapter:
    rows = result.get("rows", [])
    tables = [table_of(rows, "All rows.")] if rows else []
    title = name.replace("_", " ").capitalize()
    return Chapter(
        name, title, str(result.get("question", "")), tables=tables, conclusion=micro(str(result.get("conclusion", "")))
    )

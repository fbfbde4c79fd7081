"""What stands on the page of a study, on top of what stands on every page of verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lamarrpy.page.content import Figure, Finding, Page, Section


@dataclass(frozen=True)
class Plate(Figure):
    """A figure that may want the whole width of the page, as one of many panels does."""

    wide: bool = False


@dataclass(frozen=True)
class Picture:
    """A small plot as PNG in base64, and a description for those who cannot see it."""

    png: str
    alt: str


@dataclass(frozen=True)
class Fold:
    """What is shown when it is asked for: a line to press on, and pictures and facts under it.

    Attributes
    ----------
    key : str
        Its id on the page.
    title, text : str
        The line, and what the pictures are of.
    pictures : sequence of callable
        What draws them.
    """

    key: str
    title: str
    text: str
    pictures: Sequence[Callable[[], Picture]] = ()


@dataclass(frozen=True)
class Answer:
    """A question and what this run answers to it.

    Attributes
    ----------
    question : str
        As the protocol asks it.
    verdict : str
        ``yes``, ``no``, ``in part``, or ``not measured``; empty where a number is asked for.
    sentences : sequence of str
        The answer with its numbers.
    """

    question: str
    verdict: str
    sentences: Sequence[str]


@dataclass(frozen=True)
class Column:
    """A column of the matrix of criteria: a network, and one finding for each criterion."""

    title: str
    findings: Sequence[Finding]


@dataclass(frozen=True)
class Criteria:
    """Criteria down, networks across.

    Attributes
    ----------
    names, bounds : sequence of str
        What is asked for, and by how much.
    columns : sequence of Column
        Networks, with as many findings each.
    conclusion : str
        Who meets them all, and what the others miss.
    """

    caption: str
    names: Sequence[str]
    bounds: Sequence[str]
    columns: Sequence[Column]
    conclusion: str = ""


@dataclass(frozen=True)
class Chapter(Section):
    """A section with a conclusion, and with folds after its tables.

    Attributes
    ----------
    conclusion : str
        What the numbers say.
    folds : sequence of Fold
        What is shown when it is asked for.
    missing : bool
        Whether this run has nothing to show here; the text says why.
    """

    conclusion: str = ""
    folds: Sequence[Fold] = ()
    missing: bool = False


@dataclass(frozen=True)
class StudyPage(Page):
    """A page that begins with answers and criteria.

    Attributes
    ----------
    answers : sequence of Answer
        To the research questions.
    criteria : sequence of Criteria
        What is asked of an extrapolator.
    tiles : sequence of tuple of str
        Verdict, figure and words of the boxes at the top.
    """

    answers: Sequence[Answer] = ()
    criteria: Sequence[Criteria] = ()
    tiles: Sequence[tuple[str, str, str]] = ()

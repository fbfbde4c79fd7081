"""What stands on a page, and the page as HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lamarrpy.benchmark.checks import Check

_MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
"""What stands where there is no figure."""

VERDICTS = {True: "passed", False: "failed", None: "no verdict"}
"""What a check comes to, in words."""


@dataclass(frozen=True)
class Finding:
    """A check as the page shows it.

    Attributes
    ----------
    check : Check
        The figure and its bounds.
    label : str
        What it is, for people.
    error : float or None
        Statistical error of the figure, in its unit.
    entries : int or None
        How many tracks, particles or vertices it is made of.
    note : str
        Why there is no figure, or what else to know.
    """

    check: Check
    label: str
    error: float | None = None
    entries: int | None = None
    note: str = ""

    @property
    def value(self) -> str:
        """The figure with its error, rounded to what the error allows."""
        if self.check.value is None:
            return NOTHING
        if self.error is None or self.error <= 0.0:
            return _short(self.check.value)
        digits = _digits(self.error)  # no more than four decimals: nobody needs them
        return f"{self.check.value:.{digits}f} ± {self.error:.{digits}f}".replace("-", _MINUS)

    @property
    def bounds(self) -> str:
        """The bounds: "1 to 2", "at least 1" or "at most 2"."""
        low, high = self.check.low, self.check.high
        if low is None and high is None:
            return "for information"
        if low is None or high is None:
            return f"at least {_short(low)}" if low is not None else f"at most {_short(high)}"
        return f"{_short(low)} to {_short(high)}"

    @property
    def unit(self) -> str:
        """The unit as people write it."""
        return self.check.unit.replace("um", "µm")

    @property
    def has_bounds(self) -> bool:
        """Whether there is something to pass or fail."""
        return self.check.low is not None or self.check.high is not None

    @property
    def verdict(self) -> str:
        """Passed, failed, not measured, or no verdict where there are no bounds."""
        return "not measured" if self.check.value is None else VERDICTS[self.check.ok]


@dataclass(frozen=True)
class Figure:
    """A plot as SVG, its caption, and a description for those who cannot see it."""

    svg: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Table:
    """Rows of text under a header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str


@dataclass(frozen=True)
class Section:
    """A chapter of the page: what it is about, its findings, what draws its figures, its tables."""

    key: str
    title: str
    text: str
    findings: Sequence[Finding] = ()
    drawings: Sequence[Callable[[], Figure]] = ()
    tables: Sequence[Table] = ()

    def count(self, verdict: str) -> int:
        """How many findings have a verdict."""
        return sum(finding.verdict == verdict for finding in self.findings)


@dataclass(frozen=True)
class Page:
    """A page: its sections, where the sample comes from, and what the short names of sources stand for."""

    title: str
    text: str
    sections: Sequence[Section]
    provenance: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """All findings, in order."""
        return [finding for section in self.sections for finding in section.findings]

    def count(self, verdict: str) -> int:
        """How many findings have a verdict."""
        return sum(section.count(verdict) for section in self.sections)


def render(page: Page) -> str:
    """Write a page as one HTML file without anything outside it.

    Parameters
    ----------
    page : Page
        What to show; its figures are drawn now. Text is escaped, the SVG of figures is taken as it is.

    Returns
    -------
    str
        HTML.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lamarrpy.page", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja").render(page=page)


def _digits(error: float) -> int:
    """Decimal places that show two digits of an error."""
    places = 0
    while error * 10**places < 9.5 and places < 4:
        places += 1
    return places


def _short(number: float | None) -> str:
    """A number in four digits, with a proper minus sign."""
    return NOTHING if number is None else f"{number:.4g}".replace("-", _MINUS)

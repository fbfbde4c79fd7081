"""The page: self-contained, escaped, with a verdict for every check."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from lamarrpy.benchmark.checks import Check
from lamarrpy.detailed.report.statistics import Measured
from lamarrpy.page import (
    Figure,
    Finding,
    Page,
    Section,
    Table,
    canvas,
    log_axis,
    measured,
    render,
    to_svg,
)

FINDINGS = [
    Finding(Check("a.good", 1.0, 0.0, 2.0, "um"), "good", 0.1, 1234, "who says so"),
    Finding(Check("a.bad", 3.0, 0.0, 2.0), "bad <script>", 0.1),
    Finding(Check("a.missing", None, 0.0, 2.0), "missing"),
    Finding(Check("a.plain", 5.0), "plain"),
]


def drawing():
    with canvas() as (figure, axes):
        log_axis(axes.xaxis)
        measured(axes, [1.0, 2.0], [Measured(1.0, 0.1, 50), Measured(None, None, 2)], "points")
        axes.legend()
        return Figure(to_svg(figure, "one"), "caption & more", "a plot")


def page(**section):
    table = Table(("a", "b"), [("1", "2")], "numbers")
    sections = [Section("first", "First", "Text.", FINDINGS, [drawing], [table], **section)]
    return Page("Title", "What it is.", sections, {"sample": "here"}, {"PAPER": "a paper"})


class Collector(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.targets = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "xlink:href", "src"):
                self.targets.append(value)


def test_it_needs_nothing_from_outside():
    text = render(page())
    assert not re.search(r"(src|href)\s*=\s*[\"']?\s*(https?:)?//", text)
    assert not re.search(r"@import|url\(\s*['\"]?http", text)
    assert "script" not in Collector(text).tags
    assert "&lt;script&gt;" in text


def test_links_lead_somewhere_and_ids_are_unique():
    found = Collector(render(page()))
    assert len(found.ids) == len(set(found.ids))
    assert {target.removeprefix("#") for target in found.targets} <= set(found.ids)


def test_every_check_is_there_with_its_verdict():
    text = render(page())
    for finding, verdict in zip(FINDINGS, ("passed", "failed", "not measured", "no verdict"), strict=True):
        assert finding.verdict == verdict
        assert f'id="{finding.check.name}"' in text
    assert "1.00 ± 0.10" in text
    assert "1,234" in text
    assert "µm" in text
    assert "caption &amp; more" in text
    assert "a paper" in text


def test_counts_add_up():
    verdicts = ("passed", "failed", "not measured", "no verdict")
    assert [page().count(verdict) for verdict in verdicts] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (0.97654, 0.0321, "0.977 ± 0.032"),
        (-0.94077, 0.00052, "\N{MINUS SIGN}0.9408 ± 0.0005"),
        (123.4, 12.0, "123 ± 12"),
        (4.0516, 0.0, "4.052"),
        (None, None, "\N{EN DASH}"),
    ],
)
def test_figures_are_rounded_to_what_their_errors_allow(value, error, expected):
    assert Finding(Check("a", value), "a", error).value == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1, 2, "1 to 2"), (None, 2, "at most 2"), (0.5, None, "at least 0.5"), (None, None, "for information")],
)
def test_bounds_in_words(low, high, expected):
    assert Finding(Check("a", 1.0, low, high), "a").bounds == expected


def test_a_plot_is_the_same_every_time_and_has_no_size_of_its_own():
    assert drawing().svg == drawing().svg
    assert drawing().svg.startswith("<svg")
    assert not re.match(r"<svg[^>]* (width|height)=", drawing().svg)


def test_nothing_to_draw_is_no_error():
    with canvas() as (figure, axes):
        measured(axes, np.arange(2), [Measured(None, None, 0)] * 2, "none")
        assert "<svg" in to_svg(figure, "none")

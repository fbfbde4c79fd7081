"""Pages of verdicts: sections of text, figures and tables in one HTML file; knows nothing of physics."""

from lamarrpy.page.content import Figure, Finding, Page, Section, Table, render
from lamarrpy.page.drawing import canvas, curve, log_axis, measured, published, target_band, to_svg

__all__ = [
    "Figure",
    "Finding",
    "Page",
    "Section",
    "Table",
    "canvas",
    "curve",
    "log_axis",
    "measured",
    "published",
    "render",
    "target_band",
    "to_svg",
]

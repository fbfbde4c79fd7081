"""The Detailed Simulation beside the public figures: checks, plots and a page."""

from lamarrpy.detailed.report.making import make_report

__all__ = ["make_report"]

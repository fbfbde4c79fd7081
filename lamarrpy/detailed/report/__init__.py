"""The Detailed Simulation beside the public figures: checks, plots and a page."""

from lamarrpy.detailed.report.making import check_outputs, make_report

__all__ = ["check_outputs", "make_report"]

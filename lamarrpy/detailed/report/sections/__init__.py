"""What the page is about, one section a file."""

from collections.abc import Callable

from lamarrpy.detailed.report.sample import Sample
from lamarrpy.detailed.report.sections.calorimeter import calorimeter
from lamarrpy.detailed.report.sections.efficiency import efficiency
from lamarrpy.detailed.report.sections.field import field
from lamarrpy.detailed.report.sections.fit_quality import fit_quality
from lamarrpy.detailed.report.sections.ghosts import ghosts
from lamarrpy.detailed.report.sections.impact_parameter import impact_parameter
from lamarrpy.detailed.report.sections.momentum import momentum
from lamarrpy.detailed.report.sections.muon import muon
from lamarrpy.detailed.report.sections.prob_nn import prob_nn
from lamarrpy.detailed.report.sections.rich import rich
from lamarrpy.detailed.report.sections.vertices import vertices
from lamarrpy.page import Section

SECTIONS: dict[str, Callable[[Sample], Section]] = {
    "field": field,
    "momentum": momentum,
    "impact_parameter": impact_parameter,
    "fit_quality": fit_quality,
    "efficiency": efficiency,
    "vertices": vertices,
    "ghosts": ghosts,
    "rich": rich,
    "muon": muon,
    "prob_nn": prob_nn,
    "calorimeter": calorimeter,
}
"""The sections of the page, in their order; each makes its findings and figures from a sample."""

__all__ = ["SECTIONS"]

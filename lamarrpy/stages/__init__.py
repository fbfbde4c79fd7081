"""One detector effect per file, and the registry of them all."""

from __future__ import annotations

from importlib.metadata import entry_points

from lamarrpy.errors import ConfigError
from lamarrpy.stages.acceptance import Acceptance
from lamarrpy.stages.covariance import Covariance
from lamarrpy.stages.efficiency import Efficiency
from lamarrpy.stages.global_pid import GlobalPid
from lamarrpy.stages.is_muon import IsMuon
from lamarrpy.stages.muon import Muon
from lamarrpy.stages.occupancy import Occupancy
from lamarrpy.stages.parametric.acceptance import Acceptance as ParametricAcceptance
from lamarrpy.stages.parametric.covariance import Covariance as ParametricCovariance
from lamarrpy.stages.parametric.efficiency import Efficiency as ParametricEfficiency
from lamarrpy.stages.parametric.global_pid import GlobalPid as ParametricGlobalPid
from lamarrpy.stages.parametric.is_muon import IsMuon as ParametricIsMuon
from lamarrpy.stages.parametric.occupancy import Occupancy as ParametricOccupancy
from lamarrpy.stages.parametric.resolution import Resolution as ParametricResolution
from lamarrpy.stages.photon_efficiency import PhotonEfficiency
from lamarrpy.stages.photon_resolution import PhotonResolution
from lamarrpy.stages.primary_vertex import PrimaryVertex
from lamarrpy.stages.propagation import Propagation
from lamarrpy.stages.resolution import Resolution
from lamarrpy.stages.rich import Rich
from lamarrpy.stages.stage import Stage

STAGES: dict[str, type[Stage]] = {
    "primary_vertex": PrimaryVertex,
    "propagation": Propagation,
    "occupancy": Occupancy,
    "acceptance": Acceptance,
    "efficiency": Efficiency,
    "covariance": Covariance,
    "resolution": Resolution,
    "rich": Rich,
    "is_muon": IsMuon,
    "muon": Muon,
    "global_pid": GlobalPid,
    "photon_efficiency": PhotonEfficiency,
    "photon_resolution": PhotonResolution,
    "parametric_occupancy": ParametricOccupancy,
    "parametric_acceptance": ParametricAcceptance,
    "parametric_efficiency": ParametricEfficiency,
    "parametric_resolution": ParametricResolution,
    "parametric_covariance": ParametricCovariance,
    "parametric_is_muon": ParametricIsMuon,
    "parametric_global_pid": ParametricGlobalPid,
}
"""Every known stage by the ``kind`` it has in pipeline files, in physical order; learned first, then by formula.

Packages of one's own add to it through the entry-point group ``lamarrpy.stages``.
"""

for _point in entry_points(group="lamarrpy.stages"):
    if _point.name in STAGES:
        raise ConfigError(
            f"package {_point.value!r} adds a stage {_point.name!r}, which lamarrpy has already; rename or uninstall it"
        )
    STAGES[_point.name] = _point.load()

__all__ = ["STAGES", "Stage"]

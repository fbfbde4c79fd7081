"""One detector effect per file, and the registry of them all."""

from __future__ import annotations

from importlib.metadata import entry_points

from lamarrpy.errors import ConfigError
from lamarrpy.stages.acceptance import Acceptance
from lamarrpy.stages.covariance import Covariance
from lamarrpy.stages.efficiency import Efficiency
from lamarrpy.stages.global_pid import GlobalPid
from lamarrpy.stages.is_muon import IsMuon
from lamarrpy.stages.occupancy import Occupancy
from lamarrpy.stages.primary_vertex import PrimaryVertex
from lamarrpy.stages.propagation import Propagation
from lamarrpy.stages.resolution import Resolution
from lamarrpy.stages.stage import Stage

STAGES: dict[str, type[Stage]] = {
    "primary_vertex": PrimaryVertex,
    "occupancy": Occupancy,
    "propagation": Propagation,
    "acceptance": Acceptance,
    "efficiency": Efficiency,
    "resolution": Resolution,
    "covariance": Covariance,
    "is_muon": IsMuon,
    "global_pid": GlobalPid,
}
"""Every known stage by the ``kind`` it has in pipeline files, in physical order.

Packages of one's own add to it through the entry-point group ``lamarrpy.stages``.
"""

for _point in entry_points(group="lamarrpy.stages"):
    if _point.name in STAGES:
        raise ConfigError(
            f"package {_point.value!r} adds a stage {_point.name!r}, which lamarrpy has already; rename or uninstall it"
        )
    STAGES[_point.name] = _point.load()

__all__ = ["STAGES", "Stage"]

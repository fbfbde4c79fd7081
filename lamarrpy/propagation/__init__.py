"""From a particle's origin to planes of constant z: straight line, single kick, Runge-Kutta."""

from lamarrpy.propagation.beam_line import BeamLine, closest_to_beam
from lamarrpy.propagation.dormand_prince import dormand_prince
from lamarrpy.propagation.kick_fit import fit_single_kick, kick_of
from lamarrpy.propagation.runge_kutta import runge_kutta
from lamarrpy.propagation.shared_steps import SharedSteps
from lamarrpy.propagation.single_kick import Kick, SingleKick, single_kick
from lamarrpy.propagation.state import Crossings, Extrapolator, State
from lamarrpy.propagation.straight_line import StraightLine, straight_line

__all__ = [
    "BeamLine",
    "Crossings",
    "Extrapolator",
    "Kick",
    "SharedSteps",
    "SingleKick",
    "State",
    "StraightLine",
    "closest_to_beam",
    "dormand_prince",
    "fit_single_kick",
    "kick_of",
    "runge_kutta",
    "single_kick",
    "straight_line",
]

"""The magnet: how much it bends, and where."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.report.public import finding, points
from lamarrpy.detailed.report.sample import Sample
from lamarrpy.detailed.report.statistics import Measured
from lamarrpy.field import MagneticField, magnetic_field
from lamarrpy.page import Figure, Section, canvas, curve, log_axis, published, to_svg
from lamarrpy.page.drawing import SERIES
from lamarrpy.propagation.kick_fit import fit_single_kick
from lamarrpy.propagation.single_kick import Kick

_END = 8.52
"""z [m] of the middle of the T stations, up to which the bending power is quoted."""

_Z = np.linspace(0.0, 10.0, 2001)


def field(_: Sample) -> Section:
    """Bending power, kick and kick point of the field that the simulation flies its particles through."""
    magnet = magnetic_field("lhcb")
    zero = np.zeros_like(_Z)
    by = np.abs(magnet(zero, zero, 1e3 * _Z)[1])
    integral = np.concatenate([[0.0], np.cumsum(0.5 * (by[1:] + by[:-1]) * np.diff(_Z))])
    kick = fit_single_kick(magnet)
    kick_z = 0.5e-3 * float(np.sum(kick.z(np.array([-1e-4, 1e-4]))))
    return Section(
        "field",
        "Magnetic field",
        "The field on the axis, its integral, and the single kick that stands for it: tracks from the origin are"
        " followed through the field to the end of the T stations, and a constant change of px and a kick point"
        " that is a parabola in q/p are fitted to them. These figures do not depend on the sample.",
        [
            finding("field_integral", Measured(float(np.interp(_END, _Z, integral)), 0.0, 0)),
            finding("kick.z_kick.10gev", Measured(kick_z, 0.0, 0)),
            finding("kick.dpx", Measured(abs(kick.dpx) * 1e-3, 0.0, 0)),
        ],
        [partial(_profile, by, integral), partial(_kick_point, kick, magnet)],
    )


def _profile(by: NDArray[np.float64], integral: NDArray[np.float64]) -> Figure:
    known = points("field")
    with canvas() as (figure, axes):
        axes.plot(_Z, by, color=SERIES[0], linewidth=1.8, label="|By|, simulation [T]")
        axes.plot(_Z, integral / 4.0, color=SERIES[2], linewidth=1.8, linestyle="--", label="∫|By|dz / 4 m [T]")
        published(axes, known.x, known.y, "|By|, public map [T]")
        axes.axvline(_END, color="#8a93a0", linewidth=0.9, linestyle=":")
        axes.set(xlabel="z [m]", ylabel="field [T]", ylim=(0.0, 1.45))
        axes.legend(loc="upper left", ncols=1)
        svg = to_svg(figure, "field-profile")
    return Figure(
        svg,
        f"Field on the beam axis and its integral from the origin. Public points: {known.caption}; the simulation"
        " uses them scaled by 0.994. The dotted line is where the bending power is quoted.",
        "Field on the axis against z",
    )


def _kick_point(kick: Kick, magnet: MagneticField) -> Figure:
    known = points("z_kick")
    p = np.geomspace(2.0, 100.0, 100)
    with canvas() as (figure, axes):
        both = 0.5e-3 * (kick.z(1e-3 / p) + kick.z(-1e-3 / p))
        curve(axes, p, both, "simulation, both charges", color=SERIES[0])
        published(axes, known.x, known.y, "public map")
        log_axis(axes.xaxis)
        axes.set(xlabel="p [GeV]", ylabel="kick point [m]", ylim=(5.2, 5.75))
        axes.legend()
        svg = to_svg(figure, "field-kick")
    return Figure(
        svg,
        f"Where the tangents at both ends of a track cross, fitted over 2 < η < 5 ({magnet.polarity})."
        f" Public points: {known.caption}.",
        "Kick point against momentum",
    )

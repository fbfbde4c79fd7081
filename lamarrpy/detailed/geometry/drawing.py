"""A picture of the detector: from above, from the side, and its sensitive areas seen along the beam."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lamarrpy.detailed.geometry.detector import Detector, Plane
from lamarrpy.detailed.geometry.shapes import Box, Shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    "velo": "#1f77b4",
    "rf_foil": "#999999",
    "tt": "#d62728",
    "it": "#9467bd",
    "ot": "#2ca02c",
    "pipe": "#444444",
    "rich1": "#e6a700",
    "rich2": "#e6a700",
    "air": "#a6cee3",
}
"""The colour of each subdetector."""

LABELS = {
    "velo": "VELO",
    "rf_foil": "RF foil",
    "tt": "TT",
    "it": "IT",
    "ot": "OT",
    "pipe": "beam pipe",
    "rich1": "RICH",
    "air": "air",
}
"""What it is called in the legend."""

_ACCEPTANCE = {"x": 0.300, "y": 0.250}
"""Slopes [rad] of LHCb's acceptance, up to which material without a border is drawn."""


def _spans(shape: Shape, axis: str) -> list[tuple[float, float]]:
    """The ranges of x or y [mm] that a shape covers on the plane through the beam."""
    if isinstance(shape, Box):
        low, high = getattr(shape, axis)
        return [(-high, high)] if low == 0.0 else [(-high, -low), (low, high)]
    low, high = shape.r
    both = [(-high, -low), (low, high)]
    return both if axis == "y" or not shape.side else [both[1] if shape.side > 0 else both[0]]


def _plane_spans(plane: Plane, axis: str) -> list[tuple[float, float]]:
    """The ranges of x or y [mm] where a plane has material."""
    spans = []
    for region in plane.regions:
        reach = _ACCEPTANCE[axis] * plane.z
        hole = max((high for shape in region.outside for _, high in _spans(shape, axis)), default=0.0)
        spans += [s for shape in region.inside for s in _spans(shape, axis)] or [(-reach, -hole), (hole, reach)]
    return spans


def _draw_side(axes: Axes, detector: Detector, axis: str, legend: bool) -> None:
    """The detector in the plane of z and x or y, in metres."""
    named: set[str] = set()
    for plane in detector.planes:
        for low, high in _plane_spans(plane, axis):
            label = None if plane.system in named else LABELS.get(plane.system)
            named.add(plane.system)
            colour = COLOURS[plane.system]
            z, edges = 1e-3 * plane.z, (1e-3 * low, 1e-3 * high)
            if plane.extent > 0.0:
                axes.fill_between(
                    [z - 1e-3 * plane.extent, z], *edges, color=colour, alpha=0.18, linewidth=0, label=label
                )
            else:
                axes.plot([z, z], edges, color=colour, linewidth=0.8, label=label)
    _draw_walls(axes, detector, named)
    _draw_magnet(axes, detector, axis)
    axes.set(xlabel="z [m]", ylabel=f"{axis} [m]", xlim=(-0.5, 12.2), ylim=(-3.4, 3.4))
    axes.set_title({"x": "Tracking system from above", "y": "and from the side"}[axis], fontsize=10)
    if legend:
        axes.legend(loc="upper left", ncols=2, fontsize=8, frameon=False)


def _draw_walls(axes: Axes, detector: Detector, named: set[str]) -> None:
    for wall in detector.walls:
        r = [1e-3 * (wall.slope * z + wall.radius) for z in wall.z]
        label = LABELS[wall.system] if wall.system not in named else None
        named.add(wall.system)
        for sign in (-1.0, 1.0):
            shown = label if sign > 0 else None
            axes.plot([1e-3 * z for z in wall.z], [sign * a for a in r], color=COLOURS[wall.system], label=shown)


def _draw_magnet(axes: Axes, detector: Detector, axis: str) -> None:
    """The poles and coils outside the magnet's aperture."""
    z = np.array(detector.aperture.z)
    a, b = getattr(detector.aperture, axis)
    for sign in (-1.0, 1.0):
        edge = sign * 1e-3 * (a * z + b)
        axes.fill_between(1e-3 * z, edge, sign * 3.4, color="#c9b18a", alpha=0.5, linewidth=0)
    axes.text(1e-3 * float(z.mean()), 2.75, "magnet", ha="center", fontsize=9, color="#6b5836")


def _draw_velo(axes: Axes, detector: Detector) -> None:
    """The VELO from above, in millimetres."""
    for plane in detector.planes:
        if plane.system in ("velo", "rf_foil") and plane.extent == 0.0:
            for low, high in _plane_spans(plane, "x"):
                axes.plot([plane.z] * 2, [low, high], color=COLOURS[plane.system], linewidth=0.8)
    foil = detector.walls[0]
    for sign in (-1.0, 1.0):
        axes.plot(foil.z, [sign * foil.radius] * 2, color=COLOURS["rf_foil"], linewidth=1.2)
    axes.set(xlabel="z [mm]", ylabel="x [mm]", xlim=(-320, 860), ylim=(-120, 120))
    axes.set_title("VELO: sensors, hybrids and foil", fontsize=10)


def _draw_face(axes: Axes, detector: Detector, name: str, half: float, title: str) -> None:
    """Points of a plane's active area seen along the beam, and the strips' direction, coloured by subdetector."""
    plane = detector.planes[detector.plane_number(name)]
    assert plane.sensor is not None
    side = np.linspace(-half, half, 600)
    x, y = (a.ravel() for a in np.meshgrid(side, side))
    active = plane.sensor.contains(x, y).reshape(600, 600)
    axes.contourf(side, side, active, levels=[0.5, 1.5], colors=[COLOURS[plane.system]], alpha=0.45)
    axes.contour(side, side, active, levels=[0.5], colors=[COLOURS[plane.system]], linewidths=0.8)
    axes.set(xlabel="x [mm]", ylabel="y [mm]", aspect="equal", xlim=(-half, half), ylim=(-half, half))
    axes.set_title(title, fontsize=10)


def _draw_stereo(axes: Axes, detector: Detector, name: str, half: float) -> None:
    """A few strips of a stereo layer, where it is active."""
    plane = detector.planes[detector.plane_number(name)]
    assert plane.sensor is not None
    slope = np.tan(plane.sensor.stereo[0])
    for middle in np.linspace(-half, half, 24):
        y = np.linspace(-half, half, 800)
        x = middle - slope * y
        x[~plane.sensor.contains(x, y)] = np.nan
        axes.plot(x, y, color=COLOURS[plane.system], linewidth=0.6)


def _draw_strips(axes: Axes, detector: Detector) -> None:
    """Some strips of an R sensor on the left and of a phi sensor on the right, seen along the beam."""
    right = detector.planes[detector.plane_number("velo_right_10_phi")].sensor
    assert right is not None
    for r in np.linspace(right.pitch[0][0], right.pitch[-1][1], 14):
        angle = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 80)
        axes.plot(r * np.cos(angle), r * np.sin(angle), color=COLOURS["velo"], linewidth=0.6)
    for (inner, outer, _, _), tilt in zip(right.pitch, right.stereo, strict=True):
        for angle in np.linspace(0.5 * np.pi, 1.5 * np.pi, 31):
            start = inner * np.array([np.cos(angle), np.sin(angle)])
            end = start + (outer - inner) * np.array([np.cos(angle + tilt), np.sin(angle + tilt)])
            axes.plot(*zip(start, end, strict=True), color=COLOURS["velo"], linewidth=0.6)
    half = 1.05 * right.pitch[-1][1]
    axes.set(xlabel="x [mm]", ylabel="y [mm]", aspect="equal", xlim=(-half, half), ylim=(-half, half))
    axes.set_title("VELO: R strips (x > 0), phi strips (x < 0)", fontsize=10)


def draw(detector: Detector, path: Path) -> None:
    """Draw the detector.

    Parameters
    ----------
    detector : Detector
        Which.
    path : Path
        Where to, in the format of its suffix.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 15), layout="constrained")
    grid = figure.add_gridspec(3, 6, height_ratios=(1.15, 1.15, 1.3))
    _draw_side(figure.add_subplot(grid[0, :4]), detector, "x", legend=True)
    _draw_side(figure.add_subplot(grid[1, :4]), detector, "y", legend=False)
    _draw_velo(figure.add_subplot(grid[0, 4:]), detector)
    _draw_strips(figure.add_subplot(grid[1, 4:]), detector)
    tt = figure.add_subplot(grid[2, :2])
    _draw_face(tt, detector, "tt_a_u", 850.0, "TT: active area and u strips")
    _draw_stereo(tt, detector, "tt_a_u", 850.0)
    it = figure.add_subplot(grid[2, 2:4])
    _draw_face(it, detector, "ot_1_x1", 700.0, "")
    _draw_face(it, detector, "it_1_x1", 700.0, "IT, in the hole of the OT: active areas")
    ot = figure.add_subplot(grid[2, 4:])
    _draw_face(ot, detector, "ot_1_u", 3200.0, "OT: active area and u straws")
    _draw_stereo(ot, detector, "ot_1_u", 3200.0)
    figure.savefig(path, dpi=110)

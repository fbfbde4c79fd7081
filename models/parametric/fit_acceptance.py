"""Derive the fitted numbers in acceptance.yaml from its points.

    python models/parametric/fit_acceptance.py

prints them as YAML; the file carries what it prints. Particles of each momentum and pseudorapidity,
from the origin, at all azimuths and of both charges, are integrated through the field; the mean of
their probability is fitted to the points.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import least_squares

from lamarrpy.field import magnetic_field
from lamarrpy.propagation import SharedSteps, State
from lamarrpy.stages.parametric.acceptance import Trajectory, acceptance_probability
from lamarrpy.tables.schemas import PLANES

AZIMUTHS = 96
FITTED = (
    ("plateau",),
    ("tt", "pipe"),
    ("tt", "pipe_edge"),
    ("tt", "opening_edge"),
    ("t_stations", "loss"),
    ("t_hole", "radius"),
    ("t_hole", "loss"),
)

Floats = NDArray[np.float64]


def trajectories(points: Floats) -> Trajectory:
    """Particles of each (p [GeV], eta) at all azimuths and of both charges, points x azimuths x 2."""
    phi = 2 * np.pi * (np.arange(AZIMUTHS) + 0.5) / AZIMUTHS
    p, phi_of, charge = (a.ravel() for a in np.meshgrid(points[:, 0], phi, [-1.0, 1.0], indexing="ij"))
    slope = 1 / np.sinh(np.repeat(points[:, 1], 2 * AZIMUTHS))
    zero = np.zeros(len(p))
    start = State(zero, zero, zero, slope * np.cos(phi_of), slope * np.sin(phi_of), charge / (1e3 * p))
    at = SharedSteps(magnetic_field("lhcb"))(start, [PLANES["mid_tt"], PLANES["mid_t"]])
    return Trajectory(start.tx, start.ty, at.x[0], at.y[0], at.x[1], at.y[1], at.tx[1], at.reaches[1])


def with_values(numbers: dict[str, Any], values: Floats) -> dict[str, Any]:
    """The numbers of acceptance.yaml with those in FITTED replaced."""
    numbers = copy.deepcopy(numbers)
    for (*path, last), value in zip(FITTED, values, strict=True):
        inner = numbers
        for key in path:
            inner = inner[key]
        inner[last] = float(value)
    return numbers


def averages(at: Trajectory, numbers: dict[str, Any]) -> Floats:
    """Mean probability at each point."""
    mean: Floats = acceptance_probability(at, numbers).reshape(-1, 2 * AZIMUTHS).mean(axis=1)
    return mean


def main() -> None:
    """Print the fitted numbers and how well they meet the points."""
    numbers = yaml.safe_load((Path(__file__).parent / "acceptance.yaml").read_text(encoding="utf-8"))
    points = np.array(numbers["points"])
    at = trajectories(points)
    # what is not on the plateau is known to about a twentieth of its distance from it
    error = 0.005 + 0.05 * (0.985 - points[:, 2])
    first = []
    for path in FITTED:
        value = numbers
        for key in path:
            value = value[key]
        first.append(value)
    fit = least_squares(lambda v: (averages(at, with_values(numbers, v)) - points[:, 2]) / error, first, x_scale=first)
    for path, value in zip(FITTED, fit.x, strict=True):
        print(f"{'.'.join(path)}: {value:.4g}")
    for (p, eta, wanted), got in zip(points, averages(at, with_values(numbers, fit.x)), strict=True):
        print(f"# p {p:g} GeV, eta {eta:g}: {got:.3f}, wanted {wanted:g}")


if __name__ == "__main__":
    main()

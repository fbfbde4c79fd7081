"""The transport matrix by differentiation of the networks, beside finite differences of the integration."""

from __future__ import annotations

import numpy as np

from lamarrpy.benchmark.checks import Check
from lamarrpy.field import magnetic_field
from lamarrpy.propagation import State, runge_kutta
from lamarrpy.shipped import shipped
from lamarrpy.tracks import load_track_recipe, make_sample
from lamarrpy.train.extrapolation.transport import Transport

STEPS = {"x": 1.0, "y": 1.0, "tx": 1e-4, "ty": 1e-4, "qop": 1e-8}
"""By how much each part of the state [mm, 1/MeV] is moved to either side."""

_PLANE, _COUNT = 9410.0, 400


def differences(start: State, plane: float, steps: int = _COUNT) -> np.ndarray:
    """d(x, y, tx, ty) by d(x, y, tx, ty, q/p) by central differences of Runge-Kutta, shape (n, 4, 5)."""
    field = magnetic_field("lhcb")
    columns = []
    for name, step in STEPS.items():
        high, low = (
            runge_kutta(start._replace(**{name: getattr(start, name) + sign * step}), [plane], field, steps)
            for sign in (1.0, -1.0)
        )
        columns.append([(up[0] - down[0]) / (2.0 * step) for up, down in zip(high[:4], low[:4], strict=True)])
    return np.transpose(np.array(columns), (2, 1, 0))


def jacobian_error(tracks: int) -> Check:
    """Largest difference of any element, over the largest that the element is, of 99 % of the tracks from 5 GeV."""
    recipe = load_track_recipe(
        {"start": {"kind": "acceptance", "eta": [2.1, 4.9], "z": 0}, "momentum": {"p": [5e3, 1e5]},
         "length": {"dz": _PLANE}}
    )  # fmt: skip
    start = make_sample(recipe, tracks, seed=3).start
    found = Transport(shipped("models", "extrapolator", "variable"), magnetic_field("lhcb"))(start, _PLANE)
    wanted = differences(start.at(found.inside), _PLANE)
    size = np.abs(wanted).max(axis=0) + 1e-9
    worst = (np.abs(found.matrix[found.inside, :4] - wanted) / size).max(axis=(1, 2))
    return Check("extrapolator.jacobian_error", float(np.quantile(worst, 0.99)), None, None, "")

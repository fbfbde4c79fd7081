"""What decides what becomes of a photon at the calorimeter: its way, its place in a cell, the photons around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.stages.calorimeter_front import cell_size, entry, sine, to_edge, to_hole
from lamarrpy.tables import PARTICLES, EventBatch
from lamarrpy.tables.linking import row_of

Columns = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

PHOTON, NEUTRAL_PION = 22, 111
"""PDG numbers."""

_UNDECAYED = 1
"""HepMC status."""

_REACH = 300.0
"""mm: photons further away in x or y do not matter to a cluster: 2.5 of the largest cells."""

_ALONE = 1e4
"""mm: stands for the distance of a photon that has no sibling, larger than the calorimeter."""

_NOTHING = 1e-3
"""Of a photon's own energy: so little light of others is as good as none."""

READ = PARTICLES.only("event_id", "particle_id", "mother_id", "pid", "px", "py", "pz", "x", "y", "z", "status")
"""What photons are known by."""


def photons(batch: EventBatch) -> tuple[Rows, dict[str, NDArray[Any]]]:
    """The photons of the generator that end on the cells, of any momentum.

    Parameters
    ----------
    batch : EventBatch
        Whole events with `READ`: photons of an event are conditions of each other.

    Returns
    -------
    rows : ndarray of int, shape (n,)
        In the table ``particles``.
    columns : dict of str to ndarray, shape (n,)
        event_id, particle_id, mother_id; p [MeV], tx, ty; x, y, z [mm] of the origin; ecal_x, ecal_y [mm] where they
        meet the plane of the cells; from_pi0.

    Raises
    ------
    SchemaError
        If the mother of one is not in the table.
    """
    all_of = {name: batch.array("particles", name) for name in READ.names}
    rows = np.flatnonzero((all_of["pid"] == PHOTON) & (all_of["status"] == _UNDECAYED) & (all_of["pz"] > 0.0))
    px, py, pz, x, y, z = (all_of[name][rows] for name in ("px", "py", "pz", "x", "y", "z"))
    tx, ty = px / pz, py / pz
    ecal_x, ecal_y, reached = entry(x, y, z, tx, ty)
    p = np.sqrt(px * px + py * py + pz * pz)
    found = {"p": p, "tx": tx, "ty": ty, "x": x, "y": y, "z": z, "ecal_x": ecal_x, "ecal_y": ecal_y}
    columns: dict[str, NDArray[Any]] = {name: values[reached] for name, values in found.items()}
    rows = rows[reached]
    columns |= {name: all_of[name][rows] for name in ("event_id", "particle_id", "mother_id")}
    columns["from_pi0"] = _from_pi0(columns, all_of)
    return rows, columns


def conditions(columns: Columns) -> dict[str, NDArray[Any]]:
    """What the photon models are told.

    Photons go straight, and calorimeter and magnet are the same left and right, above and below: all is mirrored into
    the quadrant of positive x and y, which makes four photons to learn from out of one.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        As `photons` gives them: all photons of whole events.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        p, tx, ty, x, y, z, ecal_x, ecal_y, from_pi0 as there, mirrored; et [MeV] at the cells; cell: size [mm] of its
        cell, cell_x, cell_y: place in it from -0.5 to 0.5; to_hole, to_edge [mm], at most the largest cell; those of
        `siblings` and `surroundings`.
    """
    sign = mirror(columns)
    out = {name: columns[name] for name in ("p", "z", "from_pi0")}
    out |= {f"{name}{axis}": sign[axis] * columns[f"{name}{axis}"] for axis in "xy" for name in ("ecal_", "t", "")}
    x, y = out["ecal_x"], out["ecal_y"]
    size = cell_size(x, y)
    largest = float(size.max(initial=0.0))
    out |= {"et": out["p"] * sine(x, y), "cell": size, "cell_x": x / size % 1.0 - 0.5, "cell_y": y / size % 1.0 - 0.5}
    out |= {"to_hole": np.minimum(to_hole(x, y), largest), "to_edge": np.minimum(to_edge(x, y), largest)}
    return out | siblings(columns) | surroundings(columns, size, sign)


def mirror(columns: Columns) -> dict[str, Floats]:
    """The signs that bring photons into the quadrant of positive x and y: of x and of y, each of shape (n,)."""
    return {axis: np.where(columns[f"ecal_{axis}"] < 0.0, -1.0, 1.0) for axis in "xy"}


def siblings(columns: Columns) -> dict[str, Floats]:
    """The other photon of the same neutral pion, if it ends on the cells too: with it, a cluster may be split.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        sibling_distance: between them at the cells [mm], 10 m if there is none; sibling_p: its momentum [MeV], 0 then.
    """
    ids = [columns[name] for name in ("event_id", "mother_id", "particle_id")]
    order = np.flatnonzero(columns["from_pi0"])
    order = order[np.lexsort([values[order] for values in reversed(ids)])]
    event, mother = (values[order] for values in ids[:2])
    same = np.flatnonzero((event[1:] == event[:-1]) & (mother[1:] == mother[:-1]))
    one, other = order[same], order[same + 1]
    apart = np.hypot(*(columns[name][one] - columns[name][other] for name in ("ecal_x", "ecal_y")))
    distance, p = np.full(len(ids[0]), _ALONE), np.zeros(len(ids[0]))
    distance[one] = distance[other] = apart
    p[one], p[other] = columns["p"][other], columns["p"][one]
    return {"sibling_distance": distance, "sibling_p": p}


def surroundings(columns: Columns, size: Floats, sign: Mapping[str, Floats]) -> dict[str, Floats]:
    """Energy of other photons of the event that fall on the same cells or next to them.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Of the photons.
    size : ndarray of float64, shape (n,)
        Of the cell [mm] of each.
    sign : mapping of str to ndarray
        As `mirror` gives them.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        others_half, others_one, others_two: energies over its own, weighted by a Gaussian of the distance whose width
        is half a cell, one and two, and 0.001. pull_x, pull_y: by how much of a cell the common centre of energy of
        all within half a cell lies beside the photon; far_pull_x, far_pull_y: the same within two cells.
    """
    one, other = close_pairs(*(columns[name] for name in ("event_id", "particle_id", "ecal_x", "ecal_y")))
    n = len(size)
    dx, dy = ((columns[f"ecal_{axis}"][other] - columns[f"ecal_{axis}"][one]) / size[one] for axis in "xy")
    energy = columns["p"][other] / columns["p"][one]
    exponent = -0.5 * (dx * dx + dy * dy)
    out: dict[str, Floats] = {}
    for name, width, pull in (("half", 0.5, "pull"), ("one", 1.0, None), ("two", 2.0, "far_pull")):
        weight = energy * np.exp(exponent / width**2)
        light = np.bincount(one, weight, n)
        out[f"others_{name}"] = np.asarray(_NOTHING + light, np.float64)
        if pull is not None:
            for axis, distance in (("x", dx), ("y", dy)):
                out[f"{pull}_{axis}"] = sign[axis] * np.bincount(one, weight * distance, n) / (1.0 + light)
    return out


def close_pairs(event_id: Rows, particle_id: Rows, x: Floats, y: Floats) -> tuple[Rows, Rows]:
    """Every pair of photons of an event less than 300 mm apart in x and in y, in both orders.

    Parameters
    ----------
    event_id, particle_id : ndarray of int, shape (n,)
        Which photons.
    x, y : ndarray of float64, shape (n,)
        Where [mm].

    Returns
    -------
    tuple of two ndarray of int, shape (p,)
        Positions of the one and of the other. Those of one photon are always in the same order, so that sums over them
        do not depend on other events.
    """
    order = np.lexsort((particle_id, x, event_id))
    event_id, x, y = event_id[order], x[order], y[order]
    nothing = np.zeros(0, np.intp)
    before, after, left, step = [nothing], [nothing], np.arange(len(order)), 1
    while len(left):
        left = left[left + step < len(order)]
        left = left[(event_id[left + step] == event_id[left]) & (x[left + step] - x[left] < _REACH)]
        near = left[np.abs(y[left + step] - y[left]) < _REACH]
        before.append(near)
        after.append(near + step)
        step += 1
    one, other = np.concatenate(before), np.concatenate(after)
    return order[np.concatenate([one, other])], order[np.concatenate([other, one])]


def _from_pi0(columns: Columns, all_of: Columns) -> NDArray[np.bool_]:
    """Whether the mother of each photon is a neutral pion, shape (n,)."""
    out = np.zeros(len(columns["mother_id"]), bool)
    linked = np.flatnonzero(columns["mother_id"] >= 0)
    wanted = [columns[name][linked] for name in ("event_id", "mother_id")]
    mother = row_of(wanted, (all_of["event_id"], all_of["particle_id"]), "particles")
    out[linked] = all_of["pid"][mother] == NEUTRAL_PION
    return out

"""Primary vertices: found along the beam where tracks come close to it, and fitted from those tracks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.reconstruction.vertex_seeds import (
    Lines,
    Positions,
    VertexSearch,
    seeds,
    sorted_lines,
    vertex_search,
)
from lamarrpy.propagation import BeamLine, State

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Rows = NDArray[np.intp]

_WEAK = 1e-6
"""Information [1/mm^2] that keeps the position of a vertex of parallel tracks finite."""


class Vertices(NamedTuple):
    """m reconstructed primary vertices, by event and then along z.

    Attributes
    ----------
    event_id : ndarray of int, shape (m,)
        The event of each.
    x, y, z : ndarray, shape (m,), mm
        Where.
    covariance : ndarray, shape (m, 3, 3), mm^2
        Of x, y, z.
    n_tracks : ndarray of int, shape (m,)
        Tracks that the fit gives a weight.
    chi2 : ndarray, shape (m,)
        Weighted sum over them.
    """

    event_id: Counts
    x: Array
    y: Array
    z: Array
    covariance: Array
    n_tracks: Counts
    chi2: Array


class _Fit(NamedTuple):
    """What the tracks of a vertex say: its position, the information on it, tracks with a weight, chi2.

    Of the tracks, ``n_own`` fit to no vertex of the event that has more; ``radius`` is the distance to the beam.
    """

    position: Positions
    information: Array
    n_tracks: Counts
    chi2: Array
    n_own: Counts
    radius: Array


def fit_vertices(
    event_id: Counts, state: State, covariance: Array, beam: BeamLine, search: VertexSearch | None = None
) -> Vertices:
    """Find and fit the primary vertices of each event from its tracks.

    The tracks' points of closest approach to the beam line, each smeared with its error, make a density
    along z, whose peaks are the seeds. Each track goes to the vertex that it is nearest to in chi2, and
    the positions follow from weighted least squares with Tukey's weights (1 - chi2/c^2)^2, c^2 falling
    from step to step, so that tracks of decays lose their say. Between rounds of steps vertices are given
    up that have too few tracks, or too few that fit to no larger one, or are too far from the beam or too
    close to a larger one.

    Parameters
    ----------
    event_id : ndarray of int, shape (n,)
        Of the tracks with hits in the VELO, in any order.
    state : State
        Of n tracks, near the beam line.
    covariance : ndarray, shape (n, 5, 5)
        Of x, y, tx, ty, q/p at that z; mm and 1/MeV.
    beam : BeamLine
        Parallel to z; one for all tracks or one for each. It makes the seeds and does not pull the fit.
    search : VertexSearch, optional
        The shipped one if absent.

    Returns
    -------
    Vertices
        By event and z, whatever the order of the tracks and the other events.

    Notes
    -----
    After LHCb's TrackBeamLineVertexFinder (Rec, 2019) and adaptive fit (M. Kucharczyk et al., LHCb-PUB-2014-044).
    """
    search = search or vertex_search()
    events, lines = sorted_lines(np.asarray(event_id, np.int64), state, covariance, beam)
    position = seeds(lines, len(events), search)
    for steps in search.annealing:
        fit = _fit(lines, position, [factor * search.cut_off for factor in steps])
        kept = _kept(fit, search)
        position = fit.position.at(kept)
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort((position.z, position.event))]
    x, y, z = (column[rows] for column in fit.position[1:])
    inverse = np.linalg.inv(fit.information[rows])
    covariance = 0.5 * (inverse + inverse.swapaxes(1, 2))
    return Vertices(events[fit.position.event[rows]], x, y, z, covariance, fit.n_tracks[rows], fit.chi2[rows])


def _fit(lines: Lines, position: Positions, cut_offs: list[float]) -> _Fit:
    """Give each track to the vertex nearest to it in chi2, and fit the vertices with cut-offs in chi2, step by step."""
    rows, nearest = _nearest(lines, position)
    mine = lines.at(rows)
    sums = np.zeros((11, len(position.x)))
    for cut_off in cut_offs:
        sums = _sums(mine, nearest, position, cut_off)
        information = _symmetric(sums[:6])
        step = np.linalg.solve(information, sums[6:9].T[:, :, None])[:, :, 0]
        position = position._replace(x=position.x + step[:, 0], y=position.y + step[:, 1], z=position.z + step[:, 2])
    n_tracks = sums[9].astype(np.int64)
    n_own = _own_tracks(mine, nearest, position, n_tracks, cut_offs[-1])
    radius = _from_beam(mine, nearest, position)
    return _Fit(position, _symmetric(sums[:6]), n_tracks, sums[10], n_own, radius)


def _turns(lines: Lines, position: Positions) -> Iterator[tuple[Rows, Rows]]:
    """The first vertex of each track's event, then the second where there is one, and so on: tracks, vertices."""
    first = np.searchsorted(position.event, lines.event, side="left")
    count = np.searchsorted(position.event, lines.event, side="right") - first
    for turn in range(int(count.max(initial=0))):
        rows = np.flatnonzero(count > turn)
        yield rows, first[rows] + turn


def _nearest(lines: Lines, position: Positions) -> tuple[Rows, Rows]:
    """Tracks of events that have vertices, and the vertex that each is nearest to in chi2."""
    least, nearest = np.full(len(lines.event), np.inf), np.full(len(lines.event), -1, np.intp)
    for rows, vertex in _turns(lines, position):
        chi2 = _distance(lines.at(rows), position, vertex)[0]
        nearer = chi2 < least[rows]
        least[rows[nearer]], nearest[rows[nearer]] = chi2[nearer], vertex[nearer]
    rows = np.flatnonzero(nearest >= 0)
    return rows, nearest[rows]


def _own_tracks(lines: Lines, mine: Rows, position: Positions, n_tracks: Counts, cut_off: float) -> Counts:
    """Tracks within the cut-off of their own vertex and of none in the event that has more tracks."""
    own = _distance(lines, position, mine)[0] < cut_off
    for rows, vertex in _turns(lines, position):
        larger = own[rows] & (n_tracks[vertex] > n_tracks[mine[rows]])
        rows, vertex = rows[larger], vertex[larger]
        own[rows] = _distance(lines.at(rows), position, vertex)[0] >= cut_off
    return np.bincount(mine[own], minlength=len(position.x))


def _from_beam(lines: Lines, vertex: Rows, position: Positions) -> Array:
    """Distance [mm] of each vertex to the beam line, that of its tracks on average."""
    n, count = len(position.x), np.maximum(np.bincount(vertex, minlength=len(position.x)), 1)
    x, y = (np.bincount(vertex, line, n) / count for line in (lines.beam_x, lines.beam_y))
    return np.hypot(position.x - x, position.y - y)


def _distance(lines: Lines, position: Positions, vertex: Rows) -> tuple[Array, ...]:
    """chi2 between tracks and vertices at the vertices' z, the residuals, and the inverse of their covariance."""
    xx, xy, xtx, xty, yy, ytx, yty, txtx, txty, tyty = lines.covariance
    dz = position.z[vertex] - lines.z
    rx = lines.x + lines.tx * dz - position.x[vertex]
    ry = lines.y + lines.ty * dz - position.y[vertex]
    vxx = xx + dz * (2.0 * xtx + dz * txtx)
    vxy = xy + dz * (xty + ytx + dz * txty)
    vyy = yy + dz * (2.0 * yty + dz * tyty)
    determinant = vxx * vyy - vxy * vxy
    gxx, gxy, gyy = vyy / determinant, -vxy / determinant, vxx / determinant
    return gxx * rx * rx + 2.0 * gxy * rx * ry + gyy * ry * ry, rx, ry, gxx, gxy, gyy


def _sums(lines: Lines, vertex: Rows, position: Positions, cut_off: float) -> Array:
    """Over the tracks of each vertex: information (6 rows), pull on the position (3), tracks with a weight, chi2."""
    chi2, rx, ry, gxx, gxy, gyy = _distance(lines, position, vertex)
    weight = np.maximum(1.0 - chi2 / cut_off, 0.0) ** 2
    fx, fy = gxx * rx + gxy * ry, gxy * rx + gyy * ry
    hx, hy = gxx * lines.tx + gxy * lines.ty, gxy * lines.tx + gyy * lines.ty
    hz, fz = lines.tx * hx + lines.ty * hy, -(lines.tx * fx + lines.ty * fy)
    columns = [gxx, gxy, -hx, gyy, -hy, hz, fx, fy, fz]
    n = len(position.x)
    sums = [np.bincount(vertex, weight * column, n) for column in columns]
    return np.stack([*sums, np.bincount(vertex[weight > 0.0], minlength=n), np.bincount(vertex, weight * chi2, n)])


def _symmetric(sums: Array) -> Array:
    """The 3 x 3 matrices of which the upper triangles are given, kept from being singular."""
    matrix = np.empty((sums.shape[1], 3, 3))
    for (row, column), values in zip(zip(*np.triu_indices(3), strict=True), sums, strict=True):
        matrix[:, row, column] = matrix[:, column, row] = values
    return matrix + _WEAK * np.eye(3)


def _kept(fit: _Fit, search: VertexSearch) -> NDArray[np.bool_]:
    """Vertices of enough tracks, near the beam, and apart from those of their event with more tracks."""
    position = fit.position
    good = (fit.n_tracks >= search.fewest_tracks) & (fit.n_own >= search.fewest_own_tracks)
    good &= fit.radius < search.largest_radius
    good &= np.abs(position.z) < search.z_range
    variance = np.linalg.inv(fit.information)[:, 2, 2]
    order = np.lexsort((position.z, position.event))
    order = order[good[order]]
    one, two = order[:-1], order[1:]
    gap2 = (position.z[two] - position.z[one]) ** 2
    close = (position.event[one] == position.event[two]) & (
        gap2 < search.separation**2 * (variance[one] + variance[two])
    )
    second_less = fit.n_tracks[two] <= fit.n_tracks[one]
    good[two[close & second_less]] = False
    good[one[close & ~second_less]] = False
    return good


def match_vertices(
    vertices: Vertices, event_id: Counts, x: Array, y: Array, z: Array, search: VertexSearch | None = None
) -> Rows:
    """Which reconstructed vertex is which collision: one to one, the nearest along z first.

    Parameters
    ----------
    vertices : Vertices
        The reconstructed ones.
    event_id : ndarray of int, shape (k,)
        Of the true collisions, in any order.
    x, y, z : ndarray, shape (k,), mm
        Where they happened.
    search : VertexSearch, optional
        The shipped one if absent.

    Returns
    -------
    ndarray of int, shape (k,)
        Row in ``vertices``, -1 if it was not found: nothing left within a number of standard deviations and
        a distance in z, and as near to it across as a vertex has to be to the beam.
    """
    search = search or vertex_search()
    true, found, gap = _possible(vertices, event_id, x, y, z, search)
    matched, taken = np.full(len(z), -1, np.intp), np.zeros(len(vertices.z), bool)
    while len(true):
        order = np.argsort(gap, kind="stable")
        true, found, gap = true[order], found[order], gap[order]
        pairs = np.arange(len(true))
        first_true, first_found = np.full(len(z), len(true)), np.full(len(taken), len(true))
        np.minimum.at(first_true, true, pairs)
        np.minimum.at(first_found, found, pairs)
        mutual = (first_true[true] == pairs) & (first_found[found] == pairs)
        matched[true[mutual]], taken[found[mutual]] = found[mutual], True
        left = (matched[true] < 0) & ~taken[found]
        true, found, gap = true[left], found[left], gap[left]
    return matched


def _possible(
    vertices: Vertices, event_id: Counts, x: Array, y: Array, z: Array, search: VertexSearch
) -> tuple[Rows, Rows, Array]:
    """Pairs of a true collision and a reconstructed vertex of the same event that may be it, and their gap in z."""
    first = np.searchsorted(vertices.event_id, event_id, side="left")
    count = np.searchsorted(vertices.event_id, event_id, side="right") - first
    true = np.repeat(np.arange(len(z)), count)
    found = np.arange(len(true)) - np.repeat(np.cumsum(count) - count, count) + first[true]
    gap = np.abs(vertices.z[found] - z[true])
    sigma = np.sqrt(vertices.covariance[found, 2, 2])
    across = np.hypot(vertices.x[found] - x[true], vertices.y[found] - y[true])
    near = gap < np.minimum(search.match_sigmas * sigma, search.match_distance)
    near &= across < search.largest_radius
    return true[near], found[near], gap[near]

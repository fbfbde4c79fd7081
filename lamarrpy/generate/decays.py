"""Particles that decay, down a tree: flight, phase space, daughters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.generate import phase_space
from lamarrpy.generate.decay_tree import Branch, Mode
from lamarrpy.generate.names import conjugated, name_of
from lamarrpy.generate.phase_space import LineShape
from lamarrpy.particles import charge, lifetime, mass

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

SPEED_OF_LIGHT = 299.792458
"""mm/ns (exact, SI)."""

_HBAR = 6.582119569e-13
"""MeV ns (CODATA 2018): a width is hbar over a lifetime."""

_NARROWEST_LINE = 1e-3
"""MeV: a resonance narrower than this has one mass, as no detector tells the difference."""

_LINE_HALF_LENGTH = 15
"""Widths on either side of its mass to which the tails of a resonance are followed."""

_FLIGHT, _MODE, _DIRECTIONS = range(3)
"""The draws of a decaying particle; the directions of n daughters take 2 n - 2, the masses all after."""


@dataclass
class Bunch:
    """The same branch of the tree in many events.

    Attributes
    ----------
    event : ndarray of int, shape (m,)
        Which of the events.
    particle_id, mother_id : ndarray of int64, shape (m,)
        Numbers within the event.
    sign : ndarray of int64, shape (m,)
        1, or -1 where the whole decay is charge conjugated.
    mass : ndarray, shape (m,)
        In MeV.
    momentum, origin : ndarray, shape (3, m)
        In MeV and mm.
    time : ndarray, shape (m,)
        At the origin [ns].
    """

    event: Ids
    particle_id: Ids
    mother_id: Ids
    sign: Ids
    mass: Array
    momentum: Array
    origin: Array
    time: Array

    def __getitem__(self, rows: NDArray[np.bool_]) -> Bunch:
        return Bunch(
            self.event[rows],
            self.particle_id[rows],
            self.mother_id[rows],
            self.sign[rows],
            self.mass[rows],
            self.momentum[:, rows],
            self.origin[:, rows],
            self.time[rows],
        )


class Decays:
    """The decays of some events, and the particles that they leave.

    Every draw is keyed by (event_id, particle_id) of the particle that decays.

    Parameters
    ----------
    event_id : ndarray of int64, shape (n,)
        The events.
    draws : Draws
        Random numbers.
    v_minus_a : bool
        Whether semileptonic decays of b and c hadrons are weighted with the V-A amplitude.
    """

    def __init__(self, event_id: Ids, draws: Draws, v_minus_a: bool = True) -> None:
        self._event_id = event_id
        self._draws = draws
        self._v_minus_a = v_minus_a
        self._next_id = np.zeros(len(event_id), np.int64)
        self._found: list[tuple[Bunch, int, int]] = []

    def take_ids(self, event: Ids) -> Ids:
        """The next free particle_id of each of the events, which must be different ones."""
        ids = self._next_id[event]
        self._next_id[event] += 1
        return ids

    def follow(self, bunch: Bunch, branch: Branch) -> None:
        """Let the particles of a bunch decay down the tree, or stay as they are at its leaves."""
        self._found.append((bunch, branch.pid, 2 if branch.modes else 1))
        if not branch.modes or not len(bunch.event):
            return
        if len(branch.modes) == 1:
            self._decay(bunch, branch, branch.modes[0])
            return
        below = np.cumsum([mode.fraction for mode in branch.modes])
        u = self._draws.rows(self._event_id[bunch.event], bunch.particle_id).uniform(_MODE)
        chosen = np.searchsorted(below[:-1] / below[-1], u, side="right")
        for at, mode in enumerate(branch.modes):
            self._decay(bunch[chosen == at], branch, mode)

    def _decay(self, bunch: Bunch, branch: Branch, mode: Mode) -> None:
        streams = self._draws.rows(self._event_id[bunch.event], bunch.particle_id)
        origin, time = fly(bunch, mean_lifetime(branch.pid), streams.exponential(_FLIGHT))
        order, weighted = decay_order(branch.pid, mode)
        weighted &= self._v_minus_a
        shapes = [line_shape(mode.daughters[at]) for at in order]
        after_directions = _DIRECTIONS + 2 * len(order) - 2
        masses = phase_space.draw_masses(bunch.mass, shapes, streams, after_directions, weighted)
        momenta = phase_space.draw_momenta(bunch.momentum, masses, streams, _DIRECTIONS)
        place = {at: k for k, at in enumerate(order)}
        daughters = [
            Bunch(
                bunch.event,
                self.take_ids(bunch.event),
                bunch.particle_id,
                bunch.sign,
                masses.daughters[place[at]],
                momenta[place[at]],
                origin,
                time,
            )
            for at in range(len(order))
        ]
        for daughter, its_branch in zip(daughters, mode.daughters, strict=True):
            self.follow(daughter, its_branch)

    def particles(self) -> dict[str, NDArray[Any]]:
        """The columns of the table particles, ordered by event and particle_id.

        All but vertex_id and status are set as the decays left them; vertex_id is 0.
        """
        start = np.cumsum(self._next_id) - self._next_id
        total = int(self._next_id.sum())
        integers = ("event_id", "particle_id", "mother_id", "pid", "status")
        table: dict[str, NDArray[Any]] = {name: np.empty(total, np.int64) for name in integers}
        table |= {name: np.empty(total) for name in ("px", "py", "pz", "x", "y", "z", "t")}
        for bunch, pid, status in self._found:
            row = start[bunch.event] + bunch.particle_id
            table["event_id"][row] = self._event_id[bunch.event]
            table["particle_id"][row] = bunch.particle_id
            table["mother_id"][row] = bunch.mother_id
            table["pid"][row] = conjugated(pid, bunch.sign)
            table["status"][row] = status
            table["t"][row] = bunch.time
            for at, axis in enumerate("xyz"):
                table[f"p{axis}"][row] = bunch.momentum[at]
                table[axis][row] = bunch.origin[at]
        return table | {"vertex_id": np.zeros(total, np.int64)}


def fly(bunch: Bunch, mean_lifetime: float, exponential: Array) -> tuple[Array, Array]:
    """Where and when particles decay: straight along their momenta, charged ones too.

    The field bends a charged b or c hadron by micrometres before it decays, and a charged hyperon
    by more: its flight here is that outside of the field.

    Parameters
    ----------
    bunch : Bunch
        The particles.
    mean_lifetime : float
        In ns.
    exponential : ndarray, shape (m,)
        Proper times over the mean lifetime.

    Returns
    -------
    position : ndarray, shape (3, m)
        In mm.
    time : ndarray, shape (m,)
        In ns.
    """
    over_mass = mean_lifetime * exponential / bunch.mass
    px, py, pz = bunch.momentum
    energy = np.sqrt(px * px + py * py + pz * pz + bunch.mass * bunch.mass)
    return bunch.origin + SPEED_OF_LIGHT * over_mass * bunch.momentum, bunch.time + over_mass * energy


def mean_lifetime(pid: int) -> float:
    """Lifetime [ns] of a particle that decays; 0 where the PDG has none, as for D_s*+ or B*0."""
    value = float(lifetime(np.array([pid]))[0])
    return value if np.isfinite(value) else 0.0


@cache
def line_shape(branch: Branch) -> LineShape:
    """The masses that a particle of the tree may take: a Breit-Wigner if it decays and is wide."""
    from particle import Particle

    nominal = float(mass(np.array([branch.pid]))[0])
    tau = mean_lifetime(branch.pid)
    width = _HBAR / tau if tau > 0 else 0.0
    # a width without errors is an upper limit, as that of D*0
    measured = bool(Particle.from_pdgid(branch.pid).width_upper)
    if not branch.modes or not measured or width < _NARROWEST_LINE:
        return LineShape.fixed(nominal)
    thresholds = [sum(line_shape(d).low for d in mode.daughters) for mode in branch.modes]
    low = max(nominal - _LINE_HALF_LENGTH * width, *thresholds)
    return LineShape(nominal, width, low, nominal + _LINE_HALF_LENGTH * width)


@cache
def decay_order(mother: int, mode: Mode) -> tuple[tuple[int, ...], bool]:
    """The order in which phase space takes the daughters, and whether V-A weights the decay.

    In a semileptonic decay of a b or c hadron (hadrons, one charged lepton, its neutrino) the
    hadrons go first. If a b quark decays the neutrino is last, if a c quark does the charged lepton.
    """
    from particle.pdgid import has_bottom, has_charm

    pids = [d.pid for d in mode.daughters]
    charged = [at for at, pid in enumerate(pids) if abs(pid) in (11, 13, 15)]
    neutrinos = [at for at, pid in enumerate(pids) if abs(pid) in (12, 14, 16)]
    hadrons = [at for at in range(len(pids)) if at not in charged + neutrinos]
    is_pair = len(charged) == len(neutrinos) == 1 and abs(pids[charged[0]] + pids[neutrinos[0]]) == 1
    if not (is_pair and hadrons and (has_bottom(mother) or has_charm(mother))):
        return tuple(range(len(pids))), False
    b_decays = bool(has_bottom(mother)) and not any(has_bottom(pid) for pid in pids)
    return (*hadrons, *charged, *neutrinos) if b_decays else (*hadrons, *neutrinos, *charged), True


def check_decays(branch: Branch) -> None:
    """Refuse a tree in which a decay cannot happen.

    Raises
    ------
    ConfigError
        If a decay has too few daughters, daughters too heavy, or does not conserve charge.
    """
    for mode in branch.modes:
        _check_mode(branch, mode)
        for daughter in mode.daughters:
            check_decays(daughter)


def _check_mode(branch: Branch, mode: Mode) -> None:
    pids = [d.pid for d in mode.daughters]
    what = f"{name_of(branch.pid)} -> {' '.join(name_of(pid) for pid in pids)}"
    if len(pids) < 2:
        raise ConfigError(f"decay {what}: expected at least two daughters, got {len(pids)}")
    if abs(branch.pid) == 311:
        raise ConfigError(f"decay {what}: {name_of(branch.pid)} has no lifetime; write K_S0 or K_L0")
    got = _total(charge(np.array(pids)))
    if got != float(charge(np.array([branch.pid]))[0]):
        raise ConfigError(f"decay {what}: expected charge to be conserved, got a sum of {got:+g} after it")
    available, needed = line_shape(branch), _total([line_shape(d).low for d in mode.daughters])
    if max(available.mass, available.low) <= needed:
        raise ConfigError(f"decay {what}: expected daughters below {available.mass:g} MeV, got {needed:g} MeV")


def _total(values: Sequence[float] | Array) -> float:
    return float(np.sum(values))

"""Hadrons in calorimeters and iron: they decay, or interact and leave some slower ones, generation by generation.

What comes out behind is the punch-through, and muons of pions and kaons that decay on their way or in the shower.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.muon.absorbers import Absorbers
from lamarrpy.detailed.muon.flight import Crossings, Flying, joined
from lamarrpy.detailed.muon.stations import Stations
from lamarrpy.detailed.transport.decays import CHANNELS, choose_channel, daughter_momentum
from lamarrpy.detailed.transport.flight import LIGHT, interaction_scale
from lamarrpy.detailed.transport.scattering import deflect
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws, RowDraws
from lamarrpy.particles import charge, lifetime, mass

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

CHILDREN = 6
"""Hadrons that an interaction leaves at most: the leading one and five more."""

_DAUGHTER = CHILDREN + 1
"""Number of the daughter of a decay."""

_DEPTH, _LIFE, _CHANNEL, _POLAR, _AZIMUTH = range(5)
_SHARE, _KIND, _TRANSVERSE, _TRANSVERSE_TOO, _TURN = range(5, 10)
"""Random numbers of a hadron: of its end, and of its birth in an interaction."""

_STEEPEST = 0.8
"""Largest sine between a hadron of an interaction and what hit the nucleus; others are absorbed with the slow ones."""

_EXCHANGED = {2212: 2112, 2112: 2212, -2212: -2112, -2112: -2212, 321: 311, -321: -311, 311: 321, -311: -321, 211: 111,
              -211: 111}  # fmt: skip
"""What a hadron becomes when it exchanges its charge with the nucleus; a neutral pion is lost in photons."""

_LOST = 111

_BORN = np.array(9 * [211, -211, _LOST] + [321, -321, 130])
"""New hadrons of interactions, each as often: mostly pions, and one kaon in ten."""


class Shower(NamedTuple):
    """What hadrons leave behind: crossings of charged ones, and muons that still have to fly."""

    crossings: Crossings
    muons: Flying


class _End(NamedTuple):
    """Where and how n hadrons end, arrays of shape (n,): z [mm], momentum [MeV] there, and whether of which cause."""

    z: Array
    p: Array
    interacts: NDArray[np.bool_]
    decays: NDArray[np.bool_]


def cascade(hadrons: Flying, absorbers: Absorbers, stations: Stations, draws: Draws) -> Shower:
    """Follow hadrons and all that they make, until nothing is fast enough to matter.

    Parameters
    ----------
    hadrons : Flying
        Charged and neutral ones.
    absorbers, stations : Absorbers, Stations
        What they go through.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id, number, lineage).
    """
    nothing = hadrons.at(slice(0))
    crossings, muons = [Crossings.of(nothing, 0, 0.0)], [nothing]
    hadrons = hadrons.at(_kinetic(hadrons) > tuning("muon")["least_kinetic_energy"])
    while len(hadrons.pid):
        rows = draws.rows(*hadrons.name)
        end = _ends(hadrons, absorbers, rows)
        crossings += _crossings(hadrons, end, stations)
        decayed = _decayed(hadrons, end, rows)
        is_muon = np.abs(decayed.pid) == 13
        muons.append(decayed.at(is_muon))
        hadrons = Flying._make(joined([_shattered(hadrons, end, draws), decayed.at(~is_muon)]))
        hadrons = hadrons.at(_kinetic(hadrons) > tuning("muon")["least_kinetic_energy"])
    return Shower(Crossings._make(joined(crossings)), Flying._make(joined(muons)))


def _kinetic(hadrons: Flying) -> Array:
    m = mass(hadrons.pid)
    return np.asarray(np.sqrt(hadrons.p**2 + m * m) - m)


def _ends(hadrons: Flying, absorbers: Absorbers, draws: RowDraws) -> _End:
    """The first of interaction, decay, rest and way out."""
    secant, m = np.sqrt(1.0 + hadrons.tx**2 + hadrons.ty**2), mass(hadrons.pid)
    depth = np.interp(hadrons.z, absorbers.z, absorbers.depth)
    depth += draws.exponential(_DEPTH) * interaction_scale(hadrons.pid, absorbers.scale) / secant
    interaction = np.interp(depth, absorbers.depth, absorbers.z, right=np.inf)
    decay = hadrons.z + _flight_length(hadrons, m, draws) / secant
    # in units of minimum ionisation; neutral ones lose as good as nothing
    rate = np.where(charge(hadrons.pid) != 0.0, secant * absorbers.rise(hadrons.p / m, m), 1e-9)
    kinetic, before = np.sqrt(hadrons.p**2 + m * m) - m, np.interp(hadrons.z, absorbers.z, absorbers.loss)
    rest = np.interp(before + kinetic / rate, absorbers.loss, absorbers.z, right=np.inf)
    z = np.minimum(np.minimum(interaction, decay), np.minimum(rest, absorbers.z[-1]))
    left = np.maximum(kinetic - rate * (np.interp(z, absorbers.z, absorbers.loss) - before), 0.0)
    p = np.sqrt(left * (left + 2.0 * m))
    return _End(z, p, (interaction <= z) & (p > 0.0), (decay <= z) & (p > 0.0))


def _flight_length(hadrons: Flying, m: Array, draws: RowDraws) -> Array:
    """Way [mm] until each decays; infinite for all but charged pions and kaons."""
    length = np.full(len(m), np.inf)
    unstable = np.isin(hadrons.pid, [sign * pid for pid in CHANNELS for sign in (1, -1)])
    life = LIGHT * lifetime(hadrons.pid[unstable]) * draws[unstable].exponential(_LIFE)
    length[unstable] = life * hadrons.p[unstable] / m[unstable]
    return length


def _crossings(hadrons: Flying, end: _End, stations: Stations) -> list[Crossings]:
    """The stations that charged ones reach."""
    charged = charge(hadrons.pid) != 0.0
    return [
        Crossings.of(hadrons.at(charged & (hadrons.z < z) & (end.z >= z)), station, z)
        for station, z in enumerate(stations.z.tolist())
    ]


def _flown(hadrons: Flying, end: _End) -> Flying:
    """The hadrons at their end."""
    way = end.z - hadrons.z
    return hadrons._replace(z=end.z, x=hadrons.x + way * hadrons.tx, y=hadrons.y + way * hadrons.ty, p=end.p)


def _decayed(hadrons: Flying, end: _End, draws: RowDraws) -> Flying:
    """The charged daughters of those that decay."""
    gone, rows = _flown(hadrons, end).at(end.decays), draws[end.decays]
    pid, own, recoil = choose_channel(gone.pid, rows.uniform(_CHANNEL))
    kept = pid != 0
    gone, rows = gone.at(kept), rows[kept]
    u, v, _ = _direction(gone)
    px, py, pz = daughter_momentum(
        u, v, gone.p, mass(gone.pid), (own[kept], recoil[kept]), rows.uniform(_POLAR), rows.uniform(_AZIMUTH)
    )
    forward = pz > 0.0
    p, ahead = np.sqrt(px * px + py * py + pz * pz), np.where(forward, pz, 1.0)
    born = gone._replace(pid=pid[kept], lineage=8 * gone.lineage + _DAUGHTER, tx=px / ahead, ty=py / ahead, p=p)
    return born.at(forward)


def _direction(particles: Flying) -> tuple[Array, Array, Array]:
    """Direction cosines."""
    w = 1.0 / np.sqrt(1.0 + particles.tx**2 + particles.ty**2)
    return particles.tx * w, particles.ty * w, w


def _shattered(hadrons: Flying, end: _End, draws: Draws) -> Flying:
    """The hadrons that interactions leave.

    The leading one keeps a share of the kinetic energy that is drawn, and each new one takes a share of what is
    left. Neutral pions are lost.
    """
    tuned, mother = tuning("muon"), _flown(hadrons, end).at(end.interacts)
    left, born = _kinetic(mother), []
    for number in range(1, CHILDREN + 1):
        child = mother._replace(lineage=8 * mother.lineage + number)
        rows = draws.rows(*child.name)
        chance, kind = rows.uniform(_SHARE), rows.uniform(_KIND)
        if number == 1:
            share, pid = chance ** tuned["leading_power"], _leading(mother.pid, kind, tuned["charge_exchange"])
            kinetic, left = share * left, (1.0 - share) * left * tuned["visible"]
        else:
            share, pid = 1.0 - (1.0 - chance) ** tuned["secondary_power"], _BORN[(len(_BORN) * kind).astype(np.int64)]
            kinetic, left = share * left, (1.0 - share) * left
        born.append(_thrown(child, pid, kinetic, rows))
    return Flying._make(joined(born))


def _leading(pid: Ids, chance: Array, exchange: float) -> Ids:
    """What goes on in front: the same hadron, or its neighbour in charge."""
    out = pid.copy()
    for before, after in _EXCHANGED.items():
        out[(pid == before) & (chance < exchange)] = after
    return out


def _thrown(child: Flying, pid: Ids, kinetic: Array, draws: RowDraws) -> Flying:
    """Hadrons of an interaction, with transverse momenta of dN / d^2 pT = exp(-pT / T)."""
    fast = (pid != _LOST) & (kinetic > tuning("muon")["least_kinetic_energy"])
    child, pid, kinetic, draws = child.at(fast), pid[fast], kinetic[fast], draws[fast]
    m = mass(pid)
    p = np.sqrt(kinetic * (kinetic + 2.0 * m))
    pt = -tuning("find")["secondary_pt"] * np.log(draws.uniform(_TRANSVERSE) * draws.uniform(_TRANSVERSE_TOO))
    sine, azimuth = pt / p, 2.0 * np.pi * draws.uniform(_TURN)
    kept = sine < _STEEPEST
    child, pid, p, sine, azimuth = child.at(kept), pid[kept], p[kept], sine[kept], azimuth[kept]
    tangent = sine / np.sqrt(1.0 - sine * sine)
    u, v, _ = _direction(child)
    u, v, w = deflect(u, v, tangent * np.cos(azimuth), tangent * np.sin(azimuth))
    forward = w > 1.0 - _STEEPEST
    w = np.where(forward, w, 1.0)
    return child._replace(pid=pid, tx=u / w, ty=v / w, p=p).at(forward)

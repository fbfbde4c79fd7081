"""What each kind of particle leaves in the calorimeters: showers, single particles, and what they lose on the way."""

from __future__ import annotations

from enum import IntEnum, auto
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammainc, gammaincinv

from lamarrpy.detailed.calorimeter.cells import ecal, hcal
from lamarrpy.detailed.calorimeter.deposits import Showers
from lamarrpy.detailed.calorimeter.description import described
from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.transport import Arrivals
from lamarrpy.detailed.tuning import tuning
from lamarrpy.draws import Draws, RowDraws
from lamarrpy.particles import charge, mass

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

FROM = 11900.0
"""z [mm] where particles arrive."""

PHOTON, ELECTRON, MUON = 22, 11, 13


class _Draw(IntEnum):
    """Indices of the random numbers of a particle; from the last one on there are three for each secondary."""

    conversion = 0
    early = auto()
    sampling = auto()
    constant = auto()
    ecal_mip = auto()
    depth = auto()
    em_share = auto()
    hcal = auto()
    spd = auto()
    foreign = auto()


class Left(NamedTuple):
    """What n particles leave, one shower each: energy of showers in ECAL and HCAL, signals of PS and SPD.

    Attributes
    ----------
    ecal, hcal : Showers
        Energy on the scale of electrons and of hadrons, before sampling and noise of cells.
    preshower : Showers
        Energy [MeV] in the scintillator of the PS.
    spd : Showers
        1 for each particle that hits the SPD, secondaries after the n particles.
    """

    ecal: Showers
    hcal: Showers
    preshower: Showers
    spd: Showers


class _Energies(NamedTuple):
    """What n particles lose in the lead and leave behind it [MeV], where [mm] in the ECAL, and how wide."""

    early: Array
    ecal: Array
    depth: Array
    width: Array
    hcal: Array
    spd: Mask


def leave(arrivals: Arrivals, event: Index, draws: Draws) -> Left:
    """Let particles shower.

    Parameters
    ----------
    arrivals : Arrivals
        n particles at the end of RICH2.
    event : ndarray of int, shape (n,)
        Position of each one's event in the batch.
    draws : Draws
        The random numbers, used by rows of (event_id, particle_id, number).
    """
    keys = draws.rows(arrivals.event_id, arrivals.particle_id, arrivals.number)
    pid = np.abs(arrivals.pid)
    light, muon = np.isin(pid, (PHOTON, ELECTRON)), pid == MUON
    early, in_ecal, depth, width, in_hcal = (np.zeros(len(pid)) for _ in range(5))
    out = _Energies(early, in_ecal, depth, width, in_hcal, np.zeros(len(pid), np.bool_))
    for rows, kind in ((light, electromagnetic), (muon, muons), (~light & ~muon, hadrons)):
        where = np.flatnonzero(rows)
        for column, values in zip(out, kind(arrivals.at(where), keys[where]), strict=True):
            column[where] = values
    return _placed(arrivals, event, out, keys)


def _placed(arrivals: Arrivals, event: Index, left: _Energies, keys: RowDraws) -> Left:
    """Energies and signals in the planes of the cells."""
    ahead = described("preshower")
    in_ecal, in_hcal, cells = ecal().z - FROM, hcal().z - FROM, ecal()
    at = {"ecal": in_ecal + left.depth, "hcal": in_hcal, "ps": ahead["z"] - FROM, "spd": ahead["spd_z"] - FROM}
    x, y = ({name: a + way * t for name, way in at.items()} for a, t in _lines(arrivals))
    for plane, z in (("ps", ahead["z"]), ("spd", ahead["spd_z"])):
        # cells of PS and SPD look at the origin through those of the ECAL
        x[plane], y[plane] = x[plane] * cells.z / z, y[plane] * cells.z / z
    point, tuned = np.zeros(len(event)), tuning("calo")
    signal = _signal(left.early, cells.region[cells.at(x["ps"], y["ps"])], keys)
    spd = Showers(event, x["spd"], y["spd"], left.spd.astype(np.float64), point)
    return Left(
        Showers(event, x["ecal"], y["ecal"], left.ecal, left.width),
        Showers(event, x["hcal"], y["hcal"], left.hcal, np.full(len(event), tuned["hcal_width"])),
        Showers(event, x["ps"], y["ps"], signal, point),
        _with_foreign(spd, keys),
    )


def _lines(arrivals: Arrivals) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    return (arrivals.x, arrivals.tx), (arrivals.y, arrivals.ty)


def _signal(lost: Array, region: Index, keys: RowDraws) -> Array:
    """Signal [MeV] of the PS behind lead in which energy was lost: one of each particle that comes through."""
    ahead, spread = described("preshower"), tuning("calo")["ps_sampling"]
    mips = lost / (np.array(ahead["weights"])[region] * ahead["mip"])
    some = mips > 0.0
    shape = np.where(some, np.maximum(mips, 0.1), 1.0) / spread
    return np.where(some, ahead["mip"] * spread * gammaincinv(shape, keys.uniform(_Draw.sampling)), 0.0)


def _with_foreign(spd: Showers, keys: RowDraws) -> Showers:
    """Hits with those of secondaries that nobody followed, near those of particles."""
    tuned = tuning("calo")
    hits, hit = [spd], spd.energy > 0.0
    for number in range(int(np.ceil(tuned["spd_foreign"]))):
        first = _Draw.foreign + 3 * number
        more = np.flatnonzero(hit & (keys.uniform(first) < tuned["spd_foreign"] - number))
        some, near = spd.at(more), keys[more]
        x, y = (a + tuned["spd_distance"] * near.normal(first + 1 + axis) for axis, a in enumerate((some.x, some.y)))
        hits.append(some._replace(x=x, y=y))
    return Showers._make(np.concatenate(columns) for columns in zip(*hits, strict=True))


def longitudinal(energy: Array) -> tuple[Array, float]:
    """Shape a [], shape (n,), and scale b [1/X0] of the gamma function along showers of energies [MeV]."""
    numbers = described("shower")
    scale = float(numbers["scale"])
    tail = np.log(np.maximum(energy, 1.0) / numbers["critical_energy"]) + numbers["maximum"]
    return 1.0 + scale * np.maximum(tail, 0.1), scale


def electromagnetic(arrivals: Arrivals, keys: RowDraws) -> _Energies:
    """Electrons, which shower at once, and photons, which convert first."""
    ahead, block, tuned = described("preshower"), described("ecal"), tuning("calo")
    photon = arrivals.pid == PHOTON
    energy = arrivals.p
    start = np.where(photon, 9.0 / 7.0 * keys.exponential(_Draw.conversion), 0.0)
    lead = ahead["front"] + ahead["converter"]
    shape, scale = longitudinal(energy)
    shower = gammainc(shape, scale * np.maximum(lead - start, 0.0)) * energy
    k = tuned["ps_fluctuation"]
    one = ahead["mip"] * np.mean(ahead["weights"])
    early = np.minimum(np.maximum(shower * gammaincinv(k, keys.uniform(_Draw.early)) / k, one), energy)
    early = np.where(start < lead, early, 0.0)
    rest = (energy - early) * (1.0 + block["constant"] * keys.normal(_Draw.constant))
    depth = block["radiation_length"] * (start + shape / scale - lead) - block["front_depth"]
    spd = (start < ahead["front"]) & (keys.uniform(_Draw.spd) < ahead["spd_efficiency"])
    return _Energies(early, np.maximum(rest, 0.0), depth, np.ones(len(energy)), np.zeros(len(energy)), spd)


def depth_of_photons(energy: Array) -> Array:
    """How far behind the plane of the cells [mm] the showers of photons of energies [MeV] have their mean."""
    block, ahead = described("ecal"), described("preshower")
    shape, scale = longitudinal(energy)
    mean = 9.0 / 7.0 + shape / scale - ahead["front"] - ahead["converter"]
    return np.asarray(block["radiation_length"] * mean - block["front_depth"])


def _ionisation(part: str, normal: Array) -> Array:
    """Signal [MeV] of a minimum ionising particle: -2 ln |z| of a normal z follows Moyal's law."""
    block = described(part)
    tail = -2.0 * np.log(np.maximum(np.abs(normal), 1e-6))
    return np.asarray(block["mip"] * (1.0 + block["mip_width"] * tail))


def muons(arrivals: Arrivals, keys: RowDraws) -> _Energies:
    """Muons go through."""
    ahead, zero = described("preshower"), np.zeros(len(arrivals.p))
    in_ecal = np.minimum(_ionisation("ecal", keys.normal(_Draw.ecal_mip)), arrivals.p)
    in_hcal = np.minimum(_ionisation("hcal", keys.normal(_Draw.hcal)), arrivals.p - in_ecal)
    early = zero + ahead["mip"] * np.mean(ahead["weights"])
    spd = keys.uniform(_Draw.spd) < ahead["spd_efficiency"]
    return _Energies(early, in_ecal, zero, zero, in_hcal, spd)


def visible_energy(pid: Index, p: Array) -> Array:
    """Energy [MeV] that a hadron can leave: not the mass of baryons, but twice the mass of antibaryons more."""
    m = mass(pid)
    baryon = np.abs(pid) > 1000
    lost = np.where(baryon, np.where(pid > 0, m, -m), 0.0)
    return np.asarray(np.hypot(p, m) - lost)


def interaction_scale(pid: Index) -> Array:
    """How much longer the interaction length of each hadron is than that of a proton; K_L lies between K+ and K-."""
    known = dict(lhcb_detector().interaction_scale)
    scale = np.ones(len(pid))
    for one, value in (*known.items(), (130, 0.5 * (known[321] + known[-321])), (-2112, known[-2212])):
        scale[pid == one] = value
    return scale


def hadrons(arrivals: Arrivals, keys: RowDraws) -> _Energies:
    """Hadrons ionise until they interact; what pi0 take of the first interaction stays in the ECAL, if it is there."""
    block, ahead, tuned = described("ecal"), described("preshower"), tuning("calo")
    energy, charged = visible_energy(arrivals.pid, arrivals.p), charge(arrivals.pid) != 0.0
    met = interaction_scale(arrivals.pid) * keys.exponential(_Draw.depth) - ahead["interaction_lengths"]
    here, left = met < block["interaction_lengths"], block["interaction_lengths"] - np.maximum(met, 0.0)
    left = np.maximum(left, 0.0)
    passed = 1.0 - left / block["interaction_lengths"]
    low, high = (float(number) for number in tuned["hadron_em"])
    share = np.asarray(betaincinv(low, high, keys.uniform(_Draw.em_share)))
    shape, scale = longitudinal(share * energy)
    inside = gammainc(shape, scale * left / block["interaction_lengths"] * 25.0)
    rest = np.exp(-left / tuned["hadron_length"])
    track = np.where(charged, np.minimum(passed * _ionisation("ecal", keys.normal(_Draw.ecal_mip)), energy), 0.0)
    shower = energy * (share * inside + tuned["hadron_rest"] * (1.0 - share) * (1.0 - rest))
    in_ecal = np.minimum(track + np.where(here, shower, 0.0), energy)
    beyond = np.where(here, energy * (share * (1.0 - inside) + (1.0 - share) * rest), energy)
    in_hcal = _in_hcal(met - block["interaction_lengths"], beyond, charged, keys)
    one = ahead["mip"] * np.mean(ahead["weights"])
    broken = tuned["ps_hadron"] * keys.exponential(_Draw.early)
    early = (np.where(met < 0.0, broken, 0.0) + np.where(charged, 1.0, 0.0)) * one
    depth = np.where(here, (passed - 0.3) * block["radiation_length"] * 25.0, 0.0)
    spd = charged & (keys.uniform(_Draw.spd) < ahead["spd_efficiency"])
    width = np.where(here, tuned["hadron_width"], 0.0)
    return _Energies(np.minimum(early, energy), in_ecal, depth, width, in_hcal, spd)


def _in_hcal(met: Array, energy: Array, charged: Mask, keys: RowDraws) -> Array:
    """Energy [MeV] measured in the HCAL: of a shower, or of ionisation by what passes through it."""
    block = described("hcal")
    normal = keys.normal(_Draw.hcal)
    error = np.hypot(block["stochastic"] * np.sqrt(1e3 * energy), block["constant"] * energy)
    shower = np.maximum(energy + error * normal, 0.0)
    through = np.where(charged, np.minimum(_ionisation("hcal", normal), energy), 0.0)
    return np.where(met < block["interaction_lengths"], shower, through)

"""Names of particles, as EvtGen and the PDG write them, to PDG numbers."""

from __future__ import annotations

import difflib
from contextlib import suppress
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lamarrpy.errors import ConfigError
from lamarrpy.particles import is_known


@cache
def pid_of(name: str | int) -> int:
    """PDG number of a particle.

    Parameters
    ----------
    name : str or int
        EvtGen name (``Lambda_b0``, ``anti-nu_mu``), PDG name (``Lambda(b)0``) or PDG number.

    Raises
    ------
    ConfigError
        If there is no such particle, with the EvtGen names closest to it.
    """
    number = int(name) if str(name).lstrip("-").isdigit() else _by_name().get(str(name))
    if number is not None and is_known(np.array([number]))[0]:
        return number
    near = difflib.get_close_matches(str(name), _by_name(), n=3)
    hint = f"; close to it: {', '.join(near)}" if near else ""
    raise ConfigError(
        f"expected a particle by EvtGen name (such as Lambda_b0), PDG name or PDG number, got {str(name)!r}{hint}"
    )


@cache
def name_of(pid: int) -> str:
    """EvtGen name of a particle, or its PDG name if EvtGen has none."""
    return {number: name for name, number in _by_name().items()}[pid]


@cache
def _by_name() -> dict[str, int]:
    """PDG numbers by name: PDG names first, EvtGen names last, which win."""
    from particle import Particle
    from particle.exceptions import MatchingIDNotFound

    # largest numbers first, so that a name that is also one of a nucleus, as p, is that of the hadron
    particles = sorted(Particle.all(), key=lambda particle: -abs(int(particle.pdgid)))
    names = {str(particle.name): int(particle.pdgid) for particle in particles}
    for particle in particles:
        with suppress(MatchingIDNotFound):
            names[str(particle.evtgen_name)] = int(particle.pdgid)
    return names


@cache
def is_its_own_antiparticle(pid: int) -> bool:
    """Whether charge conjugation leaves a particle as it is (pi0, K_S0, J/psi ...)."""
    from particle import Particle

    return bool(Particle.from_pdgid(pid).is_self_conjugate) or pid in (130, 310)


def conjugated(pid: int, sign: NDArray[np.int64]) -> NDArray[np.int64]:
    """PDG numbers of a particle, or of its antiparticle where ``sign`` is -1; shape of ``sign``."""
    return np.full(len(sign), pid) if is_its_own_antiparticle(pid) else pid * sign

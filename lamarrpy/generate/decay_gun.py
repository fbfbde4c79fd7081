"""Decay gun: one b or c hadron an event, and its decay chain."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.generate.batch import to_batch
from lamarrpy.generate.decay_tree import Branch, parse_decay, read_decay_file
from lamarrpy.generate.decays import Bunch, Decays, check_decays
from lamarrpy.generate.kinematics import Kinematics, draw_momenta
from lamarrpy.generate.names import name_of
from lamarrpy.generate.primary_vertices import Vertices, draw_vertices
from lamarrpy.generate.recipe import Gun
from lamarrpy.generate.spectra import Flavour, FonllEta, FonllPt
from lamarrpy.particles import mass
from lamarrpy.tables import EventBatch

_CONJUGATE, _MOMENTUM = range(2)
"""The draws of an event; the momentum takes the last one and those after it."""


class DecayGun(Gun, Kinematics):
    """One hadron an event from the primary vertex, which decays down a chain.

    Without spectra of its own, a b or c hadron has the pT and eta of FONLL, with 2 < eta < 5.
    """

    kind: Literal["decay_gun"]
    decay: str | None = Field(None, description="decay string; either this or dec_file")
    dec_file: Path | None = Field(None, description="EvtGen decay file, relative to the recipe")
    particle: str | None = Field(None, description="the mother, a particle or alias of dec_file")
    antiparticles: float = Field(0.5, ge=0, le=1, description="share of events with the charge conjugated decay")
    semileptonic: Literal["v_minus_a", "phase_space"] = Field(
        "v_minus_a", description="what weights the semileptonic decays of b and c hadrons"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.decay is None) == (self.dec_file is None):
            raise ValueError("expected either decay or dec_file")
        if (self.dec_file is None) != (self.particle is None):
            raise ValueError(
                "expected dec_file and particle together: particle names the mother to generate,"
                " a particle or alias that has a Decay block in dec_file, such as Lambda_b0"
            )
        _with_spectra(self)
        return self

    def sample(self, event_id: NDArray[np.int64], draws: Draws) -> EventBatch:
        """Generate and decay the hadrons of some events."""
        vertices = draw_vertices(event_id, self.primary_vertices, draws)
        particles = _decay_hadrons(self, event_id, vertices, draws)
        return to_batch(event_id, vertices, particles, significant_bits=self.significant_bits)


@cache
def _tree(decay: str | None, dec_file: Path | None, particle: str | None) -> Branch:
    tree = parse_decay(decay) if decay is not None else read_decay_file(Path(str(dec_file)), str(particle))
    check_decays(tree)
    return tree


def _with_spectra(recipe: DecayGun) -> tuple[Branch, Kinematics]:
    """The decay tree, and the spectra of the hadron, those of FONLL where the recipe has none."""
    tree = _tree(recipe.decay, recipe.dec_file, recipe.particle)
    pt, eta = recipe.pt, recipe.eta
    if recipe.p is None and pt is None:
        pt = FonllPt(kind="fonll_pt", flavour=_flavour(tree.pid))
    if eta is None:
        eta = FonllEta(kind="fonll_eta", flavour=_flavour(tree.pid))
    return tree, Kinematics(p=recipe.p, pt=pt, eta=eta, phi=recipe.phi, window=recipe.window)


def _flavour(pid: int) -> Flavour:
    from particle.pdgid import has_bottom, has_charm

    if has_bottom(pid):
        return "b"
    if has_charm(pid):
        return "c"
    raise ConfigError(f"{name_of(pid)} has neither a b nor a c quark: expected spectra of eta and of p or pt")


def _decay_hadrons(
    recipe: DecayGun, event_id: NDArray[np.int64], vertices: Vertices, draws: Draws
) -> dict[str, NDArray[Any]]:
    tree, spectra = _with_spectra(recipe)
    streams = draws.stage("generate.decay_gun").rows(event_id)
    decays = Decays(event_id, draws.stage("generate.decays"), recipe.semileptonic == "v_minus_a")
    event = np.arange(len(event_id))
    hadrons = Bunch(
        event=event,
        particle_id=decays.take_ids(event),
        mother_id=np.full(len(event), -1),
        sign=np.where(streams.uniform(_CONJUGATE) < recipe.antiparticles, -1, 1),
        mass=np.full(len(event), float(mass(np.array([tree.pid]))[0])),
        momentum=np.array(draw_momenta(spectra, streams, _MOMENTUM)),
        origin=vertices.position[:, vertices.first],
        time=np.zeros(len(event)),
    )
    decays.follow(hadrons, tree)
    return decays.particles()

"""Pythia 8: whole pp collisions, with further ones in the same event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError, DomainError, did_you_mean
from lamarrpy.generate.batch import to_batch
from lamarrpy.generate.event_record import Record, pseudorapidity, read_record, to_rows
from lamarrpy.generate.primary_vertices import Vertices, draw_vertices
from lamarrpy.generate.recipe import Recipe
from lamarrpy.generate.spectra import Flavour
from lamarrpy.strict import Strict
from lamarrpy.tables import EventBatch, generator_level

_GEV = 1000.0
_LARGEST_SEED = 900_000_000
_MOST_FAILURES = 100
_MOST_COLLISIONS = 1_000_000


class Required(Strict):
    """What the first collision of an event must have: one hadron with such a quark in the range."""

    flavour: Flavour = Field(description="a hadron with a b, or with a c quark")
    eta: tuple[float, float] = Field((2.0, 5.0), description="range of its pseudorapidity")

    def met_by(self, record: Record) -> bool:
        """Whether the collision has such a hadron."""
        from particle.pdgid import has_bottom, has_charm, is_hadron

        has_quark = has_bottom if self.flavour == "b" else has_charm
        pids, where = np.unique(record.pid, return_inverse=True)
        flavoured = np.array([bool(is_hadron(p) and has_quark(p)) for p in pids.tolist()], bool)[where]
        eta = pseudorapidity(record.momentum[:, flavoured])
        return bool(((eta >= self.eta[0]) & (eta <= self.eta[1])).any())


class Pythia8(Recipe):
    """Proton-proton collisions of Pythia 8.

    The first collision of an event is the signal, at vertex 0; the further ones of
    ``primary_vertices`` come from ``pile_up``. Particles that live long decay where Pythia has
    them decay, if that is inside the tracking system; pi+, K+, K_L0, n and mu do not decay.
    The random numbers of the collisions are Pythia's own, seeded by the run.
    """

    kind: Literal["pythia8"]
    energy: float = Field(13.0e6, gt=0, description="centre-of-mass energy [MeV]")
    signal: tuple[str, ...] = Field(min_length=1, description="Pythia settings of the first collision")
    pile_up: tuple[str, ...] = Field(("SoftQCD:all = on",), description="Pythia settings of the further ones")
    settings: tuple[str, ...] = Field((), description="Pythia settings of both")
    require: Required | None = Field(None, description="what the first collision must have")
    decay_radius: float = Field(5000.0, gt=0, description="particles decay within such a cylinder [mm]")
    decay_half_length: float = Field(9410.0, gt=0, description="its half length [mm], to the last T station")

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of Pythia."""
        return {"pythia8": f"{_module().Pythia('', False).settings.parm('Pythia:versionNumber'):.3f}"}

    def batches(self, first: int, events: int, chunk: int, draws: Draws) -> Iterator[EventBatch]:
        """Generate the events in their order, ``chunk`` of them at a time."""
        signal = self._collisions("signal", self.signal, first, draws)
        wanted = signal if self.require is None else _selected(signal, self.require)
        pile_up = self._collisions("pile_up", self.pile_up, first, draws)
        for start in range(first, first + events, chunk):
            event_id = np.arange(start, min(start + chunk, first + events))
            yield self._batch(event_id, wanted, pile_up, draws)

    def _batch(
        self,
        event_id: NDArray[np.int64],
        signal: Iterator[tuple[Record, float]],
        pile_up: Iterator[tuple[Record, float]],
        draws: Draws,
    ) -> EventBatch:
        vertices = draw_vertices(event_id, self.primary_vertices, draws)
        weight = np.empty(len(event_id))
        rows: list[dict[str, NDArray[Any]]] = []
        for at, event in enumerate(event_id.tolist()):
            next_id = 0
            for vertex in _vertices_of(vertices, at):
                record, its_weight = next(pile_up if vertices.vertex_id[vertex] else signal)
                if not vertices.vertex_id[vertex]:
                    weight[at] = its_weight
                number = int(vertices.vertex_id[vertex])
                rows.append(to_rows(record, event, number, vertices.position[:, vertex], next_id))
                next_id += len(rows[-1]["pid"])
        particles = {name: np.concatenate([r[name] for r in rows]) for name in generator_level("particles").names}
        return to_batch(event_id, vertices, particles, weight, self.significant_bits)

    def _collisions(
        self, what: str, settings: tuple[str, ...], first: int, draws: Draws
    ) -> Iterator[tuple[Record, float]]:
        """Collisions and their weights, without end; Pythia starts when the first one is asked for."""
        bits = draws.stage(f"generate.pythia8.{what}").rows(np.array([first])).bits(0)
        seed = 1 + int(bits[0]) % _LARGEST_SEED
        pythia = start_pythia(
            "Print:quiet = on",
            f"Beams:eCM = {self.energy / _GEV!r}",
            "Random:setSeed = on",
            f"Random:seed = {seed}",
            "ParticleDecays:limitCylinder = on",
            f"ParticleDecays:xyMax = {self.decay_radius!r}",
            f"ParticleDecays:zMax = {self.decay_half_length!r}",
            *self.settings,
            *settings,
        )
        failures = 0
        while failures < _MOST_FAILURES:
            if pythia.next():
                failures = 0
                yield read_record(pythia.event), float(pythia.infoPython().weight())
            else:
                failures += 1
        raise DomainError(f"Pythia failed to generate {what} {_MOST_FAILURES} times in a row; check its settings")


def _selected(collisions: Iterator[tuple[Record, float]], required: Required) -> Iterator[tuple[Record, float]]:
    missed = 0
    for record, weight in collisions:
        if required.met_by(record):
            missed = 0
            yield record, weight
        elif (missed := missed + 1) >= _MOST_COLLISIONS:
            break
    raise ConfigError(
        f"require: expected {required.flavour} hadrons within {required.eta}, got none in {_MOST_COLLISIONS} collisions"
    )


def _vertices_of(vertices: Vertices, at: int) -> range:
    last = vertices.first[at + 1] if at + 1 < len(vertices.first) else len(vertices.vertex_id)
    return range(int(vertices.first[at]), int(last))


def start_pythia(*settings: str) -> Any:
    """A Pythia with these settings, ready to generate.

    Raises
    ------
    ConfigError
        If it is not installed, or does not accept a setting.
    """
    pythia = _module().Pythia("", False)
    for setting in settings:
        if not pythia.readString(setting, False):  # False: without a word on the terminal
            hint = did_you_mean(setting.split("=")[0].strip(), _known_settings(pythia.settings))
            raise ConfigError(
                f"expected a setting that Pythia 8 knows, such as 'HardQCD:hardbbbar = on', got {setting!r}{hint}"
            )
    if not pythia.init():
        raise ConfigError(f"Pythia 8 does not start with the settings {'; '.join(settings)}")
    return pythia


def _known_settings(settings: Any) -> list[str]:
    """The names of all settings, of whatever type."""
    kinds = ("Flag", "Mode", "Parm", "Word", "FVec", "MVec", "PVec", "WVec")
    return [known.name for kind in kinds for known in getattr(settings, f"get{kind}Map")("").values()]


def _module() -> Any:
    from importlib import import_module

    for name in ("pythia8mc", "pythia8"):
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    raise ConfigError(
        "generating with kind: pythia8 needs Pythia 8, which is not installed: pip install 'lamarrpy[pythia]'"
        " (or build Pythia 8 with its Python interface)"
    )

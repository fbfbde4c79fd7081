"""RICH: the differences of log-likelihoods of each track, learned from the Detailed Simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamarrpy.draws import Draws
from lamarrpy.stages.cherenkov import Expected, expected, gases
from lamarrpy.stages.reconstruction import known_of_tracks
from lamarrpy.stages.track_end import END, END_READS, Columns, Way, way_behind
from lamarrpy.stages.trained import SPECIES, TrainedStage, answers_by_species, empty
from lamarrpy.tables import PARTICLES, TRACKS, EventBatch, Schema

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DLLS = ("rich_dll_e", "rich_dll_mu", "rich_dll_k", "rich_dll_p")
LEARNED = ("electron", "muon", "kaon", "proton")
"""The differences of log-likelihoods, and what is learned in their place."""

_MISTAKE = 0.03
"""Relative error of the momentum that counts; that of Upstream tracks is ten times as large."""

_TRACK = ("track_type", "true_p", "p", "eta", "charge", "tx", "ty")


@dataclass(frozen=True)
class Rich(TrainedStage):
    """Draw the RICH likelihoods of each track from what the Detailed Simulation shows for its species.

    Who radiates follows from the reconstructed momentum, as in the reconstruction: a difference between two hypotheses
    of which neither radiates is exactly 0, and below the threshold of the kaon DLL(p) is exactly DLL(K). Whether a
    track goes through a gas is taken from its reconstructed direction in RICH1, and behind the magnet from the true way
    of its particle, which the reconstruction knows to some tenths of a milliradian.

    Parameters
    ----------
    version : str
        Which models: ``distilled`` or ``gan``.
    models : str or None
        Folder of models of one's own, laid out as ``models``; the shipped ones if left out.

    Raises
    ------
    ConfigError
        If there is no such model.
    ArtifactError
        If one is damaged.
    """

    stage: ClassVar[str] = "rich"
    parts: ClassVar[tuple[str, ...]] = tuple(species.name for species in SPECIES)

    @property
    def reads(self) -> Mapping[str, Schema]:
        """Reconstructed tracks, the occupancy, and the ways of their particles."""
        keys = ("event_id", "track_id", "particle_id", "true_pid")
        return {
            "tracks": TRACKS.only(*keys, *_TRACK),
            **END_READS,
            "particles": PARTICLES.only("z", *END_READS["particles"].names),
        }

    @property
    def writes(self) -> Mapping[str, Schema]:
        """Whether the identification is simulated, the gases that are crossed, and the likelihoods."""
        return {"tracks": TRACKS.only("identified", "in_rich1", "in_rich2", *DLLS, "outside_rich")}

    def __call__(self, batch: EventBatch, draws: Draws) -> EventBatch:
        """Give the tracks of a batch their likelihoods."""
        columns = _known(batch)
        pid = np.abs(batch.array("tracks", "true_pid"))
        identified, used = np.isin(pid, SPECIES), columns["in_rich1"] | columns["in_rich2"]
        outside, values = np.zeros(len(pid), bool), empty(DLLS, len(pid))
        at = np.flatnonzero(identified & used)
        some = {name: column[at] for name, column in columns.items()}
        seen, rows = conditions(some), draws.rows(*batch.arrays("tracks", "event_id", "track_id"))[at]
        said = empty(LEARNED, len(at))
        outside[at] = answers_by_species(lambda of: self._model(of.name), pid[at], seen, rows, said)
        for name, column in physical(said, some).items():
            values[name][identified] = 0.0
            values[name][at] = column
        flags = {"identified": identified, "outside_rich": outside}
        flags |= {name: columns[name] for name in ("in_rich1", "in_rich2")}
        return batch.with_columns(self.writes["tracks"], flags | values)


def conditions(columns: Columns) -> dict[str, NDArray[Any]]:
    """What the models are told.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Of tracks: ``p, true_p, eta, charge, track_type, n_tracks, in_rich1, in_rich2``, and ``origin_z`` of the
        particle.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Besides the columns that it is named after: ``misjudged``, by how much the particle is faster than its track,
        since one sets the rings and the other the hypotheses; ``gas_share``, of RICH1 behind the origin; ``radiating``,
        how many hypotheses radiate; ``kaon_size`` and ``proton_size``, logarithms of what may be expected of them.
    """
    about = _expected(columns)
    same = ("p", "eta", "charge", "track_type", "n_tracks")
    flags = {name: np.asarray(columns[name], np.float64) for name in ("in_rich1", "in_rich2")}
    return {
        **{name: columns[name] for name in same},
        **flags,
        "misjudged": np.arcsinh(np.log(columns["true_p"] / columns["p"]) / _MISTAKE),
        "gas_share": gases()[0].share_behind(columns["origin_z"]),
        "radiating": np.sum([*about.radiates.values()], axis=0),
        "kaon_size": np.log(about.k),
        "proton_size": np.log(about.p),
    }


def targets(columns: Columns) -> dict[str, Floats]:
    """What is learned: differences of the likelihoods in units of what the momentum lets expect.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Of tracks in at least one RICH: ``p``, ``in_rich1``, ``in_rich2`` and the likelihoods.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        `LEARNED`; NaN where the momentum says it already.
    """
    about = _expected(columns)
    e, mu, k, p = (columns[name] for name in DLLS)
    learned = {
        "electron": (about.radiates["e"], e, about.e),
        "muon": (about.radiates["mu"], mu - about.mu_on_e * e, about.mu),
        "kaon": (about.radiates["pi"], k, about.k),
        "proton": (about.radiates["k"], p - about.p_on_k * k, about.p),
    }
    return {name: np.where(open_, value / size, np.nan) for name, (open_, value, size) in learned.items()}


def physical(said: Columns, columns: Columns) -> dict[str, Floats]:
    """The likelihoods, from what was learned in their place: the inverse of `targets`.

    Parameters
    ----------
    said : mapping of str to ndarray, shape (n,)
        `LEARNED`; what the momentum says already is not looked at.
    columns : mapping of str to ndarray, shape (n,)
        Of tracks in at least one RICH: ``p``, ``in_rich1`` and ``in_rich2``.
    """
    about = _expected(columns)
    open_ = about.radiates
    e = np.where(open_["e"], said["electron"] * about.e, 0.0)
    mu = np.where(open_["mu"], said["muon"] * about.mu + about.mu_on_e * e, 0.0)
    k = np.where(open_["pi"], said["kaon"] * about.k, 0.0)
    p = np.where(open_["k"], said["proton"] * about.p + about.p_on_k * k, k)
    return dict(zip(DLLS, (e, mu, k, p), strict=True))


def _expected(columns: Columns) -> Expected:
    in_rich1, in_rich2 = (np.asarray(columns[name], bool) for name in ("in_rich1", "in_rich2"))
    return expected(np.asarray(columns["p"], np.float64), in_rich1, in_rich2)


def _known(batch: EventBatch) -> dict[str, NDArray[Any]]:
    """What is known of the tracks of a batch before the RICH look at them, for `conditions`."""
    columns = known_of_tracks(batch, _TRACK, (*END, "z"))
    columns["origin_z"] = columns["z"]
    beam = np.zeros(len(columns["p"]))
    rich1, rich2 = gases()
    columns["in_rich1"] = rich1.crossed(Way(0.0, beam, beam, columns["tx"], columns["ty"]))
    columns["in_rich2"] = rich2.crossed(way_behind(columns))
    return columns

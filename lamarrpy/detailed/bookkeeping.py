"""The cut-flow of the Detailed Simulation: how many particles and tracks come through each step."""

from __future__ import annotations

from dataclasses import asdict, fields

import numpy as np
from numpy.typing import NDArray

from lamarrpy.cutflow import Count, CutFlow
from lamarrpy.detailed.reconstruction.candidates import Candidates, TrackType
from lamarrpy.detailed.transport import Fate, Refused, Truth
from lamarrpy.tables import EventBatch

_LEFT_OUT = "left out: "


def of_origins(followed: int, refused: Refused) -> CutFlow:
    """Undecayed particles that are followed, and the others by the reason why they are not."""
    reasons = asdict(refused)
    undecayed = followed + sum(reasons.values())
    lines = {"followed": followed, **{_LEFT_OUT + name.replace("_", " "): count for name, count in reasons.items()}}
    return CutFlow(tuple(Count("origins", "particles", name, count, undecayed) for name, count in lines.items()))


def refused_in(flow: CutFlow) -> Refused:
    """The inverse of `of_origins`: how many particles were not followed, and why."""
    counts = {count.quantity: count.passed for count in flow.counts if count.stage == "origins"}
    return Refused(**{f.name: counts.get(_LEFT_OUT + f.name.replace("_", " "), 0) for f in fields(Refused)})


def of_transport(truth: Truth) -> CutFlow:
    """How the ways of the particles end, and what they make on it."""
    n = len(truth.fate)
    lines = {fate.name.replace("_", " "): int(np.count_nonzero(truth.fate == fate)) for fate in Fate}
    lines["decayed, the daughter goes on"] = len(truth.daughters.row)
    lines["photons radiated"] = len(truth.photons.row)
    return CutFlow(tuple(Count("transport", "particles", name, count, n) for name, count in lines.items()))


def of_finding(candidates: Candidates, in_acceptance: NDArray[np.bool_], track_type: NDArray[np.int64]) -> CutFlow:
    """Particles found, by class, and candidates that are ghosts."""
    n, total = len(track_type), len(candidates.row)
    classes = {kind.name: int(np.count_nonzero(track_type == kind)) for kind in TrackType if kind}
    return CutFlow(
        (
            Count("finding", "particles", "in_acceptance", int(np.count_nonzero(in_acceptance)), n),
            *(Count("finding", "particles", f"found as {name}", count, n) for name, count in classes.items()),
            Count("finding", "tracks", "ghosts", int(np.count_nonzero(candidates.row < 0)), total),
        )
    )


def of_fit(sensible: NDArray[np.bool_], good: NDArray[np.bool_], largest: float) -> CutFlow:
    """Tracks that the fit makes sense of, and those of them whose hits fit together."""
    fitted = int(np.count_nonzero(sensible))
    return CutFlow(
        (
            Count("fit", "tracks", "sensible", fitted, len(sensible)),
            Count("fit", "tracks", f"chi2_per_dof < {largest:g}", int(np.count_nonzero(sensible & good)), fitted),
        )
    )


def of_result(batch: EventBatch) -> CutFlow:
    """What is written: tracks by class, ghosts, isMuon, collisions whose vertex was found, clusters and photons."""
    track_type, matched = batch.arrays("tracks", "track_type", "matched")
    kinds = (TrackType.long, TrackType.upstream, TrackType.downstream)
    of_tracks = {kind.name.title(): track_type == kind for kind in kinds} | {"ghosts": ~matched}
    if "is_muon" in batch["tracks"].column_names:
        of_tracks["is_muon"] = batch.array("tracks", "is_muon")
    counts = [_counted("tracks", name, passed) for name, passed in of_tracks.items()]
    counts.append(_counted("vertices", "reconstructed", batch.array("vertices", "reconstructed")))
    if "clusters" in batch:
        cluster_type = batch.array("clusters", "cluster_type")
        counts += [_counted("clusters", name, cluster_type == kind) for name, kind in (("single", 1), ("split", 2))]
        in_ecal, of_photons = batch.arrays("particles", "in_ecal", "cluster_type")
        counts.append(_counted("particles", "photons found", of_photons[in_ecal] > 0))
    return CutFlow(tuple(counts))


def _counted(table: str, name: str, passed: NDArray[np.bool_]) -> Count:
    return Count("output", table, name, int(np.count_nonzero(passed)), len(passed))

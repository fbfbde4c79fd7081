"""The cut-flow of the Detailed Simulation: how many particles and tracks come through each step."""

from __future__ import annotations

from dataclasses import asdict, fields

import numpy as np
from numpy.typing import NDArray

from lamarrpy.cutflow import Count, CutFlow
from lamarrpy.detailed.reconstruction.candidates import Candidates, TrackType
from lamarrpy.detailed.transport import Fate, Refused, Truth

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


def of_output(track_type: NDArray[np.int64], ghosts: int, found: int, collisions: int) -> CutFlow:
    """Tracks that are written, by class, and collisions whose vertex was found."""
    n = len(track_type)
    kinds = (TrackType.long, TrackType.upstream, TrackType.downstream)
    classes = {kind.name.title(): int(np.count_nonzero(track_type == kind)) for kind in kinds}
    return CutFlow(
        (
            *(Count("output", "tracks", name, count, n) for name, count in {**classes, "ghosts": ghosts}.items()),
            Count("output", "vertices", "reconstructed", found, collisions),
        )
    )

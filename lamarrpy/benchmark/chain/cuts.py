"""Efficiency and misidentification of the usual cuts, in bins of momentum, of the tracks of the whole chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from lamarrpy.benchmark.chain import columns
from lamarrpy.benchmark.chain.figures import FLASH, Figure, worst
from lamarrpy.detailed.report.columns import Columns

Cut = Callable[[Columns], columns.Values]


def _above(name: str, cut: float) -> Cut:
    return lambda rows: rows[name] > cut


def _proton_over_kaon(cut: float) -> Cut:
    return lambda rows: rows["rich_dll_p"] - rows["rich_dll_k"] > cut


def _muon(cut: float) -> Cut:
    return lambda rows: rows["is_muon"].astype(bool) & (rows["muon_mu_ll"] - rows["muon_bg_ll"] > cut)


CUTS: dict[str, tuple[tuple[str, ...], Cut]] = {
    **{f"rich_dll_k_above_{c}": (("rich_dll_k",), _above("rich_dll_k", c)) for c in (0, 5)},
    **{f"rich_dll_p_above_{c}": (("rich_dll_p",), _above("rich_dll_p", c)) for c in (0, 5)},
    **{f"rich_dll_p_k_above_{c}": (("rich_dll_p", "rich_dll_k"), _proton_over_kaon(c)) for c in (0, 5)},
    **{f"mu_dll_above_{round(100 * c)}": (("is_muon", *columns.MUON), _muon(c)) for c in (1.75, 2.25)},
    **{f"comb_dll_mu_above_{c}": (("comb_dll_mu",), _above("comb_dll_mu", c)) for c in (-2, 2)},
    **{
        f"prob_nn_{h}_above_{round(100 * c)}": ((f"prob_nn_{h}",), _above(f"prob_nn_{h}", c))
        for h in ("e", "mu", "pi", "k", "p")
        for c in (0.2, 0.5)
    },
}
"""The columns of each cut, and whether a track passes; one without isMuon passes none of muDLL and ProbNNmu."""

EDGES = np.array([2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 120.0]) * 1e3
"""Bins of the reconstructed momentum, MeV."""

ENTRIES = 100
WITHIN, ERRORS = 0.02, 3.0


def cut_figures(pairs: Mapping[str, tuple[Columns, Columns]]) -> Iterator[Figure]:
    """By how much the worst bin of each cut and species is beyond two points or three standard errors."""
    for cut, (needed, passes) in CUTS.items():
        far = {}
        for species, number in columns.IDENTIFIED.items():
            far[species] = {
                who: _excess(first.at(first["species"] == number), other.at(other["species"] == number), passes)
                if all(name in other for name in needed)
                else None
                for who, (first, other) in pairs.items()
            }
        largest = {who: worst([each[who] for each in far.values()]) for who in pairs}
        yield Figure(f"chain.cut.{cut}", largest, None, 1.0)
        for species, each in far.items():
            yield Figure(f"chain.cut.{cut}.{species}", {FLASH: each[FLASH]}, None, 1.0, headline=False, compared=())


def _excess(first: Columns, other: Columns, passes: Cut) -> float | None:
    """The worst bin's difference over what is allowed; shares with the errors of both samples."""
    ours, others = (_shares(rows, passes) for rows in (first, other))
    enough = np.minimum(ours[0], others[0]) >= ENTRIES
    if not enough.any():
        return None
    (n, share), (m, again) = ((rows[enough] for rows in pair) for pair in (ours, others))
    error = np.sqrt(share * (1.0 - share) / n + again * (1.0 - again) / m)
    return float(np.max(np.abs(again - share) / np.maximum(WITHIN, ERRORS * error)))


def _shares(rows: Columns, passes: Cut) -> tuple[columns.Values, columns.Values]:
    """Tracks in each bin, and the share of them that passes."""
    number, _ = np.histogram(rows["p"], EDGES)
    passed, _ = np.histogram(rows["p"], EDGES, weights=passes(rows).astype(np.float64))
    return number, passed / np.maximum(number, 1)

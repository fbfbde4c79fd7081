"""What pattern recognition looks for and how far it looks: the ``find_`` entries of tuning.yaml."""

from __future__ import annotations

from dataclasses import dataclass, fields

from lamarrpy.detailed.tuning import tuning
from lamarrpy.errors import ConfigError


@dataclass(frozen=True)
class Search:
    """Windows, roads and noise; every field is the entry ``find_<name>`` of tuning.yaml, where its reason stands.

    Lengths in mm, momenta in MeV; ``..._soft`` are what a window grows by at 1 GeV, in proportion to 1/p.
    """

    noise_share_velo: float
    noise_share_tt: float
    noise_share_it: float
    noise_share_ot: float
    noise_constant: float
    noise_velo: float
    noise_angle: float
    noise_tracker: float
    longest_lever: float
    road: float
    side_drift: float
    purity: float
    least_p: float
    least_pt: float
    match_y: float
    match_y_soft: float
    match_x: float
    match_x_soft: float
    tt_x: float
    tt_x_soft: float
    tt_y: float
    tt_y_soft: float
    tt_from_behind: float
    tt_road: float
    tt_road_soft: float
    down_y: float
    down_y_soft: float
    down_x: float
    down_x_soft: float
    secondary_pt: float
    secondary_images: float


def shipped_search() -> Search:
    """The values of models/detailed/tuning.yaml.

    Raises
    ------
    ConfigError
        If an entry is missing or one too many.
    """
    found, wanted = tuning("find"), {field.name for field in fields(Search)}
    if set(found) != wanted:
        wrong = ", ".join(f"find_{name}" for name in sorted(wanted ^ set(found)))
        raise ConfigError(
            f"expected each window of the track finding once in tuning.yaml, got too many or too few: {wrong}"
        )
    return Search(**{name: float(value) for name, value in found.items()})

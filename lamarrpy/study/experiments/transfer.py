"""Additional experiment F: what a network knows of one field, or one place, helps in another (protocol section 9.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import keras
from pydantic import Field

from lamarrpy.nn.extrapolators.families import build
from lamarrpy.strict import Strict
from lamarrpy.study.config import MAIN, merged
from lamarrpy.study.jobs import Job, Outcome
from lamarrpy.study.study import SHORT, Study
from lamarrpy.tracks import load_track_recipe
from lamarrpy.tracks.accuracy import accuracy
from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe
from lamarrpy.train.extrapolation.running import answers, deviations, rows_of

NAME = "transfer"
QUESTION = "Does a network that has learned in a simple field, or in another region, need fewer tracks and steps?"
ALONE = False

PARTS = ("train", "validation", "test")

TRANSFERS = {
    "field": "from the field of two dipoles to that of LHCb",
    "region": "from the magnet to the region behind it",
}

_SEEING = {"normalization": "physical"}
"""Features are scaled by fixed numbers: those of a sample would differ between source and target."""

SAME = 0.05
"""Ratio of two distances, less one, below which they count as the same."""

Row = dict[str, Any]


class Options(Strict):
    """What is compared."""

    families: tuple[Literal["mlp", "pinn", "rk_pinn"], ...] = ("mlp", "rk_pinn")
    size: str = Field("small", description="of the networks")
    transfers: tuple[Literal["field", "region"], ...] = ("field", "region")
    source: int = Field(20_000, ge=2, description="tracks to learn from before")
    tracks: tuple[int, ...] = Field((500, 5000), description="tracks to learn from after; one training each")
    steps: int = Field(300, ge=1, description="of those trainings, pre-trained or not")
    rate: float = Field(1e-3, gt=0, description="learning rate of pre-trained ones, which would forget at a higher one")
    test: int = Field(4000, ge=2, description="tracks to measure with, and half as many to keep the best weights by")
    regions: tuple[tuple[float, float], tuple[float, float]] = Field(
        ((4000.0, 4000.0), (8000.0, 4000.0)), description="z and length [mm] of both regions"
    )


def jobs(study: Study) -> list[Job]:
    """For each family and transfer: one to begin with; then, for each number of tracks, one from it and one anew."""
    options = study.options(NAME, Options)
    _add_samples(study, options)
    return [
        job
        for transfer in options.transfers
        for family in options.families
        for job in _of_family(study, options, transfer, family)
    ]


def _of_family(study: Study, options: Options, transfer: str, family: str) -> Iterator[Job]:
    before = _name(transfer, family, "source")
    yield study.job(
        before, NAME, family, options.size, data=_set(transfer, "source"), notes="to be transferred",
        architecture=_SEEING,
    )  # fmt: skip
    data = _set(transfer, "target")
    for tracks in options.tracks:
        yield study.job(
            _name(transfer, family, f"{tracks}_scratch"), NAME, family, options.size, data=data, tracks=tracks,
            notes="from scratch", architecture=_SEEING, training={"steps": options.steps},
        )  # fmt: skip
        yield study.job(
            _name(transfer, family, f"{tracks}_pretrained"), NAME, family, options.size, data=data, tracks=tracks,
            begin_with=before, notes=f"begun as {before}", architecture=_SEEING,
            training={"steps": options.steps, "rate": options.rate},
        )  # fmt: skip


def _name(transfer: str, family: str, which: str) -> str:
    return f"{NAME}_{transfer}_{SHORT[family]}_{which}"


def _set(transfer: str, end: str) -> str:
    return f"{NAME}_{transfer}_{end}"


def _add_samples(study: Study, options: Options) -> None:
    for transfer in options.transfers:
        for end, recipe in track_recipes(study, options, transfer).items():
            train = options.source if end == "source" else max(options.tracks)
            for i, (part, size) in enumerate(zip(PARTS, (train, options.test // 2, options.test), strict=True)):
                study.add_sample(f"{_set(transfer, end)}.{part}", recipe, size, 3 * study.config.seed + i)


def track_recipes(study: Study, options: Options, transfer: str) -> dict[str, dict[str, Any]]:
    """Recipes of the tracks of the source and of the target.

    Fields: the shipped boxes, in one polarity. Regions: particles of a collision in the main field, carried to where
    each region begins.
    """
    if transfer == "field":
        shipped = {end: load_track_recipe(name).as_data()
                   for end, name in (("source", "box_dipole_pair"), ("target", "box"))}  # fmt: skip
        return {end: merged(recipe, {"field": {"polarity": "MagUp"}}) for end, recipe in shipped.items()}
    main = study.track_recipe(f"{MAIN}.test").as_data()
    kept = {part: main[part] for part in ("field", "momentum", "keep", "tolerance")}
    return {
        end: {**kept, "name": end, "start": {"kind": "acceptance", "eta": [2, 5], "z": z}, "length": {"dz": dz}}
        for end, (z, dz) in zip(("source", "target"), options.regions, strict=True)
    }


def run(study: Study) -> dict[str, Any]:
    """Errors in the target: anew, pre-trained, and pre-trained without learning anything there.

    Returns
    -------
    dict
        ``rows``: transfer, family, start (scratch, untuned, pretrained), tracks and steps learned from in the target,
        and the figures of `accuracy` on the target's test tracks. ``source``: accuracy in the source, by job.
    """
    options, outcomes = study.options(NAME, Options), study.outcomes(jobs(study))
    rows, source = [], {}
    for transfer in options.transfers:
        for family in options.families:
            before = outcomes.get(_name(transfer, family, "source"))
            if before is not None:
                source[before.name] = before.metrics["test"]
                rows.append({**_about(transfer, family, "untuned", 0, 0), **_untuned(study, transfer, family, before)})
            rows += _rows(outcomes, options, transfer, family)
    return {"rows": rows, "source": source, "conclusion": conclusion(rows)}


def _about(transfer: str, family: str, start: str, tracks: int, steps: int) -> Row:
    return {"transfer": transfer, "family": family, "start": start, "tracks": tracks, "steps": steps}


def _rows(outcomes: Mapping[str, Outcome], options: Options, transfer: str, family: str) -> Iterator[Row]:
    for tracks in options.tracks:
        for start in ("scratch", "pretrained"):
            outcome = outcomes.get(_name(transfer, family, f"{tracks}_{start}"))
            if outcome is not None:
                yield {**_about(transfer, family, start, tracks, options.steps), **outcome.metrics["test"]}


def _untuned(study: Study, transfer: str, family: str, before: Outcome) -> Row:
    """How good the source's network is in the target, its weights unchanged."""
    key = _set(transfer, "target")
    recipe = study.recipe(family, study.options(NAME, Options).size, data=key, architecture=_SEEING)
    test = study.sample(f"{key}.test")
    network = moved(before.network(), recipe, study.sample(f"{key}.train"))
    return accuracy(answers(network, rows_of(test).conditions), deviations(test))


def moved(network: keras.Model, recipe: ExtrapolatorRecipe, sample: Any) -> keras.Model:
    """The weights of a network in one that is made for other tracks, as an RK-PINN holds the field of its tracks.

    Parameters
    ----------
    network : keras.Model
        Whose weights.
    recipe : ExtrapolatorRecipe
        Of a network of the same layers.
    sample : TrackSample
        That the recipe's network is made for.
    """
    fresh = build(recipe.shape(sample))
    fresh.set_weights(network.get_weights())
    return fresh


def conclusion(rows: Sequence[Row]) -> str:
    """How much closer pre-trained networks end, by the distance within which 95 % of the tracks are."""
    told = []
    for transfer, family in dict.fromkeys((row["transfer"], row["family"]) for row in rows):
        mine = [row for row in rows if (row["transfer"], row["family"]) == (transfer, family)]
        found = {(row["start"], row["tracks"]): row["distance_95"] for row in mine}
        parts = []
        for tracks in sorted({row["tracks"] for row in mine if row["start"] != "untuned"}):
            anew, after = found.get(("scratch", tracks)), found.get(("pretrained", tracks))
            if anew and after:
                parts.append(
                    f"with {tracks:,} tracks {after:.3g} um pre-trained and {anew:.3g} um from scratch"
                    f" ({_compared(anew / after)})"
                )
        untuned = found.get(("untuned", 0))
        start = "" if untuned is None else f" ({untuned:.3g} um before it learns there)"
        told.append(f"{family}, {TRANSFERS[transfer]}{start}: {'; '.join(parts) or 'no figures'}.")
    if not told:
        return "No network of this experiment has been trained."
    return " ".join(["Distance within which 95 % of the tracks end:", *told])


def _compared(gain: float) -> str:
    """How many times closer, or farther."""
    if abs(gain - 1.0) < SAME:
        return "no difference"
    return f"{gain:.2g} times closer" if gain > 1.0 else f"{1.0 / gain:.2g} times farther"

"""Additional experiment D: eight short ways, one network, against one long way (protocol section 9.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lamarrpy.field import MagneticField
from lamarrpy.propagation import State
from lamarrpy.strict import Strict
from lamarrpy.study.config import MAIN
from lamarrpy.study.jobs import Job, Outcome
from lamarrpy.study.study import SHORT, Study
from lamarrpy.tracks import TrackSample, true_end
from lamarrpy.tracks.accuracy import accuracy
from lamarrpy.train.extrapolation.running import answers, as_input

NAME = "multi_step"
QUESTION = "Is one network of short steps, applied again and again, as accurate as one of a single long step?"
ALONE = False

STEPS, SINGLE = "multi_step", "single_step"
"""Names of the two sets of tracks, and what the names of their jobs begin with."""

PARTS = ("train", "validation", "test")

_SEEING = {"columns": None}
"""Networks of both see where a track starts and how far it goes, whatever those of the main tracks see."""

Array = NDArray[np.float64]
Extrapolate = Callable[[State, Array], Array]
"""From n states and dz to deviations from the straight line, shape (n, 4)."""


class Options(Strict):
    """What is compared."""

    families: tuple[Literal["mlp", "pinn", "rk_pinn"], ...] = ("mlp", "rk_pinn")
    size: str = Field("small", description="of the networks")
    start: float = Field(4000.0, description="where tracks start [mm]")
    step: float = Field(1000.0, gt=0, description="length of a short way [mm]")
    steps: int = Field(8, ge=2, description="how many make the long one")
    eta: tuple[float, float] = Field((2.0, 5.0), description="pseudorapidity of the particles, from the origin")
    train: int = Field(20_000, ge=2, description="tracks to learn from, of each of the two networks")
    test: int = Field(4000, ge=2, description="tracks to measure with, and half as many to keep the best weights by")


def jobs(study: Study) -> list[Job]:
    """For each family a network of short ways, from anywhere, and one of the long way; equal but for the tracks."""
    options = study.options(NAME, Options)
    for key, recipe in track_recipes(study, options).items():
        sizes = (options.train, options.test // 2, options.test)
        for i, (part, size) in enumerate(zip(PARTS, sizes, strict=True)):
            study.add_sample(f"{key}.{part}", recipe, size, 3 * study.config.seed + i)
    return [
        study.job(_name(key, family), NAME, family, options.size, data=key, notes=notes, architecture=_SEEING)
        for family in options.families
        for key, notes in ((STEPS, f"{options.step:g} mm from anywhere"), (SINGLE, "the whole way at once"))
    ]


def _name(key: str, family: str) -> str:
    return f"{key}_{SHORT[family]}"


def track_recipes(study: Study, options: Options) -> dict[str, dict[str, Any]]:
    """Recipes of the tracks of both: particles of a collision, carried to where they start.

    Short ways start wherever a long one passes; in the field and with the momenta of the study's main tracks.
    """
    main = study.track_recipe(f"{MAIN}.test").as_data()
    last = options.start + (options.steps - 1) * options.step
    start = {"kind": "acceptance", "eta": list(options.eta)}
    ways = {
        STEPS: {"start": {**start, "z": [options.start, last]}, "length": {"dz": options.step}},
        SINGLE: {"start": {**start, "z": options.start}, "length": {"dz": options.steps * options.step}},
    }
    return {
        key: {**{part: main[part] for part in ("field", "momentum", "keep", "tolerance")}, "name": key, **way}
        for key, way in ways.items()
    }


def run(study: Study) -> dict[str, Any]:
    """Errors after each short step, and those of the long one.

    Returns
    -------
    dict
        ``rows``: contender, family, mode (steps or single), step, z [mm] and the figures of `accuracy` there, on the
        same tracks.
        ``growth``: by contender, the power of the number of steps as which distance_68 grows.
    """
    options, outcomes = study.options(NAME, Options), study.outcomes(jobs(study))
    sample = study.sample(f"{SINGLE}.test")
    truth = truths(sample.start, options.step, options.steps, study.track_recipe(f"{SINGLE}.test").field.make())
    rows: list[dict[str, Any]] = []
    for family in options.families:
        rows += _of_steps(outcomes.get(_name(STEPS, family)), family, sample.start, truth, options)
        rows += _of_single(outcomes.get(_name(SINGLE, family)), family, sample, truth, options)
    grown = {row["contender"]: growth([one for one in rows if one["contender"] == row["contender"]])
             for row in rows if row["mode"] == "steps"}  # fmt: skip
    return {"rows": rows, "growth": grown, "conclusion": conclusion(rows, grown)}


def truths(start: State, step: float, steps: int, field: MagneticField) -> list[Array]:
    """Where tracks truly are after each step: x, y [mm], tx, ty, shape (n, 4); NaN for those that curl."""
    found, planes = [], [float(start.z[0]) + i * step for i in range(steps + 1)] if len(start.z) else []
    for i in range(1, steps + 1):
        end = true_end(start, np.full(len(start.x), i * step), field, planes=planes).end
        found.append(np.stack([end.x, end.y, end.tx, end.ty], axis=1))
    return found


def chain(extrapolate: Extrapolate, start: State, step: float, steps: int) -> Iterator[Array]:
    """States after one step, two, three ...: each begins where the one before has ended.

    Parameters
    ----------
    extrapolate : callable
        One step.
    start : State
        n tracks.
    step : float, mm
        Its length.
    steps : int
        How many.

    Yields
    ------
    ndarray, shape (n, 4)
        x, y [mm], tx, ty.
    """
    state, dz = start, np.full(len(start.x), step)
    for _ in range(steps):
        moved = ended(state, dz, extrapolate(state, dz))
        state = State(moved[:, 0], moved[:, 1], state.z + dz, moved[:, 2], moved[:, 3], state.qop)
        yield moved


def ended(start: State, dz: Array, differ: Array) -> Array:
    """Straight line and deviation added up, shape (n, 4)."""
    line = np.stack([start.x + start.tx * dz, start.y + start.ty * dz, start.tx, start.ty], axis=1)
    moved: Array = line + differ
    return moved


def _answer(outcome: Outcome) -> Extrapolate:
    network = outcome.network()
    return lambda start, dz: answers(network, as_input(start, dz))[:, :4].astype(np.float64)


def _of_steps(
    outcome: Outcome | None, family: str, start: State, truth: Sequence[Array], options: Options
) -> Iterator[dict[str, Any]]:
    if outcome is None:
        return
    states = chain(_answer(outcome), start, options.step, options.steps)
    for step, (got, true) in enumerate(zip(states, truth, strict=True), 1):
        yield _row(outcome.name, family, "steps", step, options) | _judged(got, true)


def _of_single(
    outcome: Outcome | None, family: str, sample: TrackSample, truth: Sequence[Array], options: Options
) -> Iterator[dict[str, Any]]:
    if outcome is not None:
        got = ended(sample.start, sample.dz, _answer(outcome)(sample.start, sample.dz))
        yield _row(outcome.name, family, "single", options.steps, options) | _judged(got, truth[-1])


def _row(name: str, family: str, mode: str, step: int, options: Options) -> dict[str, Any]:
    z = options.start + step * options.step
    return {"contender": name, "family": family, "mode": mode, "step": step, "z": z}


def _judged(got: Array, true: Array) -> dict[str, Any]:
    there = np.isfinite(true).all(axis=1)
    return accuracy(got[there], true[there])


def growth(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """The power of the number of steps as which distance_68 grows, from a straight line through the logarithms."""
    points = [(row["step"], row["distance_68"]) for row in rows if row["distance_68"]]
    if len(points) < 2:
        return None
    steps, distances = np.log(np.array(points)).T
    return float(np.polyfit(steps, distances, 1)[0])


def conclusion(rows: Sequence[Mapping[str, Any]], grown: Mapping[str, float | None]) -> str:
    """Which of the two is closer to the truth, family by family."""
    told = []
    for family in dict.fromkeys(row["family"] for row in rows):
        mine = [row for row in rows if row["family"] == family]
        chained = max((row for row in mine if row["mode"] == "steps"), key=lambda row: row["step"], default=None)
        single = next((row for row in mine if row["mode"] == "single"), None)
        if chained is None or single is None or not chained["distance_68"] or not single["distance_68"]:
            told.append(f"{family}: no figures of both.")
            continue
        better = "short steps are" if chained["distance_68"] < single["distance_68"] else "the single step is"
        power = grown.get(chained["contender"])
        told.append(
            f"{family}: 68 % of the tracks end within {chained['distance_68']:.3g} um after {chained['step']} short"
            f" steps and {single['distance_68']:.3g} um after a single one: {better} closer"
            + ("." if power is None else f"; errors grow as the number of steps to the power {power:.2g}.")
        )
    return " ".join(told)

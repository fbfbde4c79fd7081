"""Additional experiment E: networks that say how wrong they may be, and whether that is true (protocol section 9.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from pydantic import Field

from lamarrpy.strict import Strict
from lamarrpy.study.config import MAIN, merged
from lamarrpy.study.experiments.robustness import variations
from lamarrpy.study.jobs import Job, Outcome
from lamarrpy.study.measuring import unit_of
from lamarrpy.study.pulls import calibration, histogram, judged, pulls
from lamarrpy.study.study import Study
from lamarrpy.tracks import TrackSample, load_track_recipe
from lamarrpy.tracks.accuracy import OUTPUTS, accuracy
from lamarrpy.train.extrapolation.running import BLOCK, answers, deviations, rows_of

NAME = "uncertainty"
QUESTION = "Can a network say how wrong it may be: by an ensemble, by dropout, or by an output of its own?"
ALONE = False

OUTSIDE = ("position", "momentum_below")
"""Cases of the robustness experiment that may serve as tracks outside the training range; the first there is."""

_LARGEST = 50.0
"""Logarithm of an error beyond which it is held."""

Array = NDArray[np.float64]
Row = dict[str, Any]


class Told(NamedTuple):
    """What a method answers to tracks, and the error it states, each of shape (n, 4)."""

    predicted: Array
    error: Array


Method = Callable[[NDArray[np.float32]], Told]


class Options(Strict):
    """What is compared."""

    size: str = Field("small", description="of the networks, all of them mlp")
    members: int = Field(4, ge=2, description="of the ensemble")
    rate: float = Field(0.05, gt=0, lt=1, description="part of the neurons left out by dropout")
    passes: int = Field(30, ge=2, description="with other neurons left out each time")
    tracks: int = Field(4000, ge=100, description="to judge the errors by, of each sample")


def jobs(study: Study) -> list[Job]:
    """Members of the ensemble, equal but for the seed; one with dropout; one that answers with its error."""
    options = study.options(NAME, Options)
    members = [
        study.job(
            f"ensemble_{i + 1}", NAME, "mlp", options.size, seed=study.config.seed + 100 + i, notes="of an ensemble"
        )
        for i in range(options.members)
    ]
    dropout = {"dropout": options.rate}
    return [
        *members,
        study.job("mc_dropout", NAME, "mlp", options.size, architecture=dropout, notes=f"dropout {options.rate:g}"),
        study.job("heteroscedastic", NAME, "mlp", options.size, architecture={"spread": True}, notes="own error"),
    ]


def run(study: Study) -> dict[str, Any]:
    """Pulls and coverage of the errors that three methods state.

    Returns
    -------
    dict
        ``rows``: method, sample (test, or outside the training range, which is ``outside``) and what
        `lamarrpy.study.pulls.judged` tells of each output; factors come from the validation tracks. ``pulls``:
        histograms by method and output. ``accuracy``: by method.
    """
    options = study.options(NAME, Options)
    some = slice(options.tracks)
    validation, test = (study.sample(f"{MAIN}.{part}").at(some) for part in ("validation", "test"))
    name, beyond = outside(study, options.tracks)
    found: dict[str, Any] = {"rows": [], "pulls": {}, "accuracy": {}, "outside": name}
    for method, answer in methods(study, options).items():
        factors = calibration(_pulls(answer, validation))
        for where, sample in (("test", test), ("outside", beyond)):
            if sample is not None:
                told, true = answer(rows_of(sample).conditions), deviations(sample)
                found["rows"] += [
                    {"method": method, "sample": where, **row}
                    for row in judged(told.predicted, true, told.error, factors)
                ]
        on_test = _pulls(answer, test)
        found["pulls"][method] = {output: histogram(on_test[:, i]) for i, output in enumerate(OUTPUTS)}
        found["accuracy"][method] = accuracy(answer(rows_of(test).conditions).predicted, deviations(test))
    return {**found, "conclusion": conclusion(found["rows"])}


def _pulls(answer: Method, sample: TrackSample) -> Array:
    told = answer(rows_of(sample).conditions)
    return pulls(told.predicted, deviations(sample), told.error)


def outside(study: Study, tracks: int) -> tuple[str | None, TrackSample | None]:
    """Tracks outside the range of the training, and what they are; None if its recipe allows none."""
    recipe = study.track_recipe()
    known = {name: changes for name, _, _, changes in variations(recipe)}
    for name in OUTSIDE:
        if name in known:
            changed = load_track_recipe(merged(recipe.as_data(), known[name]))
            return name, study.sample(study.add_sample(f"{NAME}.{name}", changed, tracks))
    return None, None


def methods(study: Study, options: Options) -> dict[str, Method]:
    """The methods whose networks are there, by name."""
    outcomes = study.outcomes(jobs(study))
    members = [one for name, one in outcomes.items() if name.startswith("ensemble_")]
    found: dict[str, Method] = {}
    if len(members) > 1:
        found["ensemble"] = ensemble([one.network() for one in members])
    if "mc_dropout" in outcomes:
        found["dropout"] = dropout(outcomes["mc_dropout"].network(), options.passes, study.config.seed)
    if "heteroscedastic" in outcomes:
        found["heteroscedastic"] = heteroscedastic(outcomes["heteroscedastic"].network(), _unit(study, outcomes))
    return found


def _unit(study: Study, outcomes: dict[str, Outcome]) -> Array:
    """The spread of the tracks it has learned from, which its error is told in."""
    sample = study.sample(outcomes["heteroscedastic"].config["sample"])
    return np.asarray(unit_of(sample), np.float64)


def ensemble(networks: Sequence[keras.Model]) -> Method:
    """Mean and spread of networks that differ in their first weights and in the order of their tracks.

    With few members the spread is uncertain itself: pulls of four follow Student's distribution at best (B.
    Lakshminarayanan, A. Pritzel, C. Blundell, arXiv:1612.01474).
    """

    def answer(tracks: NDArray[np.float32]) -> Told:
        every = np.stack([answers(network, tracks)[:, :4].astype(np.float64) for network in networks])
        return Told(every.mean(axis=0), every.std(axis=0, ddof=1))

    return answer


def dropout(network: keras.Model, passes: int, seed: int) -> Method:
    """Mean and spread with other neurons left out each time (Y. Gal, Z. Ghahramani, arXiv:1506.02142)."""

    def answer(tracks: NDArray[np.float32]) -> Told:
        for i, layer in enumerate(one for one in network.layers if isinstance(one, keras.layers.Dropout)):
            layer.seed_generator.state.assign([seed + i, 0])  # the same neurons whenever it is asked
        every = np.stack([_once(network, tracks) for _ in range(passes)])
        return Told(every.mean(axis=0), every.std(axis=0, ddof=1))

    return answer


def _once(network: keras.Model, tracks: NDArray[np.float32]) -> Array:
    blocks = (tracks[first : first + BLOCK] for first in range(0, len(tracks), BLOCK))
    told = [np.asarray(network(tf.constant(block), training=True), np.float64)[:, :4] for block in blocks]
    return np.concatenate(told)


def heteroscedastic(network: keras.Model, unit: Array) -> Method:
    """What a network answers, and the error that it answers with (D. Nix, A. Weigend, ICNN 1994).

    Parameters
    ----------
    network : keras.Model
        From tracks, shape (n, 7), to deviations and logarithms of errors, shape (n, 8).
    unit : ndarray, shape (4,)
        What an error of one means.
    """

    def answer(tracks: NDArray[np.float32]) -> Told:
        told = answers(network, tracks).astype(np.float64)
        return Told(told[:, :4], np.exp(np.minimum(told[:, 4:], _LARGEST)) * unit)

    return answer


def conclusion(rows: Sequence[Row]) -> str:
    """Whose errors are true, in x, on tracks as in training and outside."""
    told = []
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = {row["sample"]: row for row in rows if (row["method"], row["output"]) == (method, "x")}
        test = mine["test"]
        words = (
            f"{method}: pulls in x have width {test['pull_width']:.2f} and {test['coverage_68']:.0%} of the tracks lie"
            f" within one stated error (68 % if it were true; {test['calibrated_68']:.0%} after one factor from other"
            " tracks)"
        )
        if "outside" in mine:
            out = mine["outside"]
            words += (
                f"; outside the training range errors are {_ratio(out, test, 'error_68')} times as large, stated ones"
                f" {_ratio(out, test, 'sigma_median')} times, and {out['calibrated_68']:.0%} lie within"
            )
        told.append(words + ".")
    return " ".join(told) or "No network of this experiment has been trained."


def _ratio(a: Row, b: Row, key: str) -> str:
    return f"{a[key] / b[key]:.3g}" if b[key] else "infinitely many"

"""Experiment 6: how networks learn: gradients, parts and surface of the loss, what counts (protocol section 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from pydantic import Field

from lamarrpy.nn.extrapolators.tracks import OUTPUTS
from lamarrpy.strict import Strict
from lamarrpy.study.experiments import architecture
from lamarrpy.study.gradients import COMPETITION, GRADIENT, Watched
from lamarrpy.study.importance import FEATURES, by_output, derivatives, permuted, true_derivatives
from lamarrpy.study.jobs import Job
from lamarrpy.study.study import Study
from lamarrpy.study.surfaces import along, curvature, filter_normalised, minima
from lamarrpy.tracks import TrackSample
from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe
from lamarrpy.train.extrapolation.running import answers, deviations, rows_of
from lamarrpy.train.loop import Batch, History, fit
from lamarrpy.train.rows import Rows

NAME = "dynamics"
QUESTION = "How do the families learn: do gradients vanish, do the parts of the loss compete, what do networks look at?"
ALONE = False

_NOTED = ("loss", "data", "pde", "ic", "score")
_DERIVED = 500
"""Tracks at which derivatives are taken."""

SADDLE = -0.01
"""Lowest over highest curvature below which the place where a training stops is called a saddle."""

Row = dict[str, Any]


class Options(Strict):
    """How long is trained, and how finely is looked."""

    families: tuple[Literal["mlp", "pinn", "rk_pinn"], ...] = ("mlp", "pinn", "rk_pinn")
    size: str = Field("small", description="of the networks")
    steps: int = Field(400, ge=1, description="of each training")
    evaluations: int = Field(20, ge=2, description="points of the learning curves")
    tracks: int = Field(20_000, ge=2, description="to learn from, at most")
    points: int = Field(11, ge=3, description="of the loss surface along each direction; odd, to have its middle")
    reach: float = Field(1.0, gt=0, description="how far along each direction; 1 is as long as the weights")
    seen: int = Field(1000, ge=10, description="tracks that the surface and the importance are made from")
    turns: int = Field(40, ge=2, description="products with the Hessian, for its lowest and highest eigenvalue")


def jobs(study: Study) -> list[Job]:
    """None: trainings that are watched are its own."""
    return []


def run(study: Study) -> dict[str, Any]:
    """Train one network of each family under watch, and look at what has come out.

    Returns
    -------
    dict
        ``rows``: one a family. ``curves``: by family, one entry an evaluation: step, losses, ``gradients`` by layer and
        ``competition``, the cosine of the gradients of data and equation of motion. ``surfaces``: by family, ``line``
        and ``plane``, each ``at`` (1 is as long as the weights) and ``loss``. ``importance``: one row a family and
        feature.
    """
    options = study.options(NAME, Options)
    sample = study.sample("main.train")
    validation = study.sample("main.validation").at(slice(options.seen))
    test = study.sample("main.test").at(slice(options.seen))
    found: dict[str, Any] = {"rows": [], "curves": {}, "surfaces": {}, "importance": []}
    truth = true_derivatives(rows_of(test).conditions[:_DERIVED], study.track_recipe().field.make())
    for family in options.families:
        study.tell(f"dynamics: {family}")
        recipe = _recipe(study, family, options)
        # curves are noted after whole passes: no more tracks than are learned from between two points of them
        most = min(options.tracks, recipe.plan().every * recipe.training.batch)
        learner, history = watched(recipe, sample.at(slice(most)), validation)
        curve = [_entry(entry) for entry in history.entries]
        surface, shape = _surface(learner, rows_of(test), options, study.config.seed)
        found["curves"][family], found["surfaces"][family] = curve, surface
        found["rows"].append(_row(family, learner, curve) | shape)
        found["importance"] += _importance(family, learner, test, truth, study.config.seed)
    return {**found, "conclusion": conclusion(found["rows"], found["importance"])}


def _recipe(study: Study, family: str, options: Options) -> ExtrapolatorRecipe:
    training = {"steps": options.steps, "evaluations": options.evaluations}
    return study.recipe(
        family, options.size, name=f"{NAME}_{family}", loss=architecture.PHYSICS[family], training=training
    )


def watched(recipe: ExtrapolatorRecipe, sample: TrackSample, validation: TrackSample) -> tuple[Watched, History]:
    """Train with gradients noted; the learner holds the best weights by the score, as after any training.

    Parameters
    ----------
    recipe : ExtrapolatorRecipe
        What, and how.
    sample, validation : TrackSample
        To learn from, and for the score: the mean squared deviation in units of the sample's spread.
    """
    rows, held_out = rows_of(sample), rows_of(validation)
    unit = np.maximum(rows.targets.std(axis=0), 1e-9)
    learner = Watched(recipe.shape(sample), recipe.weights, unit.tolist(), recipe.descent, recipe.training.points)

    def score(network: Any) -> float:
        return float(np.mean(((answers(network, held_out.conditions)[:, :OUTPUTS] - held_out.targets) / unit) ** 2))

    return learner, fit(learner, rows, recipe.plan(), score)


def _entry(entry: dict[str, float]) -> Row:
    gradients = {key.removeprefix(GRADIENT): value for key, value in entry.items() if key.startswith(GRADIENT)}
    noted = {key: entry[key] for key in _NOTED if key in entry}
    return {"step": int(entry["step"]), **noted, "gradients": gradients, COMPETITION: entry.get(COMPETITION)}


def _row(family: str, learner: Watched, curve: Sequence[Row]) -> Row:
    last = curve[-1]
    layers = [name for name in last["gradients"] if name != "all"]
    whole = np.array([entry["gradients"]["all"] for entry in curve])
    first, final = (last["gradients"][name] for name in (layers[0], layers[-1]))
    competing = [entry[COMPETITION] for entry in curve if entry[COMPETITION] is not None]
    return {
        "family": family,
        "parameters": int(learner.network().count_params()),
        "steps": last["step"],
        "last": {key: last[key] for key in _NOTED if key in last},
        "gradient_first_layer": first,
        "gradient_last_layer": final,
        "ratio": first / final if final else None,
        "largest_over_median": float(whole.max() / np.median(whole)) if np.median(whole) else None,
        COMPETITION: float(np.mean(competing)) if competing else None,
    }


# ---- surface of the loss


def _surface(learner: Watched, rows: Rows, options: Options, seed: int) -> tuple[Row, Row]:
    """A line and a plane through the trained weights, and what they and the Hessian say of the place."""
    loss = loss_on(learner, rows)
    random = np.random.default_rng(seed)
    weights = [np.array(variable) for variable in learner.network().trainable_variables]
    directions = [filter_normalised(weights, random) for _ in range(2)]
    at = np.linspace(-options.reach, options.reach, options.points)
    graph = tf.function(loss)

    def told() -> float:
        try:
            return float(graph())
        except tf.errors.InvalidArgumentError:  # beyond all numbers
            return float("inf")

    fine = np.linspace(-options.reach, options.reach, 4 * options.points + 1)
    line = along(learner.network(), told, directions[:1], fine)
    plane = along(learner.network(), told, directions, at)
    lowest, highest = curvature(learner.network(), loss, options.turns, seed)
    surface = {
        "line": {"at": fine.tolist(), "loss": line.tolist()},
        "plane": {"at": at.tolist(), "loss": plane.tolist()},
    }
    return surface, {"lowest_curvature": lowest, "highest_curvature": highest, "minima": minima(plane)}


def loss_on(learner: Watched, rows: Rows) -> Callable[[], tf.Tensor]:
    """The learner's loss on tracks and points that stay the same.

    That of an RK-PINN's equation of motion holds the force that the guess is compared with still for derivatives, as
    in training; its Hessian is that of this loss.
    """
    batch = Batch(*(tf.constant(column) for column in (rows.conditions, rows.targets, rows.weights)))
    seed = tf.constant((0, 0), tf.int32)
    return lambda: learner.losses(batch, seed)["loss"]


# ---- what is looked at


def _importance(family: str, learner: Watched, test: TrackSample, truth: Any, seed: int) -> list[Row]:
    network, tracks = learner.network(), rows_of(test).conditions
    shuffled = permuted(lambda given: answers(network, given), tracks, deviations(test), seed)
    slopes = derivatives(network, tracks[:_DERIVED])
    return [
        {"family": family, "feature": name, **shuffled[name], "derivative": by_output(slopes[i]),
         "truth": by_output(truth[i])}
        for i, name in enumerate(FEATURES)
    ]  # fmt: skip


def conclusion(rows: Sequence[Row], importance: Sequence[Row]) -> str:
    """What was seen, family by family."""
    return " ".join(_sentence(row, [one for one in importance if one["family"] == row["family"]]) for row in rows)


def _sentence(row: Row, importance: Sequence[Row]) -> str:
    told = [f"{row['family']}: the gradient of the first layer ends as {row['ratio']:.2g} of the last layer's"
            if row["ratio"] is not None else f"{row['family']}: the gradient of the last layer vanishes"]  # fmt: skip
    told.append(f"the largest gradient was {row['largest_over_median']:.2g} times the median"
                if row["largest_over_median"] is not None else "gradients vanish")  # fmt: skip
    if row[COMPETITION] is not None:
        how = "pull apart" if row[COMPETITION] < -0.1 else "agree" if row[COMPETITION] > 0.1 else "ignore each other"
        told.append(f"data and equation of motion {how} (cosine {row[COMPETITION]:.2f})")
    low, high = row["lowest_curvature"], row["highest_curvature"]
    place = "a saddle" if low < SADDLE * abs(high) else "nearly a minimum"
    told.append(f"it stops at {place} (curvature {low:.2g} to {high:.2g})")
    most = sorted(importance, key=lambda one: -(one["permuted_um"] or 0.0))[:2]
    told.append(f"it looks most at {' and '.join(one['feature'] for one in most)}")
    return "; ".join(told) + "."

"""From the recipe of a whole extrapolator to its folder: legs trained, exported, tested and described."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lamarrpy.nn.extrapolators.families import build
from lamarrpy.parameterization.folder import CARD, LEGS, check_replaceable, write_folder
from lamarrpy.parameterization.manifest import Condition, Manifest, Target
from lamarrpy.propagation.neural import Leg, Legs, NeuralExtrapolator
from lamarrpy.propagation.state import State
from lamarrpy.tracks import TrackRecipe, TrackSample, concatenate, load_track_recipe, make_sample
from lamarrpy.tracks.accuracy import Accuracy, accuracy
from lamarrpy.train.export import to_keras, to_onnx
from lamarrpy.train.extrapolation.card import card
from lamarrpy.train.extrapolation.plan import ExtrapolatorPlan, LegRecipe, SampleRecipe
from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe
from lamarrpy.train.extrapolation.running import Trained, train_extrapolator
from lamarrpy.train.saving import as_csv, package_versions

_UNITS = {"x": "mm", "y": "mm", "z": "mm", "tx": "", "ty": "", "qop": "1/MeV", "dz": "mm"}

AGREE = (10.0, 10.0, 1e-3, 1e-3)
"""Units of x, y [mm], tx, ty in which ONNX and Keras agree to 1e-5: 0.1 um and 10 nrad, or 1e-5 of a deviation."""

Tell = Callable[[str, int, int, dict[str, float]], None]


def ship(plan: ExtrapolatorPlan, output: Path, tell: Tell | None = None) -> dict[str, Any]:
    """Train the legs of an extrapolator, write it, and test what was written against true tracks.

    Parameters
    ----------
    plan : ExtrapolatorPlan
        What to make.
    output : Path
        Its folder.
    tell : callable, optional
        Told the leg, the steps done, the steps in all, and the last figures.

    Returns
    -------
    dict
        The metrics that stand in the manifest.

    Raises
    ------
    OutputError
        If the folder holds something else.
    """
    check_replaceable(output)
    files: dict[str, bytes] = {}
    networks: dict[str, keras.Model] = {}
    cpu, samples = 0.0, []
    for leg in sorted(plan.legs, key=lambda leg: leg.same_as is not None):
        if leg.samples:
            sample = _sample(plan, leg)
            trained = _trained(plan, leg, sample, tell)
            files[f"curves/{leg.name}.csv"] = as_csv(trained.history)
            networks[leg.name], cpu = trained.network, cpu + trained.cpu
            samples.append(sample)
        else:
            networks[leg.name] = _untrained(plan, leg, networks)
        files |= _files(leg, networks[leg.name])
    legs = plan.as_legs()
    files[LEGS] = (legs.model_dump_json(indent=1) + "\n").encode()
    tests = {
        name: make_sample(in_field(load_track_recipe(name), plan.field), count, plan.seed + 1000)
        for name, count in plan.tests.items()
    }
    metrics: dict[str, Any] = {"training_cpu_s": round(cpu, 1)}
    manifest = _manifest(plan, concatenate(samples or list(tests.values())), sum(map(len, tests.values())), metrics)
    write_folder(output, manifest, files)
    metrics |= measured(output, legs, tests)
    manifest = manifest.model_copy(update={"metrics": metrics})
    write_folder(output, manifest, files | {CARD: card(plan, manifest).encode()})
    return metrics


def _recipe(plan: ExtrapolatorPlan, leg: LegRecipe) -> ExtrapolatorRecipe:
    return ExtrapolatorRecipe(
        name=leg.name,
        field=plan.field,
        architecture=leg.architecture,
        loss=plan.loss,
        training=plan.training,
        seed=plan.seed,
    )


def _trained(plan: ExtrapolatorPlan, leg: LegRecipe, sample: TrackSample, tell: Tell | None) -> Trained:
    """A leg's training; one track in twenty is kept for the learning curves, and to choose the weights by."""
    kept = len(sample) // 20
    return train_extrapolator(
        _recipe(plan, leg),
        sample.at(slice(kept, None)),
        sample.at(slice(kept)),
        progress=None if tell is None else lambda step, figures: tell(leg.name, step, plan.training.steps, figures),
    )


def _untrained(plan: ExtrapolatorPlan, leg: LegRecipe, networks: Mapping[str, keras.Model]) -> keras.Model:
    """The network of a leg that learns nothing: it has no weights, or those of another leg."""
    network = build(_recipe(plan, leg).shape())
    if leg.same_as is not None:
        network.set_weights(networks[leg.same_as].get_weights())
    return network


def _sample(plan: ExtrapolatorPlan, leg: LegRecipe) -> TrackSample:
    """Tracks that a leg learns from, in an order that mixes them: those that it takes, and no others."""
    parts = []
    for i, part in enumerate(leg.samples):
        made = make_sample(_tracks(plan, part), part.tracks, plan.seed + i)
        parts.append(made.at(leg.limits.model_copy(update={"p": 0.0}).contain(made.start)))
    whole = concatenate(parts)
    return whole.at(np.random.default_rng(plan.seed).permutation(len(whole)))


def _tracks(plan: ExtrapolatorPlan, part: SampleRecipe) -> TrackRecipe:
    """What a sample is made by: its recipe, in the field of the plan."""
    recipe = in_field(load_track_recipe(part.recipe), plan.field)
    if part.p is None:
        return recipe
    return recipe.model_copy(update={"momentum": type(recipe.momentum)(p=part.p, law=recipe.momentum.law)})


def in_field(recipe: TrackRecipe, field: Mapping[str, Any]) -> TrackRecipe:
    """A recipe of tracks in another magnetic field, as `lamarrpy.field.magnetic_field` takes it."""
    settings = {key: value for key, value in field.items() if key not in ("kind", "polarity")}
    polarity = field.get("polarity", "MagUp")
    made = type(recipe.field)(kind=field["kind"], polarity=polarity, settings=settings)
    return recipe.model_copy(update={"field": made})


def _files(leg: Leg, network: keras.Model) -> dict[str, bytes]:
    return {
        leg.onnx: to_onnx(network, _likely(leg), AGREE),
        leg.keras: to_keras(network),
    }


def _likely(leg: Leg) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Tracks that a leg takes, on which the exported network is compared with the one that learned, shape (n, 7)."""
    random, n = np.random.default_rng(0), 4096
    z = np.full(n, leg.low) if leg.whole else random.uniform(leg.low, leg.high, n)
    dz = (leg.high - z) * (1.0 if leg.whole else random.uniform(0.0, 1.0, n))
    tx, ty = (random.uniform(-0.25, 0.25, n) for _ in range(2))
    qop = random.choice((-1.0, 1.0), n) / random.uniform(5000.0, 100_000.0, n)
    height = random.uniform(-0.5, 0.5, n) * (leg.limits.opening * np.abs(z) + leg.limits.margin)
    return np.stack([random.uniform(-1000.0, 1000.0, n), height, z, tx, ty, qop, dz], axis=1).astype(np.float32)


def measured(folder: Path, legs: Legs, tests: Mapping[str, TrackSample]) -> dict[str, Any]:
    """How far the extrapolator of a folder is from the truth, for each sample of tests, from 2 and from 5 GeV."""
    neural = NeuralExtrapolator(folder, legs.magnet("MagUp"))
    figures: dict[str, Any] = {"rows": sum(map(len, tests.values()))}
    for name, sample in tests.items():
        got, inside = neural.extrapolate(sample.start, sample.start.z + sample.dz)
        figures[f"{name}.left_to_runge_kutta"] = float(np.mean(~inside))
        for momentum in (2000.0, 5000.0):
            rows = inside & (sample.p >= momentum)
            figures[f"{name}.from_{momentum / 1000:g}_gev"] = _told(accuracy(_ends(got, rows), _ends(sample.end, rows)))
    return figures


def _ends(state: State, rows: np.ndarray[Any, np.dtype[np.bool_]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    ends: np.ndarray[Any, np.dtype[np.float64]] = np.stack([state.x, state.y, state.tx, state.ty], axis=1)[rows]
    return ends


def _told(found: Accuracy) -> dict[str, float]:
    """The figures that stand in a manifest."""
    return {
        "distance_68_um": found["distance_68"], "distance_95_um": found["distance_95"],
        "rms_x_um": found["rmse"]["x"], "rms_y_um": found["rmse"]["y"], "rms_tx_urad": found["rmse"]["tx"],
        "rms_ty_urad": found["rmse"]["ty"], "mean_x_um": found["mean"]["x"], "mean_tx_urad": found["mean"]["tx"],
    }  # fmt: skip


def _manifest(plan: ExtrapolatorPlan, seen: TrackSample, tested: int, metrics: dict[str, Any]) -> Manifest:
    given = dict(zip(_UNITS, (*seen.start, seen.dz), strict=True))
    ends = {name: getattr(seen.end, name) for name in ("x", "y", "tx", "ty")}
    return Manifest(
        name=plan.name,
        kind="extrapolator",
        algorithm="rk_pinn",
        conditions=tuple(Condition(name=n, unit=_UNITS[n], **_range(values)) for n, values in given.items()),
        targets=tuple(Target(name=n, unit=_UNITS[n], **_range(values)) for n, values in ends.items()),
        latents=0,
        recipe=plan.model_dump(mode="json", exclude_defaults=True),
        sample={"files": [], "split": {"training": len(seen), "test": tested}},
        seed=plan.seed,
        versions=package_versions(),
        metrics=metrics,
    )


def _range(values: np.ndarray[Any, Any]) -> dict[str, float]:
    return {"low": float(values.min()), "high": float(values.max())}

"""A folder as a study leaves it, made up: small networks that never were, with errors as such networks have."""

from __future__ import annotations

import itertools

import numpy as np

from lamarrpy.study.experiments.timing import speedups
from lamarrpy.study.jobs import Outcome, write_json
from lamarrpy.study.registry import write_registry
from lamarrpy.study.table import summary, write_table
from lamarrpy.tracks.accuracy import OUTPUTS, accuracy, accuracy_in_bins, momentum_edges
from lamarrpy.train.extrapolation.recipe import ExtrapolatorRecipe

SHORT = {"mlp": "mlp", "pinn": "pinn", "rk_pinn": "rkpinn"}
SIZES = {
    "tiny": (5000, 0.2, 2.0),
    "small": (20_000, 0.5, 1.0),
    "medium": (100_000, 2.0, 0.7),
    "wide": (400_000, 7.0, 0.6),
}
"""Parameters, microseconds a track, and error, by size."""
ERRORS = {"mlp": 1500.0, "pinn": 1200.0, "rk_pinn": 0.4}
"""Errors [um] at 10 GeV."""
MILLI = np.array([1e-3, 1e-3, 1e-6, 1e-6])
FEATURES = ("x", "y", "z", "tx", "ty", "qop", "dz")


def write_job(
    out,
    name,
    family,
    size="medium",
    *,
    experiment="architecture",
    data="main",
    p=(2.0, 100.0),
    scale=1.0,
    tracks=600,
    broken=0,
    spread=False,
    loss=None,
):
    """The files of one job; ``broken`` answers are not finite."""
    random = np.random.default_rng(sum(map(ord, name)))
    folder = out / "jobs" / name
    parameters, microseconds, factor = SIZES[size]
    recipe = ExtrapolatorRecipe(
        name=name, architecture={"family": family, "size": size, "spread": spread}, loss=loss or {}
    )
    write_json(
        folder / "config.json",
        {
            "name": name,
            "experiment": experiment,
            "recipe": recipe.model_dump(mode="json"),
            "sample": f"{data}.train",
            "validation": f"{data}.validation",
            "test": f"{data}.test",
            "tracks": None,
            "begin_with": None,
            "notes": "",
        },
    )
    entries = [
        {
            "step": step,
            "loss": 3.0 * 0.7**i,
            "data": 2.0 * 0.7**i,
            "pde": 0.7**i if family != "mlp" else 0.0,
            "ic": 0.0,
            "score": 1e-3 * 0.6**i if i else None,
        }
        for i, step in enumerate(range(100, 1100, 100))
    ]
    write_json(
        folder / "history.json",
        {
            "entries": entries,
            "wall_s": 12.5,
            "cpu_s": 12.0,
            "device": "CPU",
            "parameters": parameters,
            "steps": 1000,
            "loss_weights": {"data": 1.0, "pde": 0.0, "ic": 0.0},
            "finished": "2026-02-01T12:00:00Z",
        },
    )
    momentum = np.exp(random.uniform(*np.log(p), tracks)) * 1e3
    qop = random.choice([-1.0, 1.0], tracks) / momentum
    where = random.uniform(-1.0, 1.0, (tracks, 4)) * [1200.0, 1000.0, 0.3, 0.25]
    given = np.column_stack([where[:, :2], np.full(tracks, 4000.0), where[:, 2:], qop, np.full(tracks, 8000.0)])
    true = np.column_stack([qop * 5e6, qop * where[:, 1] * 10.0, qop * 1e3, qop * where[:, 1] * 1e-3])
    error = ERRORS[family] * factor * scale * (1e4 / momentum)[:, None] * MILLI * np.ones(4)
    predicted = true + random.normal(0.02, 1.0, (tracks, 4)) * error + 0.2 * error * where[:, :1] / 1200.0
    predicted[:broken] = np.nan
    arrays = {"tracks": given, "true": true, "predicted": predicted} | ({"error": error} if spread else {})
    np.savez(folder / "residuals.npz", **arrays)
    test, train = accuracy(predicted, true), accuracy(predicted[broken:], true[broken:])
    write_json(
        folder / "metrics.json",
        {
            "test": test,
            "train": train,
            "bins": accuracy_in_bins(predicted, true, momentum, momentum_edges(momentum)),
            "loss": {"train": 1e-4, "test": 1.1e-4, "validation": 1.05e-4},
            "generalization_gap": 0.02,
            "physics": {} if family == "mlp" else {"pde": 1e-3 * scale, "ic": 0.0},
            "inference_us": {"1": 50.0 * microseconds, "100": 2.0 * microseconds, "10000": microseconds},
        },
    )
    return Outcome(folder)


def write_study(out, tracks=600):
    """A whole one: all experiments."""
    write_json(
        out / "study.json",
        {
            "preset": "quick",
            "config": {},
            "field": {"kind": "lhcb", "polarity": "MagUp", "settings": {}},
            "tracks": "box",
            "workers": 2,
            "versions": {"lamarrpy": "0.1", "numpy": "2.0", "onnx": None},
            "git_commit": "0123456789abcdef",
            "git_changed": True,
            "machine": {"system": "Linux", "processors": 2},
            "date": "2026-02-01T12:00:00Z",
        },
    )
    for part, size in (("train", 100_000), ("validation", 4000), ("test", 20_000)):
        write_json(
            out / "samples" / f"main.{part}.json",
            {
                "sample": {"name": f"main.{part}", "recipe": {}, "tracks": size, "seed": 1},
                "drawn": 2 * size,
                "fractions": {"kept": 0.612, "curls": 0.388},
            },
        )
    jobs = {f"{SHORT[f]}_{s}": write_job(out, f"{SHORT[f]}_{s}", f, s, tracks=tracks) for f in ERRORS for s in SIZES}
    results = {
        "architecture": architecture([summary(one) for one in jobs.values()]),
        "physics_loss": physics_loss(out, jobs, tracks),
        "momentum": momentum(out, jobs, tracks),
        "timing": timing(jobs),
        "robustness": robustness(),
        "dynamics": dynamics(),
        "activations": {
            "rows": [{**summary(jobs[f"{SHORT[f]}_medium"]), "activation": a} for f in ERRORS for a in ("relu", "silu")]
        },
        "normalization": {
            "rows": [
                {**summary(jobs[f"{SHORT[f]}_medium"]), "what": "inputs", "setting": s, "usual": s == "physical"}
                for f in ("mlp", "pinn")
                for s in ("physical", "zscore")
            ]
        },
        "volume": {
            "rows": [
                {**summary(jobs[f"{SHORT[f]}_medium"]), "tracks": n, "train_distance_rms": 10.0}
                for f in ERRORS
                for n in (2000, 100_000)
            ]
        },
        "multi_step": multi_step(),
        "uncertainty": uncertainty(out, jobs, tracks),
        "transfer": transfer(),
    }
    write_json(
        out / "jobs" / "pinn_medium_relu" / "failure.json",
        {"reason": "the loss is not <finite>", "kind": "DivergenceError"},
    )
    for name, found in results.items():
        told = {
            "experiment": name,
            "question": f"What about {name}?",
            "conclusion": f"{name} gives 3 um and 2 urad.",
            **found,
        }
        write_json(out / "results" / f"{name}.json", told)
    failures = [{"model": "pinn_medium_relu", "experiment": "activations", "notes": "failed: the loss is not <finite>"}]
    write_registry(out, jobs, "0123456789abcdef")
    write_table(out, jobs, failures)
    return jobs


def architecture(rows):
    for row in rows:
        row.update(
            accurate_enough=row["distance_rms"] < 10.0,
            on_size_frontier=row["family"] == "rk_pinn",
            on_time_frontier=True,
        )
    return {"rows": rows, "smallest_accurate": "rkpinn_tiny"}


def physics_loss(out, jobs, tracks):
    rows, weights = [], {"data_only": 0.0, "default": 1.0, "pde_dominant": 100.0, "physics_only": None}
    for family, (setting, weight) in itertools.product(("pinn", "rk_pinn"), weights.items()):
        name = f"{SHORT[family]}_medium_{setting}".removesuffix("_default")
        if name not in jobs:
            jobs[name] = write_job(out, name, family, experiment="physics_loss", scale=1.5, tracks=tracks)
        rows.append(
            {
                **summary(jobs[name]),
                "setting": setting,
                "lambda": weight,
                "physics": {"pde": 0.1, "ic": 0.0},
                "train_distance_rms": 5.0,
                "steps_to_converge": 700.0,
            }
        )
    cross = [
        {
            "name": f"{family}_{weight}",
            "family": family,
            "lambda": weight,
            "trained_on": "mid",
            "tested_on": where,
            "distance_rms": 100.0 - 40.0 * weight,
            "distance_68": 50.0,
            "distance_95": 90.0,
        }
        for family in ("pinn", "rk_pinn")
        for weight in (0.0, 1.0)
        for where in ("low", "mid", "high")
    ]
    return {"rows": rows, "generalization": cross}


def momentum(out, jobs, tracks):
    ranges, rows, bins = {"low": (0.5, 5.0), "mid": (5.0, 20.0), "high": (20.0, 100.0)}, [], {}
    for family, trained in itertools.product(ERRORS, (*ranges, "main")):
        name = f"{SHORT[family]}_medium" + (f"_{trained}_p" if trained != "main" else "")
        if name not in jobs:
            jobs[name] = write_job(
                out, name, family, experiment="momentum", data=trained, p=ranges[trained], tracks=tracks
            )
        bins[name] = jobs[name].metrics["bins"]
        for tested in ranges:
            far = 1.0 if trained in ("main", tested) else 30.0
            distances = {
                f"distance_{kind}": far * ERRORS[family] * k for kind, k in (("rms", 1.5), ("68", 1.0), ("95", 3.0))
            }
            rows.append(
                {
                    "name": name,
                    "family": family,
                    "size": "medium",
                    "trained_on": trained,
                    "tested_on": tested,
                    "n": 600,
                    "share_finite": 1.0,
                    **distances,
                }
            )
    return {"rows": rows, "bins": bins}


def timing(jobs):
    rows, contenders, matched = [], {}, {"mlp_small": 1, "rkpinn_small": 16}
    for name, family, kind, microseconds in (
        ("mlp_small", "mlp", "network", 0.5),
        ("rkpinn_small", "rk_pinn", "network", 0.6),
        ("runge_kutta_40", None, "integrator", 9.0),
        ("runge_kutta_16", None, "integrator", 3.0),
    ):
        contenders[name] = {
            "kind": kind,
            "family": family,
            "distance_95": 0.05 if family is None else jobs[name].metrics["test"]["distance_95"],
        }
        for engine, batch in itertools.product(("onnx", "keras") if family else ("numpy",), (1, 100, 10_000)):
            each = microseconds * (1.0 + 100.0 / batch) * (2.0 if engine == "keras" else 1.0)
            rows.append(
                {
                    "contender": name,
                    "batch": batch,
                    "first_us": 500.0,
                    "warmup": 100,
                    "passes": 1000,
                    "mean_us": each * batch,
                    "std_us": 1.0,
                    "p50_us": each * batch,
                    "p95_us": 1.2 * each * batch,
                    "p99_us": 2.0 * each * batch,
                    "us_per_track": each,
                    "per_second": 1e6 / each,
                    "engine": engine,
                    "threads": 1,
                    "device": "cpu",
                    "kind": kind,
                    "family": family,
                }
            )
    latency = [
        {key: row[key] for key in ("contender", "engine", "threads", "device", "p50_us", "p95_us", "p99_us")}
        for row in rows
        if row["batch"] == 1
    ]
    return {
        "rows": rows,
        "contenders": contenders,
        "matched_steps": matched,
        "speedup": speedups(rows, matched),
        "latency": latency,
        "memory": [{"engine": "onnx", "threads": 1, "device": "cpu", "imported_mb": 90.0, "peak_mb": 140.0}],
        "agreement": {"mlp_small": {"onnx": 1500.0, "keras": 1500.0}},
        "failed": [{"engine": "xla", "threads": 1, "gpu": False, "reason": "no compiler"}],
    }


def robustness():
    rows = [
        {
            "case": case,
            "group": case,
            "description": "tracks",
            "contender": name,
            "family": family,
            "kept": 0.9,
            "n": 100,
            "share_finite": 1.0,
            "distance_68": value,
            "distance_95": None if case == "far" else 2.0 * value,
            "degradation": None if case == "far" else value,
        }
        for case, value in (("interpolation", 1.0), ("momentum_below", 40.0), ("far", 1.0))
        for name, family in (("mlp_small", "mlp"), ("runge_kutta_40", "integrator"))
    ]
    edges = [{"case": "neutral", "contender": "mlp_small", "family": "mlp", "n": 100, "finite": 1.0, "worst_um": 3.0}]
    return {"rows": rows, "edge_cases": edges}


def dynamics():
    at = np.linspace(-1.0, 1.0, 5)
    bowl = (at[:, None] ** 2 + at**2 + 0.1).tolist()
    bowl[0][0] = None  # beyond all numbers
    curve = [
        {
            "step": step,
            "loss": 1.0 / step,
            "data": 1.0 / step,
            "pde": 0.5 / step,
            "ic": 0.0,
            "score": 1.0 / step,
            "gradients": {"all": 2.0 / step, "dense": 1.0 / step, "out": 0.0},
            "competition": -0.2,
        }
        for step in (10, 20, 30)
    ]
    row = {
        "parameters": 5000,
        "steps": 30,
        "gradient_first_layer": 0.1,
        "gradient_last_layer": 0.0,
        "ratio": None,
        "largest_over_median": 3.0,
        "competition": -0.2,
        "lowest_curvature": -0.1,
        "highest_curvature": 5.0,
        "minima": 1,
    }
    by_output = dict.fromkeys(OUTPUTS, 3.0)
    return {
        "rows": [{"family": family, **row} for family in ERRORS],
        "curves": dict.fromkeys(ERRORS, curve),
        "surfaces": {
            f: {"line": {"at": at.tolist(), "loss": (at**2 + 0.1).tolist()}, "plane": {"at": at.tolist(), "loss": bowl}}
            for f in ERRORS
        },
        "importance": [
            {
                "family": family,
                "feature": feature,
                "plain_um": 1.0,
                "permuted_um": 50.0,
                "derivative": by_output,
                "truth": dict.fromkeys(OUTPUTS, 0.0 if feature in ("z", "dz") else 2.0),
            }
            for family in ERRORS
            for feature in FEATURES
        ],
    }


def multi_step():
    rows = [
        {
            "contender": f"multi_step_{f}",
            "family": f,
            "mode": "steps",
            "step": step,
            "z": 4000.0 + 1000.0 * step,
            "distance_rms": step,
            "distance_68": float(step),
            "distance_95": 3.0 * step,
            "share_finite": 1.0,
        }
        for f in ("mlp", "rk_pinn")
        for step in range(1, 9)
    ]
    single = [{**row, "contender": f"single_{row['family']}", "mode": "single"} for row in rows if row["step"] == 8]
    return {"rows": rows + single, "growth": {"multi_step_mlp": 1.0, "multi_step_rk_pinn": None}}


def uncertainty(out, jobs, tracks):
    jobs["heteroscedastic"] = write_job(
        out, "heteroscedastic", "mlp", "small", experiment="uncertainty", spread=True, tracks=tracks
    )
    edges = np.linspace(-5.0, 5.0, 51)
    counts = np.histogram(np.random.default_rng(1).normal(size=tracks), edges)[0]
    figures = dict.fromkeys(
        (
            "pull_mean",
            "pull_width",
            "pull_rms",
            "coverage_68",
            "coverage_95",
            "factor",
            "calibrated_68",
            "calibrated_95",
            "sigma_median",
            "error_68",
            "rank_correlation",
        ),
        0.7,
    )
    rows = [
        {"method": "ensemble", "sample": sample, "output": output, **figures}
        for sample in ("test", "outside")
        for output in OUTPUTS
    ]
    histograms = {"ensemble": {output: {"edges": edges.tolist(), "counts": counts.tolist()} for output in OUTPUTS}}
    return {
        "rows": rows,
        "pulls": histograms,
        "accuracy": {"ensemble": jobs["heteroscedastic"].metrics["test"]},
        "outside": "position",
    }


def transfer():
    rows = [
        {
            "transfer": transfer,
            "family": family,
            "start": start,
            "tracks": tracks,
            "steps": 300,
            "distance_rms": 9.0,
            "distance_68": 5.0 + tracks / 100.0,
            "distance_95": 20.0,
        }
        for transfer in ("field", "region")
        for family in ("mlp", "rk_pinn")
        for start, tracks in (("untuned", 0), ("scratch", 500), ("pretrained", 500))
    ]
    return {"rows": rows, "source": {}}

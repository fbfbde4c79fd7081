"""Model cards: what a model is, how well it does and where it fails, with plots."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lamarrpy.parameterization.manifest import Manifest, Target
from lamarrpy.train.loop import History
from lamarrpy.train.measuring import Measured

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_REFERENCE, _MODEL = "#222222", "#b3362b"
_BINS, _COLUMNS = 50, 3
_NOTABLE = {"ks": 0.015, "wasserstein_over_sigma": 0.03}
"""Distances beyond which a target is named as one of those where the model fails."""


def card(manifest: Manifest, description: str, files: Sequence[str]) -> str:
    """The card of a model as Markdown."""
    lines = [f"# {manifest.name}", ""]
    lines += [description, ""] if description else []
    rows = manifest.sample.get("split", {}).get("training", 0)
    lines += [f"A {manifest.kind}, learned as `{manifest.algorithm}` from {rows:,} rows of {_files_of(manifest)}.", ""]
    lines += ["| given | unit | trained from | to |", "| --- | --- | --- | --- |"]
    lines += [
        _row(column.name, column.unit, f"{column.low:.6g}", f"{column.high:.6g}") for column in manifest.conditions
    ]
    lines += ["", "Rows outside of these ranges are answered as if they were at their edge.", ""]
    lines += ["| answered | unit | from | to | exact values |", "| --- | --- | --- | --- | --- |"]
    lines += [
        _row(column.name, column.unit, f"{column.low:.6g}", f"{column.high:.6g}", _masses(column))
        for column in manifest.targets
    ]
    lines += ["", "## How well", "", *_figures(manifest)]
    lines += [line for name in files if name.endswith(".png") for line in ("", f"![{name}]({name})")]
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _files_of(manifest: Manifest) -> str:
    return ", ".join(f"`{name}`" for name in manifest.sample.get("files", ())) or "a table in memory"


def _masses(column: Target) -> str:
    if column.integer:
        return "whole numbers"
    return ", ".join(f"{mass:g}" for mass in column.masses) or "none"


def _figures(manifest: Manifest) -> list[str]:
    metrics = manifest.metrics
    if not metrics:
        return ["No rows were kept for a test."]
    lines = [f"On {metrics['rows']:,} rows that it has never seen:", ""]
    if "ks" in metrics:
        lines += [
            _told_apart(metrics),
            *_failures(metrics),
            "",
            "| target | largest difference of cumulative distributions | Wasserstein distance over sigma |",
            "| --- | --- | --- |",
        ]
        pairs = zip(metrics["ks"].items(), metrics["wasserstein_over_sigma"].values(), strict=True)
        return lines + [_row(name, f"{ks:.4f}", f"{distance:.4f}") for (name, ks), distance in pairs]
    lines += ["| class | share | as predicted | log loss | slope of calibration |", "| --- | --- | --- | --- | --- |"]
    return lines + [_class_row(name, figures) for name, figures in metrics["calibration"].items()]


def _told_apart(metrics: dict[str, Any]) -> str:
    if "two_sample_auc" not in metrics:
        return "- these are too few rows for a classifier that tells its rows from real ones;"
    return (
        f"- a boosted classifier tells its rows from real ones with an AUC of {metrics['two_sample_auc']:.4f}"
        f" +- {metrics['two_sample_auc_error']:.4f} (0.5: not at all), most by {', '.join(metrics['given_away_by'])};"
    )


def _class_row(name: str, figures: dict[str, Any]) -> str:
    shares = (f"{figures[key]:.5f}" for key in ("true_share", "predicted_share", "log_loss"))
    known = figures["slope"] is not None
    slope = f"{figures['slope']:.3f} +- {figures['slope_error']:.3f}" if known else "none: there is no doubt"
    return _row(name, *shares, slope)


def _failures(metrics: dict[str, Any]) -> list[str]:
    """The targets that are far from what they should be, by name."""
    bad = sorted({name for key, most in _NOTABLE.items() for name, value in metrics[key].items() if value > most})
    return [f"- where it fails: {', '.join(bad)}." if bad else "- no target is far from what it should be."]


def curves_figure(phase: str, history: History) -> bytes:
    """Learning curves as PNG: what the learner reports above, the static score below."""
    names = [name for name in history.entries[0] if name not in ("step", "score")]
    scored = "score" in history.entries[0]
    figure = _figure(7.0, 5.5 if scored else 4.0)
    axes = np.atleast_1d(figure.subplots(1 + scored, 1, sharex=True))
    steps = [entry["step"] for entry in history.entries]
    for name in names:
        axes[0].plot(steps, [entry[name] for entry in history.entries], label=name.replace("_", " "))
    axes[0].legend(fontsize=8)
    axes[0].set_title(phase.replace("_", " "))
    if scored:
        axes[1].plot(steps, [entry["score"] for entry in history.entries], color=_MODEL)
        axes[1].set_ylabel("score on validation rows")
    axes[-1].set_xlabel("steps")
    return _png(figure)


def distributions_figure(manifest: Manifest, measured: Measured) -> bytes:
    """Every target of the test rows and of the model as PNG; of a classifier, how often each class is met."""
    names = list(measured.wanted)
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = _figure(4.2 * columns, 3.1 * rows)
    axes = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for target, axis in zip(manifest.targets, axes, strict=False):
        _overlay(axis, target, measured)
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    return _png(figure)


def _overlay(axis: Any, target: Target, measured: Measured) -> None:
    wanted, made = (np.asarray(sample[target.name], np.float64) for sample in (measured.wanted, measured.made))
    if target.integer and target.high - target.low < 2 * _BINS:
        edges = np.arange(np.floor(target.low), np.ceil(target.high) + 2) - 0.5
    else:
        low, high = np.quantile(wanted, (0.002, 0.998)).tolist()
        edges = np.linspace(low, high, _BINS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    for values, label, color, filled in ((wanted, "test rows", _REFERENCE, True), (made, "model", _MODEL, False)):
        style = {"histtype": "stepfilled", "alpha": 0.3} if filled else {"histtype": "step", "linewidth": 1.4}
        axis.hist(
            np.clip(values, edges[0], edges[-1]), edges, weights=measured.weights, label=label, color=color, **style
        )
    axis.set_yscale("log")
    axis.set_xlabel(f"{target.name} [{target.unit}]" if target.unit else target.name)
    axis.legend(fontsize=7)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure((width, height), layout="constrained")


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=80)
    return stream.getvalue()

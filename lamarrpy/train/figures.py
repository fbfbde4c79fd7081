"""Plots of a model card: learning curves, distributions, calibration."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamarrpy.parameterization.manifest import Condition, Manifest, Target
from lamarrpy.train.loop import History
from lamarrpy.train.measuring import Measured
from lamarrpy.validate.calibration import reliability
from lamarrpy.validate.metrics import quantile_edges
from lamarrpy.validate.spectra import spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_REFERENCE, _MODEL = "#222222", "#b3362b"
_CLASSES = ("#1f4e8c", "#b3362b", "#2f7d4f", "#8a5a00")
_BINS, _COLUMNS = 50, 3
_FEW = 20
"""Bins of what is compared bin by bin."""


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
    """Every target of the test rows and of the model as PNG."""
    figure, axes = _panels(len(manifest.targets))
    for target, axis in zip(manifest.targets, axes, strict=True):
        _overlay(axis, target, measured)
    return _png(figure)


def calibration_figure(manifest: Manifest, measured: Measured) -> bytes:
    """What a classifier says against what happens, as PNG.

    First the share of rows that are of a class against the probability of it, then, for each condition, the spectrum
    of the rows of the most frequent classes beside that of all rows weighted by the probability of it.
    """
    assert measured.probabilities is not None
    (target,) = manifest.targets
    frequent = np.argsort(-measured.probabilities.sum(axis=0))[: len(_CLASSES)]
    of_class = [
        (measured.probabilities[:, number], measured.wanted[target.name] == manifest.classes[number])
        for number in sorted(frequent)
    ]
    names = [f"{target.name} = {manifest.class_names[number]}" for number in sorted(frequent)]
    figure, axes = _panels(1 + len(manifest.conditions))
    for (p, is_it), name, color in zip(of_class, names, _CLASSES, strict=False):
        _reliability(axes[0], p, is_it, measured.weights, name, color)
    axes[0].plot([0, 1], [0, 1], color=_REFERENCE, linewidth=0.8, linestyle=":")
    axes[0].set_xlabel("probability that the model says")
    axes[0].set_ylabel("share of the rows")
    axes[0].legend(fontsize=7)
    for condition, axis in zip(manifest.conditions, axes[1:], strict=True):
        for (p, is_it), color in zip(of_class, _CLASSES, strict=False):
            _spectra(axis, condition, measured, p, is_it, color)
    for style, label in (("o", "rows"), ("-", "as predicted")):
        axes[1].plot([], [], style, markersize=3, color=_REFERENCE, label=label)
    axes[1].legend(fontsize=7)
    return _png(figure)


def _reliability(axis: Any, p: Any, is_it: Any, weights: Any, name: str, color: str) -> None:
    curve = reliability(p, is_it, weights, _FEW, equal_population=True)
    some = curve.entries > 0
    below, above = curve.observed[some] - curve.low[some], curve.high[some] - curve.observed[some]
    errors = np.maximum([below, above], 0.0)
    axis.errorbar(curve.predicted[some], curve.observed[some], errors, fmt="o", markersize=3, label=name, color=color)


def _spectra(axis: Any, condition: Condition, measured: Measured, p: Any, is_it: Any, color: str) -> None:
    values = measured.given[condition.name]
    edges = quantile_edges(values, _FEW, measured.weights)
    found = spectrum(values, edges, p, is_it, measured.weights)
    middles: NDArray[np.float64] = 0.5 * (edges[1:] + edges[:-1])
    axis.errorbar(middles, found.true, found.error, fmt="o", markersize=3, color=color)
    axis.stairs(found.predicted, edges, color=color)
    if condition.low > 0.0 and condition.high > 20.0 * condition.low:
        axis.set_xscale("log")
    axis.set_xlabel(_labelled(condition))


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
    axis.set_xlabel(_labelled(target))
    axis.legend(fontsize=7)


def _labelled(column: Condition | Target) -> str:
    return f"{column.name} [{column.unit}]" if column.unit else column.name


def _panels(count: int) -> tuple[Figure, list[Any]]:
    """A figure with so many plots, in rows."""
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    figure = _figure(4.2 * columns, 3.1 * rows)
    axes = np.ravel(figure.subplots(rows, columns, squeeze=False)).tolist()
    for axis in axes[count:]:
        axis.set_axis_off()
    return figure, axes[:count]


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure((width, height), layout="constrained")


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=80)
    return stream.getvalue()

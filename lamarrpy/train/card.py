"""Model cards: what a model is, how well it does and where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamarrpy.parameterization.manifest import Manifest, Target

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

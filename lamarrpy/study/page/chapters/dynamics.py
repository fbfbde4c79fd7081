"""How networks learn: gradients, parts of the loss, the surface of the loss, what is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamarrpy.page.content import Table
from lamarrpy.study.page.drawn import COLORS, FAMILY_STYLES, GREY, INK, RED, Drawing, any_positive, drawn, numbers
from lamarrpy.study.page.outputs import Outputs
from lamarrpy.study.page.standard import learning_curves
from lamarrpy.study.page.words import table_of
from lamarrpy.study.wording import FAMILIES

TITLE = "6. Learning dynamics"
ABOUT = (
    "Protocol section 8. Surfaces of the loss lie along random directions in which every neuron moves by the length"
    " of its own weights (H. Li et al., arXiv:1712.09913)."
)

Row = Mapping[str, Any]
Rows = Sequence[Row]

COLUMNS = {
    "family": "family", "parameters": "parameters", "steps": "steps", "gradient_first_layer": "gradient, first layer",
    "gradient_last_layer": "last layer", "ratio": "ratio", "largest_over_median": "largest over median",
    "competition": "cosine of data and physics", "lowest_curvature": "lowest curvature",
    "highest_curvature": "highest", "minima": "minima in the plane",
}  # fmt: skip

_LINES = "Loss over that of the trained weights along a random line through them; 1 is as far as weights are long."
_SHUFFLED = "68 % of the distances to the true end if one feature is taken from other tracks; dashed: if none is."
_SLOPES = "How much x answers to each feature: mean derivative times the feature's spread; black the truth."
_FEATURES = (
    "What networks look at: 68 % of the distances with a feature as it is and taken from other tracks; mean"
    " derivative of x and tx times the feature's spread, beside the true one."
)


def drawings(outputs: Outputs, result: Mapping[str, Any]) -> list[Drawing]:
    """Gradients and losses along each training, lines and planes through its end, importance of the features."""
    found: list[Drawing] = []
    for family, entries in result["curves"].items():
        found += [_gradient_figure(family, entries), _loss_figure(family, entries)]
    surfaces = result["surfaces"]
    if any(any_positive(one["line"]["loss"]) for one in surfaces.values()):
        found.append(drawn("loss-lines", lambda _, axes: _lines(axes, surfaces), _LINES, "loss along a line"))
    for family, one in surfaces.items():
        if any(any_positive(row) for row in one["plane"]["loss"]):
            found.append(_plane_figure(family, one["plane"]))
    return found + (_importance_figures(result["importance"]) if result["importance"] else [])


def tables(outputs: Outputs, result: Mapping[str, Any]) -> list[Table]:
    """Figures of each family, and of each feature."""
    found = [table_of(result["rows"], "One network of each family, watched while it learned.", COLUMNS)]
    features = [_derived(row) for row in result["importance"]]
    return [*found, table_of(features, _FEATURES)] if features else found


def _derived(row: Row) -> dict[str, Any]:
    return {
        "family": row["family"], "feature": row["feature"], "as it is [µm]": row["plain_um"],
        "of others [µm]": row["permuted_um"], "x [µm]": row["derivative"]["x"], "x, true": row["truth"]["x"],
        "tx [µrad]": row["derivative"]["tx"], "tx, true": row["truth"]["tx"],
    }  # fmt: skip


def _gradient_figure(family: str, entries: Rows) -> Drawing:
    caption = f"{FAMILIES[family]}: norm of the loss's gradient in each layer along the training."
    return drawn(f"gradients-{family}", lambda _, axes: _gradients(axes, entries), caption,
                 f"gradient norms of {FAMILIES[family]}")  # fmt: skip


def _loss_figure(family: str, entries: Sequence[dict[str, Any]]) -> Drawing:
    caption = f"{FAMILIES[family]}: the parts of its loss, without their weights."
    return drawn(f"losses-{family}", lambda _, axes: learning_curves(axes, entries), caption,
                 f"parts of the loss of {FAMILIES[family]}")  # fmt: skip


def _gradients(axes: Any, entries: Rows) -> None:
    steps = [entry["step"] for entry in entries]
    for number, layer in enumerate(entries[0]["gradients"] if entries else ()):
        values = numbers([entry["gradients"].get(layer) for entry in entries])
        color, dashes = (GREY, "--") if layer == "all" else (COLORS[number % 6], "-")
        axes.plot(steps, np.where(values > 0.0, values, np.nan), dashes, color=color, label=layer.replace("_", " "))
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("norm of the gradient")
    axes.legend(fontsize=10)


def _lines(axes: Any, surfaces: Mapping[str, Any]) -> None:
    for family, one in surfaces.items():
        at, loss = numbers(one["line"]["at"]), numbers(one["line"]["loss"])
        middle = loss[int(np.argmin(np.abs(at)))]
        if middle > 0.0:
            axes.plot(at, loss / middle, color=FAMILY_STYLES[family][0], label=FAMILIES[family])
    axes.set_yscale("log")
    axes.set_xlabel("along the line")
    axes.set_ylabel("loss over that of the trained weights")
    axes.legend()


def _plane_figure(family: str, plane: Row) -> Drawing:
    caption = f"{FAMILIES[family]}: the loss in a random plane through the trained weights (cross)."
    return drawn(f"loss-plane-{family}", lambda figure, axes: _plane(figure, axes, plane), caption,
                 f"loss surface of {FAMILIES[family]}", right=0.96)  # fmt: skip


def _plane(figure: Any, axes: Any, plane: Row) -> None:
    at, loss = numbers(plane["at"]), np.array([numbers(row) for row in plane["loss"]])
    shown = np.ma.masked_invalid(np.log10(np.where(loss > 0.0, loss, np.nan))).T
    image = axes.pcolormesh(at, at, shown, cmap="Blues_r", shading="nearest", rasterized=True)
    if shown.count() == shown.size and np.ptp(shown) > 0.0:
        axes.contour(at, at, shown, levels=8, colors="white", linewidths=0.7)
    axes.plot([0.0], [0.0], "x", color=RED, markersize=9)
    figure.colorbar(image, ax=axes, pad=0.02).set_label(r"$\log_{10}$ loss", fontsize=12)
    axes.set_xlabel("first direction")
    axes.set_ylabel("second direction")


def _importance_figures(rows: Rows) -> list[Drawing]:
    def shuffled(_: Any, axes: Any) -> None:
        _grouped(axes, rows, lambda row: row["permuted_um"], "68% of distances [µm]")
        for row in {row["family"]: row for row in rows if row["plain_um"]}.values():
            axes.axhline(row["plain_um"], color=FAMILY_STYLES[row["family"]][0], linewidth=0.9, linestyle="--")
        _room(axes)

    def slopes(_: Any, axes: Any) -> None:
        _grouped(axes, rows, lambda row: row["derivative"]["x"], "answer of x [µm]")
        truth = numbers(list({row["feature"]: row["truth"]["x"] for row in rows}.values()))
        style = {"color": INK, "markersize": 28, "markeredgewidth": 1.6, "label": "truth"}
        axes.plot(np.arange(len(truth)), np.where(truth > 0.0, truth, np.nan), "_", **style)
        _room(axes)

    return [
        drawn("importance-shuffled", shuffled, _SHUFFLED, "importance by permutation"),
        drawn("importance-derivative", slopes, _SLOPES, "importance by derivative"),
    ]


def _room(axes: Any, depth: float = 1e-8) -> None:
    """Room for the legend above the bars, and none for what is zero but for rounding."""
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, depth * high), high * (high / max(low, depth * high)) ** 0.15)
    axes.legend(fontsize=10, ncols=4, loc="upper center")


def _grouped(axes: Any, rows: Rows, figure: Callable[[Row], Any], head: str) -> None:
    """Bars of each feature, one a family."""
    features = list(dict.fromkeys(row["feature"] for row in rows))
    families = list(dict.fromkeys(row["family"] for row in rows))
    width = 0.8 / len(families)
    for number, family in enumerate(families):
        mine = {row["feature"]: figure(row) for row in rows if row["family"] == family}
        values = numbers([mine.get(feature) for feature in features])
        places = np.arange(len(features)) + (number - 0.5 * (len(families) - 1)) * width
        style = {"color": FAMILY_STYLES[family][0], "label": FAMILIES[family]}
        axes.bar(places, np.where(values > 0.0, values, np.nan), width, **style)
    axes.set_yscale("log")
    axes.set_xlim(-0.6, len(features) - 0.4)
    axes.set_xticks(range(len(features)), ["q/p" if feature == "qop" else feature for feature in features])
    axes.tick_params(axis="x", which="both", length=0)
    axes.set_ylabel(head)

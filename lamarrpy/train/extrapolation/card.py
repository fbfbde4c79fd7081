"""The card of an extrapolator: what it is, how well it does, which tracks it does not take."""

from __future__ import annotations

from collections.abc import Iterator

from lamarrpy.parameterization.manifest import Manifest
from lamarrpy.train.extrapolation.plan import ExtrapolatorPlan, LegRecipe


def card(plan: ExtrapolatorPlan, manifest: Manifest) -> str:
    """The card as Markdown."""
    lines = [f"# {plan.name}", "", plan.description, ""]
    lines += ["| leg | z [mm] | network | takes |", "| --- | --- | --- | --- |", *map(_leg, plan.legs)]
    lines += ["", "Other tracks, and those that end steeper than |t| = 1.5, are left to Runge-Kutta."]
    return "\n".join([*lines, "", "## How well", "", *_figures(manifest)]) + "\n"


def _leg(leg: LegRecipe) -> str:
    made, limits = leg.architecture, leg.limits
    network = f"{made.family} {made.size}, " if leg.samples or leg.same_as else "none, "
    takes = (
        f"p >= {limits.p:g} MeV, abs(tx) <= {limits.tx:g}, abs(ty) <= {limits.ty:g},"
        f" abs(y) <= {limits.opening:g} abs(z) + {limits.margin:g} mm"
    )
    way = f"{leg.low:g} to {leg.high:g}" + (", all of it" if leg.whole else "")
    return f"| {leg.name} | {way} | {network}{made.nodes} nodes, {made.sweeps} sweeps | {takes} |"


def _figures(manifest: Manifest) -> Iterator[str]:
    metrics = manifest.metrics
    figures = {name: value for name, value in metrics.items() if isinstance(value, dict)}
    yield f"Trained in {metrics['training_cpu_s']:g} CPU seconds. " + (
        "On tracks that it has never seen:" if figures else "It was not tested."
    )
    if not figures:
        return
    yield ""
    columns = list(next(iter(figures.values())))
    yield f"| tracks | {' | '.join(column.replace('_', ' ') for column in columns)} |"
    yield f"| --- |{' --- |' * len(columns)}"
    for name, value in figures.items():
        numbers = " | ".join(f"{value[column]:.3g}" for column in columns)
        yield f"| {name.replace('_', ' ').replace('.', ', ')} | {numbers} |"
    yield ""
    for name, value in metrics.items():
        sample, _, what = name.partition(".")
        if what == "left_to_runge_kutta":
            yield f"- {sample}: {100 * value:.2g} % of the tracks are left to Runge-Kutta."

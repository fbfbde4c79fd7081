"""The stages of the shipped pipeline as they are by default, and in their adversarial version."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from lamarrpy.benchmark.chain.figures import FLASH, GAN
from lamarrpy.errors import ConfigError
from lamarrpy.pipeline import Pipeline, load_pipeline
from lamarrpy.stages.stage import Stage

PIPELINE = "lhcb2016"
ADVERSARIAL = "gan"
"""The version of the models that an adversarial game has trained."""

_GENERATED = ("occupancy", "resolution", "covariance", "rich", "muon", "global_pid", "photon_resolution")
"""Stages whose models generate."""


def stages() -> dict[str, Stage]:
    """The stages of the shipped pipeline by name."""
    return {stage.name: stage for stage in load_pipeline(PIPELINE).stages}


def versions(stage: Stage) -> tuple[dict[str, Stage], str]:
    """A stage as it is, and as `GAN` if there are such models; and in words if there are none."""
    found = {FLASH: stage}
    if stage.name not in _GENERATED:
        return found, ""
    if not _has_versions(stage):
        return found, f"{stage.name}: no trained models, by closed formula"
    try:
        found[GAN] = replace(stage, version=ADVERSARIAL)  # type: ignore[type-var]
    except ConfigError as error:
        return found, f"{stage.name}: no {GAN}: {error}"
    return found, ""


def chain(name: str) -> Pipeline | None:
    """The shipped pipeline as it is, or with the adversarial version of all generators; None if one is missing."""
    shipped = load_pipeline(PIPELINE)
    if name == FLASH:
        return Pipeline(shipped.name, shipped.stages)
    made = [versions(stage)[0].get(name, None if stage.name in _GENERATED else stage) for stage in shipped.stages]
    there = tuple(stage for stage in made if stage is not None)
    return Pipeline(shipped.name, there) if len(there) == len(made) else None


def _has_versions(stage: Any) -> bool:
    return is_dataclass(stage) and any(one.name == "version" for one in fields(stage))

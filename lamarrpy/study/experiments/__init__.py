"""Experiments of the protocol, one file each: which networks they train, and what they find out from them."""

from __future__ import annotations

from typing import Any, Protocol

from lamarrpy.strict import Strict
from lamarrpy.study.experiments import (
    activations,
    architecture,
    dynamics,
    momentum,
    multi_step,
    normalization,
    physics_loss,
    robustness,
    timing,
    transfer,
    uncertainty,
    volume,
)
from lamarrpy.study.jobs import Job
from lamarrpy.study.study import Study


class Experiment(Protocol):
    """What a module of this package has.

    Attributes
    ----------
    QUESTION : str
        What it asks, as a sentence.
    ALONE : bool
        Whether nothing else may run beside its analysis, as where time is measured.
    Options : subclass of Strict
        Keys that the configuration may set for it; all have defaults. ``study.options(NAME, Options)`` gives them.
    """

    @property
    def QUESTION(self) -> str:
        """What it asks."""
        ...

    @property
    def ALONE(self) -> bool:
        """Whether nothing may run beside it."""
        ...

    @property
    def Options(self) -> type[Strict]:
        """What can be set."""
        ...

    def jobs(self, study: Study) -> list[Job]:
        """Trainings that it looks at, those that it shares with others too (by the same name, made the same way).

        They run before any analysis, on as many processes as there may be.
        """
        ...

    def run(self, study: Study) -> dict[str, Any]:
        """Analyse, once the jobs are done.

        Parameters
        ----------
        study : Study
            ``study.outcomes(jobs(study))`` gives what those have brought that went well, by name.

        Returns
        -------
        dict
            ``rows`` (list of plain dicts), ``conclusion`` (sentences made from the numbers), and what else the page
            is to show; all of it JSON. ``experiment`` and ``question`` are added.
        """
        ...


EXPERIMENTS: dict[str, Experiment] = {
    "architecture": architecture,
    "physics_loss": physics_loss,
    "momentum": momentum,
    "timing": timing,
    "robustness": robustness,
    "dynamics": dynamics,
    "activations": activations,
    "normalization": normalization,
    "volume": volume,
    "multi_step": multi_step,
    "uncertainty": uncertainty,
    "transfer": transfer,
}
"""Every experiment, in the order of the protocol."""

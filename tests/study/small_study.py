"""A study whose networks have not learned: analyses have something to look at, and nothing to wait for."""

from __future__ import annotations

from types import SimpleNamespace

from lamarrpy.nn.extrapolators.families import build
from lamarrpy.study.study import Study
from lamarrpy.tracks.accuracy import accuracy
from lamarrpy.train.extrapolation.running import answers, deviations, rows_of

CONFIG = {
    "name": "small",
    "tracks": {"train": 200, "validation": 120, "test": 150},
    "sets": {"main": {"recipe": "box"}},
    "families": {
        family: {"training": {"steps": 4, "batch": 50, "evaluations": 2}, "architecture": {"nodes": 4, "sweeps": 1}}
        for family in ("mlp", "pinn", "rk_pinn")
    },
}


class Untrained(Study):
    """A study that takes each job's network as it is before its training."""

    def outcomes(self, jobs):
        """As those of trained networks, as far as analyses ask."""
        return {job.name: self._outcome(job) for job in self.wanted(jobs)}

    def _outcome(self, job):
        sample, test = self.sample(job.sample), self.sample(job.test)
        network = build(job.recipe.shape(sample))
        test_accuracy = accuracy(answers(network, rows_of(test).conditions), deviations(test))
        return SimpleNamespace(
            name=job.name, recipe=job.recipe, config=job.as_data(), network=lambda: network,
            metrics={"test": test_accuracy}, history={"parameters": int(network.count_params())},
        )  # fmt: skip

"""Networks of the architecture comparison, which other experiments look at again."""

from __future__ import annotations

from collections.abc import Sequence

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.study.experiments import architecture
from lamarrpy.study.jobs import Job
from lamarrpy.study.study import Study


def architectures(study: Study, names: Sequence[str], experiment: str) -> list[Job]:
    """Some jobs of the protocol's table 4, in the given order.

    Parameters
    ----------
    study : Study
        The study.
    names : sequence of str
        Such as ``rkpinn_small``.
    experiment : str
        Who asks, for the message.

    Raises
    ------
    ConfigError
        If there is no such job.
    """
    known = {job.name: job for job in architecture.jobs(study)}
    for name in names:
        if name not in known:
            raise ConfigError(
                f"experiments.{experiment}.networks: expected names out of {', '.join(known)}, got"
                f" {name!r}{did_you_mean(name, known)}"
            )
    return [known[name] for name in names]

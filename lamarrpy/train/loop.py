"""The training loop: every network of the project learns in this one, whatever it learns and by which loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from lamarrpy.errors import DomainError
from lamarrpy.train.checkpoint import read_checkpoint, write_checkpoint
from lamarrpy.train.rows import Rows, Source

if TYPE_CHECKING:
    import keras


class Batch(NamedTuple):
    """Some rows, as tensors of float32.

    Attributes
    ----------
    conditions : tf.Tensor, shape (b, c)
    targets : tf.Tensor, shape (b, t)
    weights : tf.Tensor, shape (b,)
    """

    conditions: tf.Tensor
    targets: tf.Tensor
    weights: tf.Tensor


class Learner(Protocol):
    """Networks, their optimizers, and one step of theirs."""

    def step(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Learn from a batch of any size, one row included; traced into a graph once for each size.

        Parameters
        ----------
        batch : Batch
            The rows.
        seed : tf.Tensor of int32, shape (2,)
            Of every random number of this step, to be used with ``tf.random.stateless_...``: another one each step.

        Returns
        -------
        dict of str to tf.Tensor
            Scalars for the learning curves, by name.
        """
        ...

    @property
    def variables(self) -> Sequence[Any]:
        """Everything that a stopped training needs to go on, optimizers included, always in the same order."""
        ...

    def network(self) -> keras.Model:
        """The network as it would be used now, with averaged weights if they are averaged."""
        ...


@dataclass(frozen=True)
class Plan:
    """How long and how a network learns.

    Attributes
    ----------
    steps : int
        Batches to learn from, at most.
    batch : int
        Rows of a batch; the last one of a pass may have fewer.
    seed : int
        Of the order of rows and of all random numbers of the training.
    patience : int or None
        Evaluations without a better score after which it ends; None for never.
    every : int
        Steps between evaluations, rounded up to whole passes.
    """

    steps: int
    batch: int
    seed: int = 0
    patience: int | None = None
    every: int = 1


@dataclass
class History:
    """Learning curves: one entry an evaluation.

    Attributes
    ----------
    entries : list of dict
        ``step``, the means of what the learner reports, ``score`` if there is one.
    """

    entries: list[dict[str, float]] = field(default_factory=list)

    @property
    def scores(self) -> list[float]:
        """The scores so far."""
        return [entry["score"] for entry in self.entries if "score" in entry]


class DivergenceError(DomainError):
    """A training went astray: its numbers are not finite any more."""


Score = Callable[["keras.Model"], float]
Progress = Callable[[int, dict[str, float]], None]


def fit(
    learner: Learner,
    source: Source,
    plan: Plan,
    score: Score | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> History:
    """Train, and leave the learner's network with the best weights found: by score, or the last ones without one.

    Rows come in an order that depends on the seed and the pass alone, random numbers on the seed and the step, so a
    training that was stopped and goes on from its checkpoint ends with the same weights, bit by bit, on one thread.

    Parameters
    ----------
    learner : Learner
        What learns.
    source : Source
        What from.
    plan : Plan
        How long.
    score : callable, optional
        Of a network: a number that never depends on what is trained beside it, the lower the better.
    folder : Path, optional
        For the checkpoint, written after each evaluation; a training whose checkpoint is there goes on from it.
    progress : callable, optional
        Told the steps done and the last figures, after each pass.

    Returns
    -------
    History
        The learning curves, those before a stop included.

    Raises
    ------
    DivergenceError
        If weights or losses are not finite any more, and no better weights were kept.
    ArtifactError
        If there is a checkpoint that is damaged, or of other networks, another batch or another seed.
    """
    training = _Training(learner, plan, score)
    if folder is not None:
        read_checkpoint(folder, training)
    while not training.finished:
        rows = source.epoch(training.epoch)
        figures = training.learn(rows)
        if training.due:
            training.evaluate()
            if folder is not None:
                write_checkpoint(folder, training)
        if progress is not None:
            progress(training.step, training.history.entries[-1] if training.history.entries else figures)
    network = learner.network()
    if training.best is not None:
        network.set_weights(training.best)
    if not all(np.isfinite(weights).all() for weights in network.get_weights()):
        raise _diverged(training.step)
    return training.history


def _diverged(step: int) -> DivergenceError:
    return DivergenceError(
        f"expected finite weights and losses, got others after {step} steps: learn at a lower rate, or clip gradients"
    )


class _Training:
    """A training under way: the learner, where it is, and its best weights."""

    def __init__(self, learner: Learner, plan: Plan, score: Score | None) -> None:
        self.learner, self.plan, self.score = learner, plan, score
        self.step = self.epoch = self.evaluated = 0
        self.history = History()
        self.best: list[np.ndarray[Any, Any]] | None = None
        self._one = tf.function(learner.step, reduce_retracing=False)
        self._since: list[dict[str, float]] = []

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or the score has not become better for too long."""
        return self.step >= self.plan.steps or self._stalled

    @property
    def _stalled(self) -> bool:
        scores = self.history.scores
        return (
            self.plan.patience is not None
            and len(scores) > self.plan.patience
            and int(np.argmin(scores)) < len(scores) - self.plan.patience
        )

    @property
    def due(self) -> bool:
        """Whether it is time for an evaluation."""
        return self.step - self.evaluated >= self.plan.every or self.step >= self.plan.steps

    def learn(self, rows: Rows) -> dict[str, float]:
        """One pass over the rows, or what is left of the steps."""
        order = np.random.default_rng((self.plan.seed, self.epoch)).permutation(len(rows)).astype(np.int32)
        columns = [tf.constant(column) for column in (rows.conditions, rows.targets, rows.weights)]
        reported = []
        for first in range(0, len(rows), self.plan.batch):
            if self.step >= self.plan.steps:
                break
            some = tf.constant(order[first : first + self.plan.batch])
            batch = Batch(*(tf.gather(column, some) for column in columns))
            reported.append(self._learn_from(batch, tf.constant((self.plan.seed & 0x7FFFFFFF, self.step), tf.int32)))
            self.step += 1
        self.epoch += 1
        figures = _means(reported)
        self._since.append(figures)
        return figures

    def _learn_from(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        try:
            figures: dict[str, tf.Tensor] = self._one(batch, seed)
        except tf.errors.InvalidArgumentError as error:
            if "CheckNumerics" not in error.message:
                raise
            raise _diverged(self.step) from None
        return figures

    def evaluate(self) -> None:
        """Note the learning curves, and keep the weights if they are the best so far."""
        entry = {"step": float(self.step), **_means(self._since)}
        self._since, self.evaluated = [], self.step
        if self.score is not None:
            network = self.learner.network()
            entry["score"] = float(self.score(network))
            if not math.isfinite(entry["score"]):
                entry["score"] = math.inf
            if entry["score"] < min(self.history.scores, default=math.inf):
                self.best = network.get_weights()
        self.history.entries.append(entry)

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """What a checkpoint holds: variables of the learner, then the best weights."""
        variables = {f"variable_{i:04}": np.asarray(v) for i, v in enumerate(self.learner.variables)}
        return variables | {f"best_{i:04}": weights for i, weights in enumerate(self.best or ())}

    def numbers(self) -> dict[str, Any]:
        """Where it is, as plain data."""
        plan = {"batch": self.plan.batch, "seed": self.plan.seed}
        return {"step": self.step, "epoch": self.epoch, "plan": plan, "history": self.history.entries}

    def restore(self, arrays: dict[str, np.ndarray[Any, Any]], numbers: dict[str, Any]) -> None:
        """Go on from a checkpoint whose arrays are known to fit."""
        variables = self.learner.variables
        for i, variable in enumerate(variables):
            variable.assign(arrays[f"variable_{i:04}"])
        best = [arrays[name] for name in sorted(arrays) if name.startswith("best_")]
        self.best = best or None
        self.step = self.evaluated = numbers["step"]
        self.epoch = numbers["epoch"]
        self.history = History(list(numbers["history"]))


def _means(figures: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The mean of each figure."""
    return {name: float(np.mean([float(entry[name]) for entry in figures])) for name in (figures[0] if figures else ())}

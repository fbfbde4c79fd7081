"""What a neural extrapolator is to be, and how it learns, as plain keys."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from lamarrpy.nn.extrapolators.families import SIZES, Shape
from lamarrpy.nn.extrapolators.tracks import INPUTS, SCALES
from lamarrpy.nn.players import Body
from lamarrpy.strict import Strict
from lamarrpy.tracks import TrackSample
from lamarrpy.train.extrapolation.learner import Weights
from lamarrpy.train.loop import Plan
from lamarrpy.train.schedules import Descent

Columns = tuple[int, ...]


class Architecture(Strict):
    """The network."""

    family: Literal["mlp", "pinn", "rk_pinn", "picard"] = Field(description="which family")
    size: Literal["tiny", "small", "medium", "wide"] | tuple[int, ...] = Field(
        "medium", description="hidden layers, by name or as numbers of neurons"
    )
    activation: str = Field("silu", description="of the hidden layers")
    dropout: float = Field(0.0, ge=0.0, lt=1.0, description="part of the neurons left out in training")
    columns: Columns | None = Field(
        None, description="which of x, y, z, tx, ty, q/p, dz the network sees, counted from 0; all if left out"
    )
    normalization: Literal["physical", "zscore", "minmax"] = Field(
        "physical", description="of the features: fixed scales, or mean and spread, or range of the sample"
    )
    batch_norm: bool = Field(False, description="normalize features batch by batch too (mlp)")
    ends: Literal["direct", "residual", "bend"] = Field(
        "residual",
        description="what comes out: the end itself, its deviation from the straight line, or that over q/p",
    )
    exact_start: bool = Field(True, description="a pinn begins at the given state by construction")
    spread: bool = Field(False, description="an mlp answers with its own error too")
    nodes: int = Field(10, ge=1, description="Gauss-Legendre nodes of an rk_pinn")
    sweeps: int = Field(2, ge=0, description="Picard sweeps of an rk_pinn")
    middle: float | None = Field(None, description="z [mm] about which its nodes crowd")
    width: float | None = Field(None, gt=0.0, description="how closely [mm]")
    start: float | None = Field(None, description="z [mm] where all tracks start, if an rk_pinn may take it as fixed")
    end: float | None = Field(None, description="z [mm] where all of them end")
    parts: bool = Field(False, description="they may start and end anywhere between the two, in a weak field")
    opening: float | None = Field(None, gt=0.0, description="largest |y| / |z| of theirs: a shorter field will do")


class Losses(Strict):
    """Weights of the parts of the loss."""

    data: float = Field(1.0, ge=0.0, description="true ends")
    pde: float = Field(0.0, ge=0.0, description="equation of motion")
    ic: float = Field(0.0, ge=0.0, description="initial condition")


class Training(Strict):
    """How long, and how fast."""

    steps: int = Field(20_000, ge=1, description="batches learned from")
    batch: int = Field(1024, ge=1, description="tracks of a batch")
    rate: float = Field(3e-3, gt=0.0, description="learning rate of Adam, falling along half a cosine")
    last: float = Field(0.003, ge=0.0, le=1.0, description="where it ends, as a part of the rate")
    points: int = Field(1, ge=1, description="points of a track where a pinn's residual is asked for")
    evaluations: int = Field(10, ge=1, description="how often the learning curves are noted")


class ExtrapolatorRecipe(Strict):
    """A neural extrapolator."""

    name: str = Field(description="what it is called")
    description: str = Field("", description="what it is for")
    field: dict[str, Any] = Field({"kind": "lhcb"}, description="the magnetic field: kind, polarity, settings")
    architecture: Architecture
    loss: Losses = Losses()
    training: Training = Training()
    seed: int = Field(0, ge=0, description="of the first weights and of the order of the tracks")

    def shape(self, sample: TrackSample | None = None) -> Shape:
        """How the network is made up, with what its features are scaled by, out of a sample of tracks."""
        wanted = self.architecture
        widths = SIZES[wanted.size] if isinstance(wanted.size, str) else wanted.size
        centre, scale = features_of(wanted.normalization, sample)
        names = ("family", "ends", "batch_norm", "exact_start", "spread", "nodes", "sweeps", "middle", "width",
                 "start", "end", "parts", "opening")  # fmt: skip
        return Shape(
            body=Body(widths, residual=False, activation=wanted.activation, dropout=wanted.dropout, seed=self.seed),
            field=self.field,
            columns=tuple(range(INPUTS)) if wanted.columns is None else wanted.columns,
            centre=centre,
            scale=scale,
            **{name: getattr(wanted, name) for name in names},
        )

    @property
    def weights(self) -> Weights:
        """Of the parts of the loss."""
        return Weights(self.loss.data, self.loss.pde, self.loss.ic)

    @property
    def descent(self) -> Descent:
        """Adam down half a cosine."""
        training = self.training
        return Descent("adam", training.rate, "cosine", steps=training.steps, last=training.last)

    def plan(self) -> Plan:
        """How long."""
        training = self.training
        every = max(1, training.steps // training.evaluations)
        return Plan(training.steps, training.batch, self.seed, every=every)


def features_of(normalization: str, sample: TrackSample | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What is subtracted from each column of the input, and by what the rest is divided; 1 where nothing varies."""
    if normalization == "physical" or sample is None:
        return (0.0,) * INPUTS, SCALES
    columns = np.stack([*sample.start, sample.dz], axis=1)
    if normalization == "zscore":
        centre, scale = columns.mean(axis=0), columns.std(axis=0)
    else:
        low, high = columns.min(axis=0), columns.max(axis=0)
        centre, scale = 0.5 * (low + high), 0.5 * (high - low)
    varies = scale > 1e-12 * np.maximum(np.abs(centre), 1e-6)
    return tuple(map(float, centre)), tuple(map(float, np.where(varies, scale, 1.0)))

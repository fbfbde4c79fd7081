"""Networks and optimizers as a recipe asks for them."""

from __future__ import annotations

from lamarrpy.nn.players import Body
from lamarrpy.train.problem import Problem
from lamarrpy.train.recipe import Layers, Schedule
from lamarrpy.train.schedules import Descent

_WEIGHT_DECAY = 1e-3
_LONGEST_WARMUP = 200
_USUAL_ROWS, _SHORTEST, _LONGEST = 150_000, 0.5, 5.0


def body_of(layers: Layers, seed: int) -> Body:
    """The hidden layers of a network."""
    widths = (layers.width,) * layers.layers
    return Body(widths, layers.residual, layers.activation, layers.l2, layers.dropout, seed)


def lengthened(usual: Schedule, problem: Problem) -> Schedule:
    """The training that is usual for 150,000 rows, in proportion for others, from half to five times as long.

    What fits the sample itself must not see few rows too often: it would learn them by heart.
    """
    rows = len(problem.parts["training"])
    return usual._replace(steps=round(usual.steps * min(max(rows / _USUAL_ROWS, _SHORTEST), _LONGEST)))


def descent_of(schedule: Schedule, last: float = 0.003, clip: float | None = None) -> Descent:
    """An optimizer whose rate rises for a moment, then falls along a cosine to a part of it.

    Parameters
    ----------
    schedule : Schedule
        How long, and how fast.
    last : float
        Where the rate ends, over where it is highest.
    clip : float, optional
        Norm that the gradient of all weights together is cut to.
    """
    options = {"weight_decay": _WEIGHT_DECAY} if schedule.optimizer == "adamw" else {}
    options |= {} if clip is None else {"global_clipnorm": clip}
    return Descent(
        schedule.optimizer,
        schedule.rate,
        "cosine",
        steps=schedule.steps,
        warmup=min(_LONGEST_WARMUP, schedule.steps // 10),
        last=last,
        options=options,
    )

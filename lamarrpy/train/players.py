"""Networks and optimizers as a recipe asks for them."""

from __future__ import annotations

from lamarrpy.nn.players import Body
from lamarrpy.train.recipe import Layers, Schedule
from lamarrpy.train.schedules import Descent

_WEIGHT_DECAY = 1e-3
_LONGEST_WARMUP = 200


def body_of(layers: Layers, seed: int) -> Body:
    """The hidden layers of a network."""
    widths = (layers.width,) * layers.layers
    return Body(widths, layers.residual, layers.activation, layers.l2, layers.dropout, seed)


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

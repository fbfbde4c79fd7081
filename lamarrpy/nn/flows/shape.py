"""How a flow is made up, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from lamarrpy.errors import ConfigError, did_you_mean
from lamarrpy.nn.flows.splines import LEAST_BIN

Kind = Literal["affine", "spline"]
Structure = Literal["masked", "coupling"]

_CHOICES = {"kind": ("affine", "spline"), "structure": ("masked", "coupling")}


@dataclass(frozen=True)
class FlowShape:
    """The blocks of a flow, and the networks in them.

    Attributes
    ----------
    blocks : int
        Invertible maps, one after the other.
    width, layers : int
        Units of a hidden layer, and hidden layers, of the network in each block; all layers but the first are residual.
    bins : int
        Of a spline.
    bound : float
        A spline acts on [-bound, bound], and leaves alone what is outside.
    kind : {"affine", "spline"}
        What is done to one target: a shift and a scale, or a monotone rational-quadratic spline.
    structure : {"masked", "coupling"}
        What it may depend on: the targets before it in an order (exact, drawn one after the other), or another half of
        the targets (drawn all at once).
    reverse : bool
        Whether every second masked block takes the targets in the opposite order. Without, the whole map is triangular:
        each latent is a function of its target, those before it, and the conditions.

    Raises
    ------
    ConfigError
        If a number is not positive, or a choice is not known.
    """

    blocks: int = 6
    width: int = 64
    layers: int = 2
    bins: int = 8
    bound: float = 4.0
    kind: Kind = "spline"
    structure: Structure = "coupling"
    reverse: bool = True

    def __post_init__(self) -> None:
        for name in ("blocks", "width", "layers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"expected {name} of a flow to be at least 1, got {getattr(self, name)}")
        if not 2 <= self.bins <= _MOST_BINS:
            raise ConfigError(f"expected 2 to {_MOST_BINS} bins of a spline, got {self.bins}")
        if not 0.0 < self.bound < float("inf"):
            raise ConfigError(f"expected a positive, finite bound of a spline, got {self.bound}")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                hint = did_you_mean(getattr(self, name), known)
                raise ConfigError(f"expected {name} of a flow to be one of {known}, got {getattr(self, name)!r}{hint}")

    def as_json(self) -> dict[str, Any]:
        """The same as plain data: ``FlowShape(**data)`` brings it back."""
        return asdict(self)


_MOST_BINS = int(0.5 / LEAST_BIN)

FLOWS: dict[str, FlowShape] = {
    "coupling_spline": FlowShape(),
    "coupling_affine": FlowShape(blocks=8, width=96, kind="affine"),
    "masked_spline": FlowShape(blocks=4, width=128, structure="masked"),
    "masked_affine": FlowShape(blocks=6, width=128, kind="affine", structure="masked"),
}
"""The four flows, at sizes that learn eight targets given five conditions in minutes on one core."""

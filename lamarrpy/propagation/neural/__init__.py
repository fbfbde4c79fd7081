"""The neural extrapolator: networks that carry tracks through the magnet, leg by leg."""

from lamarrpy.propagation.neural.extrapolator import NeuralExtrapolator
from lamarrpy.propagation.neural.legs import Leg, Legs, Limits

__all__ = ["Leg", "Legs", "Limits", "NeuralExtrapolator"]

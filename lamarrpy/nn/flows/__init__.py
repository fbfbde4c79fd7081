"""Conditional normalizing flows: invertible maps between targets and latents, with their exact density."""

from lamarrpy.nn.flows.flow import Flow
from lamarrpy.nn.flows.shape import FLOWS, FlowShape

__all__ = ["FLOWS", "Flow", "FlowShape"]

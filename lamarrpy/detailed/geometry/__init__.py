"""The detector of the Detailed Simulation: planes, walls, sensors and what they are made of."""

from lamarrpy.detailed.geometry.description import lhcb_detector
from lamarrpy.detailed.geometry.detector import Detector, Kind, Plane, Region, Sensor, Wall

__all__ = ["Detector", "Kind", "Plane", "Region", "Sensor", "Wall", "lhcb_detector"]

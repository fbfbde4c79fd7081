"""The event model: columns with units, a schema for each of the five tables, and the batch."""

from lamarrpy.tables.batch import EventBatch
from lamarrpy.tables.column import Column, Schema
from lamarrpy.tables.schemas import (
    CLUSTERS,
    EVENTS,
    PARTICLES,
    SCHEMAS,
    TRACKS,
    VERTICES,
    generator_level,
)

__all__ = [
    "CLUSTERS",
    "EVENTS",
    "PARTICLES",
    "SCHEMAS",
    "TRACKS",
    "VERTICES",
    "Column",
    "EventBatch",
    "Schema",
    "generator_level",
]

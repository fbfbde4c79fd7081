"""Samples of tracks through a field with their true end: what extrapolators learn from and are measured by."""

from lamarrpy.tracks.making import Tally, TrackMaker, make_sample, tracks
from lamarrpy.tracks.production import write_tracks
from lamarrpy.tracks.reading import iter_tracks, number_of_tracks, read_tracks, track_metadata
from lamarrpy.tracks.recipe import TrackRecipe, load_track_recipe, shipped_track_recipes
from lamarrpy.tracks.sample import TrackSample, concatenate
from lamarrpy.tracks.truth import TrueEnd, true_end

__all__ = [
    "Tally",
    "TrackMaker",
    "TrackRecipe",
    "TrackSample",
    "TrueEnd",
    "concatenate",
    "iter_tracks",
    "load_track_recipe",
    "make_sample",
    "number_of_tracks",
    "read_tracks",
    "shipped_track_recipes",
    "track_metadata",
    "tracks",
    "true_end",
    "write_tracks",
]

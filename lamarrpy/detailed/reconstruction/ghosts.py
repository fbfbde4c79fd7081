"""Ghosts: the probability that a track is a random combination of hits, from what its fit says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamarrpy.detailed.classifier import Classifier
from lamarrpy.detailed.geometry import Detector
from lamarrpy.detailed.reconstruction.candidates import FittedTracks, Part, TrackType
from lamarrpy.propagation import State

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

CLASSIFIED = (TrackType.long, TrackType.upstream, TrackType.downstream)
"""Tracks that have a ghost probability."""

_SMALLEST = 1e-7
"""|q/p| [1/MeV] and slope below which a track is as straight and as forward as one can tell: 10 TeV and eta = 17."""

_PERFECT = 1e-3
"""chi2 per degree of freedom below which a fit is as good as any; its logarithm is a feature."""


def ghost_features(
    fitted: FittedTracks, track_type: Counts, n_tracks: Counts, detector: Detector
) -> dict[str, NDArray[np.float64]]:
    """What the experiment's ghost classifier looks at.

    Parameters
    ----------
    fitted : FittedTracks
        n tracks that the fit calls sensible.
    track_type : ndarray of int, shape (n,)
        A `TrackType` of `CLASSIFIED`.
    n_tracks : ndarray of int, shape (n,)
        Tracks of each one's event, VELO and T tracks included.
    detector : Detector
        Where it has TT layers.

    Returns
    -------
    dict of str to ndarray of shape (n,)
        chi2 of the fit and of its parts, hits, momentum and direction, occupancy; `models/detailed/ghost` has
        their units. A part without hits has no chi2; ``tt_missing`` is the number of TT layers on the track's
        way less the hits found there.

    Notes
    -----
    After M. De Cian et al., "Fast neural-net based fake track rejection", LHCb-PUB-2017-011.
    """
    state = fitted.state
    p = 1.0 / np.maximum(np.abs(state.qop), _SMALLEST)
    slope = np.maximum(np.hypot(state.tx, state.ty), _SMALLEST)
    parts = fitted.velo, fitted.tt, fitted.t
    columns = {
        "chi2_per_dof": np.maximum(fitted.chi2 / np.maximum(fitted.ndof, 1), _PERFECT),
        "ndof": fitted.ndof,
        "outliers": fitted.outliers,
        "tt_missing": _tt_layers(state, detector) - fitted.tt.hits,
        "p": p,
        "pt": p * slope / np.sqrt(1.0 + slope**2),
        "eta": np.arcsinh(1.0 / slope),
        "n_tracks": n_tracks,
        "upstream": track_type == TrackType.upstream,
        "downstream": track_type == TrackType.downstream,
    }
    for name, part in zip(("velo", "tt", "t"), parts, strict=True):
        columns |= {f"{name}_hits": part.hits, f"{name}_chi2_per_hit": _per_hit(part)}
    return {name: np.asarray(values, np.float64) for name, values in columns.items()}


def _per_hit(part: Part) -> Array:
    return np.maximum(part.chi2, 0.0) / np.maximum(part.hits, 1)


def _tt_layers(state: State, detector: Detector) -> Counts:
    """TT layers whose active area the straight line of each track meets; the field before them bends little."""
    layers = np.zeros(len(state.x), np.int64)
    for plane in detector.planes:
        if plane.system == "tt" and plane.sensor is not None:
            way = plane.z - state.z
            layers += plane.sensor.contains(state.x + way * state.tx, state.y + way * state.ty)
    return layers


def ghost_probability(
    fitted: FittedTracks,
    track_type: Counts,
    n_tracks: Counts,
    detector: Detector,
    classifier: Classifier | None = None,
) -> Array:
    """The probability that each track is a random combination of hits.

    Parameters
    ----------
    fitted, track_type, n_tracks, detector
        As `ghost_features` takes them.
    classifier : Classifier, optional
        The shipped one, ``ghost``, if absent.

    Returns
    -------
    ndarray, shape (n,)
        A probability where ghosts and true tracks come in the proportion of the training sample.

    Raises
    ------
    ArtifactError
        If the classifier is not there, or is not the one that its manifest describes.
    """
    classifier = classifier or Classifier.load("ghost")
    probability = classifier(ghost_features(fitted, track_type, n_tracks, detector))
    return probability[:, classifier.manifest.classes.index("ghost")]

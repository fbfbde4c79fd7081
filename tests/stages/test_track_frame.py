from __future__ import annotations

import numpy as np
import pytest
from track_models import in_mirror, truth

from lamarrpy.errors import SchemaError
from lamarrpy.stages.track_frame import conditions, direction, frame, known, mirrored
from lamarrpy.tables import EventBatch


def test_a_turn_around_the_beam_changes_nothing_but_the_azimuth():
    columns = truth()
    angle = np.random.default_rng(5).uniform(-np.pi, np.pi, len(columns["true_x"]))
    turned = dict(columns)
    for x, y in (("true_x", "true_y"), ("true_tx", "true_ty"), ("beam_x", "beam_y")):
        turned[x] = np.cos(angle) * columns[x] - np.sin(angle) * columns[y]
        turned[y] = np.sin(angle) * columns[x] + np.cos(angle) * columns[y]
    one, other = conditions(columns), conditions(turned)
    for name in ("eta", "offset", "flight", "p", "z"):
        assert np.allclose(one[name], other[name], atol=1e-12)
    phi = np.arctan2(other["sin_phi"], other["cos_phi"]) - np.arctan2(one["sin_phi"], one["cos_phi"])
    assert np.allclose(np.cos(phi - angle), 1)


def test_offset_is_the_signed_distance_from_the_beam_line():
    columns = truth()
    offset = conditions(columns)["offset"]
    distance = np.hypot(columns["true_x"] - columns["beam_x"], columns["true_y"] - columns["beam_y"])
    assert np.allclose(np.abs(offset), distance)
    assert 0.4 < np.mean(offset > 0) < 0.6


def test_conditions_are_finite_where_a_plane_is_not_reached():
    columns = truth()
    given = conditions(columns)
    assert all(np.isfinite(values).all() for values in given.values())
    assert np.array_equal(given["x_mid_t"] == 0, ~columns["reaches_mid_t"])


def test_a_mirror_turns_the_sign_of_all_that_is_odd_in_x():
    columns = truth()
    one, other = conditions(columns), conditions(mirrored(columns))
    odd = {name for name in one if np.array_equal(np.asarray(one[name], float), -np.asarray(other[name], float))}
    same = {name for name in one if np.array_equal(one[name], other[name])}
    assert odd >= {"cos_phi", "offset", "x_mid_tt", "x_mid_t"}
    assert same >= {"sin_phi", "charge", "p", "eta", "z", "flight", "y_mid_tt", "y_mid_t", "n_tracks"}
    assert odd | same == set(one)


def test_a_track_along_the_beam_has_a_direction():
    _, cos, sin = direction({"true_tx": np.array([0.0, 0.1]), "true_ty": np.array([0.0, 0.0])})
    assert np.array_equal(cos, [0, 1])
    assert np.array_equal(sin, [0, 0])


def test_the_frame_turns_with_tracks_of_the_velo_alone():
    columns = truth()
    cos, sin = frame(columns)
    of_velo = columns["track_type"] != 5
    assert np.allclose((cos * columns["true_ty"] - sin * columns["true_tx"])[of_velo], 0)
    assert set(cos[~of_velo]) == {1.0}
    assert set(sin[~of_velo]) == {0.0}


def test_known_links_every_table(tracks):
    batch = tracks(200)
    columns = known(batch, "MagUp")
    particles, z = batch.arrays("particles", "particle_id", "z")
    assert np.array_equal(columns["origin_z"], z)
    assert len(particles) == len(columns["beam_x"])
    assert set(columns["n_tracks"]) == {155}
    assert np.abs(columns["beam_x"] - 0.8).max() < 0.2


def test_magdown_is_known_in_a_mirror(tracks):
    batch = tracks(200)
    one, other = known(batch, "MagUp"), known(in_mirror(batch), "MagDown")
    assert all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


@pytest.mark.parametrize("table", ["vertices", "particles"])
def test_a_track_without_its_vertex_or_particle_is_an_error(tracks, table):
    batch = tracks(80)
    with pytest.raises(SchemaError, match=f"table '{table}'"):
        known(EventBatch({**batch.tables, table: batch[table].slice(1)}), "MagUp")

"""What is read out of the tables."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from toys import EVENTS, PER_EVENT, Toy

from lamarrpy.detailed.report.sample import read_sample
from lamarrpy.errors import InputError, SchemaError
from lamarrpy.tables.linking import row_by_key


def test_only_what_was_followed_and_daughters_of_decays_stay(sample_of):
    particles = sample_of().particles
    assert (particles["pid"] != 22).all()
    muons = particles["mother_id"] >= 0
    assert particles.rows - muons.sum() == EVENTS * PER_EVENT
    assert (particles["z"][muons] == 1500.0).all()


def test_residuals_are_taken_at_the_z_of_the_reconstructed_state(sample_of):
    """The toy shifts z by 1 mm at slopes of 0.1, which is ten times the resolution."""
    tracks = sample_of().tracks
    steep = tracks.at((tracks["eta"] < 2.5) & (tracks["pt"] > 2.0) & (tracks["track_type"] == 3) & ~tracks["ghost"])
    assert np.std(steep["dx"]) < 0.03


def test_pulls_and_correlations_are_those_of_the_toy(sample_of):
    tracks = sample_of(Toy(pulls=2.0)).tracks
    real = tracks.at(~tracks["ghost"])
    for name in ("x", "y", "tx", "ty", "qop"):
        assert np.std(real[f"pull_{name}"]) == pytest.approx(2.0, rel=0.02)
    assert np.allclose(real["rho_x_tx"], -0.95, atol=1e-5)


def test_displaced_particles_are_not_prompt(sample_of):
    particles, tracks = sample_of().particles, sample_of().tracks
    followed = particles["mother_id"] < 0
    assert np.array_equal(particles["prompt"][followed], particles["z"][followed] < 900.0)
    assert not tracks["prompt"][tracks["ghost"]].any()
    assert not tracks["prompt"][tracks["track_type"] == 5].any()
    assert tracks["prompt"][(tracks["track_type"] == 3) & ~tracks["ghost"]].all()


def test_photons_tell_collisions_from_guns(sample_of):
    assert sample_of().tracks["collisions"].all()
    gun = sample_of(Toy(photons=2))
    assert not any(part["collisions"].any() for part in (gun.tracks, gun.particles, gun.vertices))


def test_blocks_make_no_difference(tmp_path, sample_of, folder_of):
    for file in folder_of(Toy()).glob("*.parquet"):
        pq.write_table(pq.read_table(file), tmp_path / file.name, row_group_size=997)
    blocks, whole = read_sample(tmp_path), sample_of()
    for part in ("particles", "tracks", "vertices"):
        for name, column in getattr(whole, part).items():
            assert np.array_equal(column, getattr(blocks, part)[name], equal_nan=True)


def test_other_tables_are_refused(tmp_path, folder_of):
    for file in folder_of(Toy()).glob("*.parquet"):
        table = pq.read_table(file)
        kept = [name for name in table.column_names if name != "ghost_prob"]
        pq.write_table(table.select(kept), tmp_path / file.name)
    with pytest.raises(SchemaError, match=r"'tracks' lacks ghost_prob; make one with lamarrpy detailed"):
        read_sample(tmp_path)
    (tmp_path / "tracks.parquet").unlink()
    with pytest.raises(InputError, match="no table 'tracks'"):
        read_sample(tmp_path)


def test_rows_are_found_by_key():
    assert row_by_key(np.array([3, 9, 1, -1]), np.array([1, 7, 3])).tolist() == [2, -1, 0, -1]
    assert row_by_key(np.array([3]), np.zeros(0, np.int64)).tolist() == [-1]

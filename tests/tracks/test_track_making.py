"""Making tracks: the same ones in any block, kept or counted, from where the recipe says."""

import numpy as np
import pytest

from lamarrpy.errors import ConfigError, DomainError
from lamarrpy.propagation import runge_kutta, straight_line
from lamarrpy.tracks import Tally, TrackMaker, concatenate, load_track_recipe, make_sample, making, tracks


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.columns().values(), other.columns().values(), strict=True))


@pytest.mark.parametrize("name", ["protocol", "variable", "stress_boundary"])
def test_the_same_tracks_in_any_block(name):
    whole, tally = make_sample(name, 100, seed=3), Tally()
    blocks = list(tracks(name, 100, seed=3, tally=tally, block=97))
    assert len(blocks) > 1
    assert max(map(len, blocks)) <= 97
    assert same(concatenate(blocks), whole)
    assert tally.kept == 100


@pytest.mark.parametrize("name", ["box_dipole_pair", "acceptance"])
def test_a_longer_sample_begins_with_the_shorter_one(name):
    short, long = make_sample(name, 100, seed=3), make_sample(name, 900, seed=3)
    assert same(long.at(slice(100)), short)


def test_a_later_first_track_leaves_out_the_earlier_ones():
    tally = Tally()
    whole = make_sample("protocol", 200, seed=3, tally=tally)
    made = TrackMaker(load_track_recipe("protocol"), 3).make(0, 50)
    assert same(
        make_sample("protocol", 200 - len(made.sample), seed=3, first=50), whole.at(slice(len(made.sample), None))
    )


def test_other_seeds_give_other_tracks():
    one, other = make_sample("box", 500, seed=1), make_sample("box", 500, seed=2)
    assert len(np.intersect1d(one.start.x, other.start.x)) == 0
    assert abs(np.corrcoef(one.start.x, other.start.x)[0, 1]) < 5 / np.sqrt(500)


def test_the_tally_counts_to_the_last_kept_track():
    tally = Tally()
    sample = make_sample("protocol", 500, seed=4, tally=tally)
    fates = TrackMaker(load_track_recipe("protocol"), 4).make(0, tally.drawn).fates
    assert len(sample) == tally.kept == 500
    assert fates[-1] == list(making.FATES).index("kept")
    assert np.bincount(fates, minlength=7).tolist() == list(tally.counts.values())
    assert sum(tally.fractions.values()) == pytest.approx(1.0)
    assert 0.42 < tally.fractions["kept"] < 0.52  # 0.464 of 280 000, and 5 sigma of 1080
    assert "500 of" in str(tally)
    assert "curled" in str(tally)


def test_what_is_kept_meets_the_recipe():
    recipe = load_track_recipe("protocol")
    sample = make_sample(recipe, 1000, seed=6)
    assert np.hypot(sample.end.tx, sample.end.ty).max() <= 1.5
    assert np.abs(sample.end.x).max() <= 6000.0
    assert np.abs(sample.end.y).max() <= 5000.0
    assert np.array_equal(sample.end.z, sample.start.z + sample.dz)
    assert all(np.isfinite(column).all() for column in sample.columns().values())


def test_a_window_on_the_momentum():
    recipe = {**load_track_recipe("box").as_data(), "keep": {"p": [5000, 20_000]}}
    tally = Tally()
    sample = make_sample(recipe, 200, seed=1, tally=tally)
    assert sample.p.min() >= 5000.0
    assert sample.p.max() <= 20_000.0
    share = 1 - np.log(4) / np.log(50)
    assert tally.fractions["momentum"] == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / tally.drawn))


def test_tracks_of_the_acceptance_come_from_the_origin():
    sample = make_sample("acceptance", 300, seed=5)
    back = runge_kutta(sample.start, [np.zeros(300)], load_track_recipe("acceptance").field.make(), steps=200)
    assert np.abs(back.x).max() < 1e-3
    assert np.abs(back.y).max() < 1e-3
    eta = np.arcsinh(1.0 / np.hypot(back.tx, back.ty))
    assert eta.min() > 1.999
    assert eta.max() < 5.001
    assert (sample.start.z == 4000.0).all()


def test_tracks_start_at_a_collision_beyond_their_z():
    recipe = load_track_recipe("acceptance").as_data()
    recipe["start"] |= {"collision": [-100, 100], "z": 0}
    sample = make_sample(recipe, 200, seed=1)
    late = sample.start.z > 0.0
    assert 60 < np.count_nonzero(late) < 140
    assert (sample.start.x[late] == 0.0).all()
    assert (sample.start.z[~late] == 0.0).all()


def test_displaced_tracks_leave_the_way_of_their_parent():
    recipe = load_track_recipe("variable")
    straight = {**recipe.as_data()}
    straight["start"] |= {"kink": 0.0}
    parents, kinked = make_sample(straight, 300, seed=8).start, TrackMaker(recipe, 8).make(0, 400).sample.start
    origin = straight_line(parents, [np.zeros(300)])
    assert np.hypot(origin.x, origin.y).max() < 200.0 * np.tan(0.31)
    shared = np.isin(kinked.qop, parents.qop)
    by_qop = {qop: i for i, qop in enumerate(parents.qop)}
    rows = [by_qop[qop] for qop in kinked.qop[shared]]
    kink = np.hypot(kinked.tx[shared] - parents.tx[rows], kinked.ty[shared] - parents.ty[rows])
    assert np.array_equal(kinked.x[shared], parents.x[rows])
    assert kink.max() <= 0.1
    assert kink.mean() == pytest.approx(0.05, abs=5 * 0.1 / np.sqrt(12 * len(kink)))


def test_hollow_boxes_leave_their_middle_out():
    slopes = make_sample("stress_slopes", 500, seed=1).start
    assert ((np.abs(slopes.tx) >= 0.3) | (np.abs(slopes.ty) >= 0.3)).all()
    tally = Tally()
    rim = make_sample("stress_boundary", 500, seed=1, tally=tally).start
    edge = (np.abs(rim.x) >= 1140) | (np.abs(rim.y) >= 950) | (np.abs(rim.tx) >= 0.285) | (np.abs(rim.ty) >= 0.2375)
    assert edge.all()
    assert tally.counts["no_candidate"] > 4 * tally.drawn * 0.8  # 0.95^4 = 81 % of the box is its middle
    assert tally.drawn < 520


def test_a_recipe_that_keeps_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(making, "FUTILE", 3000)
    recipe = load_track_recipe("box").as_data() | {"name": "nothing", "keep": {"x": 1e-6}}
    with pytest.raises(DomainError, match=r"recipe 'nothing': of the last 3,\d+ tracks none could be kept .*outside"):
        make_sample(recipe, 10)


@pytest.mark.parametrize("numbers", [{"n": -1}, {"n": 1, "first": -1}, {"n": 1, "block": 0}])
def test_numbers_that_make_no_sense(numbers):
    with pytest.raises(ConfigError, match="not to be negative"):
        list(tracks("box", **numbers))


def test_no_tracks_at_all():
    assert len(make_sample("box", 0)) == 0

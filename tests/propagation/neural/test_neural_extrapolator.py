"""The neural extrapolator around its networks: legs, limits, polarity, what is left to Runge-Kutta."""

import shutil

import numpy as np
import pytest

from lamarrpy.errors import ArtifactError, ConfigError
from lamarrpy.field import magnetic_field
from lamarrpy.propagation import SharedSteps, State, dormand_prince
from lamarrpy.propagation.neural import NeuralExtrapolator
from lamarrpy.tables.schemas import PLANES

WAY = [PLANES[plane] for plane in ("mid_tt", "beg_t", "mid_t", "ecal", "m5")]


def _start(n=400, p=(2500.0, 80e3), seed=3, z=(-150.0, 150.0)):
    random = np.random.default_rng(seed)
    eta, phi = random.uniform(2.1, 4.9, n), random.uniform(-np.pi, np.pi, n)
    slope, qop = 1.0 / np.sinh(eta), random.choice((-1.0, 1.0), n) / random.uniform(*p, n)
    zero = np.zeros(n)
    return State(zero, zero, random.uniform(*z, n), slope * np.cos(phi), slope * np.sin(phi), qop)


@pytest.fixture(scope="module", params=["MagUp", "MagDown"])
def field(request):
    return magnetic_field("lhcb", request.param)


@pytest.fixture(scope="module")
def neural(exact_folder, field):
    return NeuralExtrapolator(exact_folder, field)


def test_exact_legs_end_where_the_integration_does(neural, field):
    start = _start(p=(5e3, 80e3))
    got, left_over = neural.propagate(start, WAY)
    true = dormand_prince(start, WAY, field)
    assert left_over.sum() < 5
    known = true.reaches & ~left_over
    assert np.array_equal(got.reaches[known], true.reaches[known])
    for mine, wanted, tolerance in zip(got[:4], true[:4], (5e-3, 5e-3, 1e-6, 1e-6), strict=True):
        assert np.quantile(np.abs(mine - wanted)[known], 0.99) < tolerance


def test_a_track_does_not_know_who_is_with_it(neural):
    start = _start(1500, p=(1000.0, 50e3), z=(-500.0, 3000.0))
    whole = neural.propagate(start, WAY)
    for rows in (slice(7, 8), slice(100, 1200), np.arange(1500)[::-1]):
        some = neural.propagate(start.at(rows), WAY)
        assert np.array_equal(some.left_over, whole.left_over[rows])
        for mine, all_of_them in zip(some.crossings, whole.crossings, strict=True):
            assert np.array_equal(mine, all_of_them[:, rows], equal_nan=True)


def test_what_it_does_not_know_is_left_to_runge_kutta(neural, field):
    start = _start(60)
    soft = np.arange(60) < 20
    steep = (np.arange(60) >= 20) & (np.arange(60) < 40)
    start = start._replace(
        qop=np.where(soft, np.sign(start.qop) / 1900.0, start.qop), ty=np.where(steep, 0.35, start.ty)
    )
    got, left_over = neural.propagate(start, WAY)
    assert left_over[soft | steep].all()
    assert not left_over[~soft & ~steep].all()
    expected = SharedSteps(field)(start.at(left_over), WAY)
    for mine, wanted in zip(got, expected, strict=True):
        assert np.array_equal(mine[:, left_over], wanted, equal_nan=True)


def test_tracks_that_curl_are_left_over_too(neural):
    start = _start(40, p=(2000.0, 2100.0))._replace(tx=np.full(40, 0.44), ty=np.zeros(40))
    start = start._replace(qop=-neural.field.sign * np.abs(start.qop))  # bent further outwards
    assert neural.propagate(start, WAY).left_over.all()


def test_neutral_tracks_go_straight_and_planes_behind_are_not_reached(neural):
    start = _start(30, z=(3000.0, 5000.0))
    start.qop[::2] = 0.0
    got, left_over = neural.propagate(start, WAY)
    assert not left_over[::2].any()
    assert not got.reaches[0].any()
    assert np.isnan(got.x[0]).all()
    line = start.x + start.tx * (WAY[2] - start.z)
    assert np.allclose(got.x[2, ::2], line[::2])


def test_the_way_through_the_magnet_may_be_cut_anywhere(neural):
    start = _start(200, p=(10e3, 50e3))
    whole, _ = neural.extrapolate(start, np.full(200, 8520.0))
    half, _ = neural.extrapolate(start, np.full(200, 5000.0))
    both, inside = neural.extrapolate(half, np.full(200, 8520.0))
    assert inside.all()
    assert np.abs(both.x - whole.x).max() < 5e-3
    assert np.abs(both.tx - whole.tx).max() < 1e-6


@pytest.mark.parametrize("z", [(-5000.0, 3000.0), (0.0, 19_000.0), (3000.0, 2000.0)])
def test_it_says_where_it_has_never_been(neural, z):
    start = _start(10)._replace(z=np.full(10, z[0]))
    assert not neural.extrapolate(start, np.full(10, z[1]))[1].any()


def test_the_start_is_left_alone(neural):
    start = _start(50)
    before = [column.copy() for column in start]
    neural.propagate(start, WAY)
    assert all(np.array_equal(a, b) for a, b in zip(before, start, strict=True))


def test_no_tracks_are_no_trouble(neural):
    got, left_over = neural.propagate(_start(0), WAY)
    assert got.x.shape == (len(WAY), 0)
    assert left_over.shape == (0,)


def test_another_field_is_refused(exact_folder):
    with pytest.raises(ConfigError, match="runge_kutta"):
        NeuralExtrapolator(exact_folder, magnetic_field("dipole_pair"))


def test_damage_is_noticed(exact_folder, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(exact_folder, folder)
    content = bytearray((folder / "magnet.onnx").read_bytes())
    content[1000] ^= 1
    (folder / "magnet.onnx").write_bytes(content)
    with pytest.raises(ArtifactError, match="sha256"):
        NeuralExtrapolator(folder, magnetic_field("lhcb"))

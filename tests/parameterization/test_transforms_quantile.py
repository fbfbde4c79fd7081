"""Quantile to normal: invertible with point masses and heavy tails, inside and beyond what was seen in training."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import kstest

from lamarrpy.errors import ArtifactError, ConfigError, DomainError
from lamarrpy.parameterization.transforms import QuantileToNormal, from_json

ROWS = 20_000


def continuous():
    """Columns without point masses."""
    rng = np.random.default_rng(1)
    return {
        "normal": rng.normal(5.0, 2.0, ROWS),
        "uniform": rng.uniform(0.0, 1.0, ROWS),
        "lognormal": np.exp(rng.normal(3.0, 3.0, ROWS)),
        "cauchy": rng.standard_cauchy(ROWS),
        "eighteen decades": 10.0 ** rng.uniform(-6.0, 12.0, ROWS),
        "large and tiny": np.where(
            rng.random(ROWS) < 0.5, rng.normal(1e12, 1e11, ROWS), 1e-6 * rng.exponential(size=ROWS)
        ),
        "two lobes": np.where(rng.random(ROWS) < 0.3, -1.0, 1.0) + 0.01 * rng.normal(size=ROWS),
        "narrow far away": 1e9 + rng.normal(size=ROWS),
        "few": rng.normal(size=7),
        "two": np.array([1.0, 2.0]),
    }


def mixed():
    """Columns with point masses, and the masses that they have."""
    rng = np.random.default_rng(2)
    share, normal = rng.random(ROWS), rng.normal(size=ROWS)
    return {
        "dll": (np.where(share < 0.74, 0.0, normal), [0.0]),
        "sentinel": (np.where(share < 0.2, -1000.0, np.abs(normal)), [-1000.0]),
        "probability": (np.clip(0.5 + 0.4 * normal, 0.0, 1.0), [0.0, 1.0]),
        "three": (np.select([share < 0.1, share < 0.3, share < 0.6], [-2.0, 0.1, 3.0], 2 * normal), [-2.0, 0.1, 3.0]),
        "flag": ((share < 0.3).astype(float), [0.0, 1.0]),
        "constant": (np.full(ROWS, 4.0), [4.0]),
    }


ALL = {**continuous(), **{name: values for name, (values, _) in mixed().items()}}
FITTED = {name: QuantileToNormal.fit(values) for name, values in ALL.items()}
CLIPPED = {name: QuantileToNormal.fit(values, clip=True) for name, values in ALL.items()}


def local_scale(transform, x):
    """The distance between the knots around each value; beyond them, what the slope makes of the distance."""
    knots = transform.knots
    nearest = np.clip(np.searchsorted(knots.x, x), 1, len(knots.x) - 1)
    around = knots.x[np.minimum(nearest + 1, len(knots.x) - 1)] - knots.x[np.maximum(nearest - 2, 0)]
    return np.maximum(around, np.maximum(knots.x[0] - x, x - knots.x[-1]))


def probes(transform, values):
    """Values seen, values between, and values up to a thousand times the range beyond."""
    rng = np.random.default_rng(3)
    low, high = values.min(), values.max()
    beyond = (high - low or 1.0) * 10.0 ** rng.uniform(-6.0, 3.0, 300)
    between = rng.uniform(low, high, 300)
    return np.concatenate([values[:3000], between, low - beyond, high + beyond, transform.knots.x])


@pytest.mark.parametrize("name", ALL)
def test_values_come_back_inside_and_beyond_what_was_seen(name):
    transform, values = FITTED[name], ALL[name]
    x = probes(transform, values)
    edge = transform.knots.slopes == 0.0
    x = x[(x >= (values.min() if edge[0] else -np.inf)) & (x <= (values.max() if edge[1] else np.inf))]
    if name in ("flag", "constant"):
        x = values
    back = transform.inverse(transform.forward(x))[:, 0]
    assert (np.abs(back - x) <= 1e-6 * np.maximum(np.abs(x), local_scale(transform, x))).all()
    seen = transform.inverse(transform.forward(values))[:, 0]
    assert (np.abs(seen - values) <= 1e-6 * np.maximum(np.abs(values), local_scale(transform, values))).all()
    assert np.array_equal(np.isin(seen, transform.masses), np.isin(values, transform.masses))


@pytest.mark.parametrize("name", ALL)
def test_float32_costs_no_more_than_its_own_precision(name):
    transform, values = FITTED[name], ALL[name]
    z = transform.forward(values)[:, 0]
    rounding = 6e-8 * np.abs(z)
    back = transform.inverse(z.astype(np.float32))[:, 0]
    lowest, highest = (transform.inverse(z + sign * rounding)[:, 0] for sign in (-1, 1))
    tolerance = 1e-9 * np.maximum(np.abs(values), local_scale(transform, values))
    assert (back >= lowest - tolerance).all()
    assert (back <= highest + tolerance).all()
    of_mass = np.isin(values, transform.masses)
    assert np.array_equal(back[of_mass], values[of_mass])
    if name in ("normal", "uniform", "lognormal", "cauchy", "dll", "sentinel"):
        assert (np.abs(back - values) <= 3e-5 * np.maximum(np.abs(values), values[~of_mass].std())).all()
        assert np.median(np.abs(back - values)) <= 3e-7 * np.median(np.abs(values[~of_mass]))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("fitted", [FITTED, CLIPPED], ids=["free", "clipped"])
def test_both_ways_never_fall(name, fitted):
    transform, values = fitted[name], ALL[name]
    x = np.sort(probes(transform, values))
    x = np.unique(np.concatenate([x, np.nextafter(x, np.inf), np.nextafter(x, -np.inf)]))
    z = transform.forward(x)[:, 0]
    assert (np.diff(z) >= 0.0).all()
    z = np.concatenate([z, transform.knots.z, np.linspace(-9, 9, 5001), [-1e6, 1e6]])
    z = np.unique(np.concatenate([z, np.nextafter(z, np.inf), np.nextafter(z, -np.inf)]))
    back = transform.inverse(z)[:, 0]
    assert np.isfinite(back).all()
    assert (np.diff(back) >= 0.0).all()


def test_rounding_does_not_step_over_a_knot():
    transform = QuantileToNormal.fit([-1e12, -1e-7, 5.0])
    z = transform.knots.z[1]
    assert transform.inverse([np.nextafter(z, -9.0), z])[:, 0].tolist() == [-1e-7, -1e-7]


@pytest.mark.parametrize("name", continuous())
def test_the_inverse_has_no_jumps_without_masses(name):
    transform = FITTED[name]
    z = np.concatenate([transform.knots.z, np.linspace(-9, 9, 1001)])
    step = transform.inverse(z + 1e-12)[:, 0] - transform.inverse(z - 1e-12)[:, 0]
    size = np.maximum(np.abs(transform.inverse(z)[:, 0]), local_scale(transform, transform.inverse(z)[:, 0]))
    assert (step <= 1e-6 * size).all()


@pytest.mark.parametrize("name", ["normal", "uniform", "lognormal", "cauchy", "eighteen decades", "two lobes"])
def test_a_continuous_column_becomes_normal(name):
    z = FITTED[name].forward(ALL[name])[:, 0]
    assert kstest(z, "norm").statistic < 0.003
    assert z.std() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("name", mixed())
def test_a_mixed_column_becomes_normal_with_positions_inside_masses(name):
    within = np.random.default_rng(4).random((ROWS, 1))
    z = FITTED[name].forward(ALL[name], within)[:, 0]
    # The largest difference of ROWS uniform numbers stays below 1.95 / sqrt(ROWS) in 999 of 1000 cases.
    assert kstest(z, "norm").statistic < 1.95 / np.sqrt(ROWS)
    assert np.array_equal(
        FITTED[name].inverse(z)[:, 0][np.isin(ALL[name], FITTED[name].masses)],
        ALL[name][np.isin(ALL[name], FITTED[name].masses)],
    )


@pytest.mark.parametrize("name", ALL)
def test_normal_numbers_become_the_column(name):
    values = ALL[name]
    z = ndtri((np.arange(ROWS) + 0.5) / ROWS)
    made = CLIPPED[name].inverse(z)[:, 0]
    points = np.unique(np.concatenate([values, FITTED[name].knots.x]))
    seen = np.searchsorted(np.sort(values), points, side="right") / len(values)
    found = np.searchsorted(np.sort(made), points, side="right") / ROWS
    # With n values each has a step of 1 / n, between whose halves the map is linear.
    assert np.abs(seen - found).max() < 0.003 + 0.55 / len(values)
    assert made.min() >= values.min()
    assert made.max() <= values.max()


@pytest.mark.parametrize("name", mixed())
def test_masses_are_found_and_come_back_to_the_bit(name):
    values, masses = mixed()[name]
    for transform in (FITTED[name], CLIPPED[name], QuantileToNormal.fit(values, masses=masses)):
        assert transform.masses.tolist() == masses
        assert transform.mass_ranges.shape == (len(masses), 2)
        for mass, (low, high) in zip(masses, transform.mass_ranges, strict=True):
            share = (values == mass).mean()
            assert ndtr(high) - ndtr(low) == pytest.approx(share, abs=1e-9)
            z = np.linspace(max(low, -1e6), min(high, 1e6), 999)[:-1]
            z = np.concatenate([z, np.linspace(max(low, -9), min(high, 9), 999)[:-1]])
            assert (transform.inverse(z) == mass).all()
            assert np.isneginf(low) == (mass == values.min())
            assert np.isposinf(high) == (mass == values.max())
            assert transform.ranks([mass])[0, 0] == pytest.approx(0.5 * (ndtr(low) + ndtr(high)), abs=1e-12)


def test_positions_inside_a_mass_are_of_its_ranks():
    transform = FITTED["dll"]
    (low, high), within = ndtr(transform.mass_ranges[0]), np.array([1e-12, 0.1, 0.25, 0.9, 1 - 1e-12])
    ranks = transform.ranks(np.zeros(5), within)[:, 0]
    assert ranks == pytest.approx(low + within * (high - low), abs=1e-13)
    assert (transform.inverse(transform.forward(np.zeros(5), within)) == 0.0).all()
    assert (transform.from_ranks(ranks) == 0.0).all()
    for bad in (0.0, 1.0, np.nan):
        with pytest.raises(DomainError, match="in the open interval"):
            transform.forward([0.0], [bad])


def test_the_range_of_a_mass_is_closed_below_and_open_above():
    # Edges this close together, far from others, are found by a search.
    weights = [1.0, *[1e-6] * 20, 1.0, 1.0]
    crowded = QuantileToNormal.fit(np.arange(23.0), weights, masses="all")
    for transform in (crowded, *FITTED.values(), *CLIPPED.values()):
        masses, (low, high) = transform.masses, transform.mass_ranges.T
        for end, z in ((low, low), (high, np.nextafter(high, -np.inf))):
            finite = np.isfinite(end)
            assert np.array_equal(transform.inverse(z[finite])[:, 0], masses[finite])
        for within in (5e-324, 1e-17, 0.5, np.nextafter(1.0, 0.0)):
            z = transform.forward(masses, np.full(len(masses), within))
            assert np.array_equal(transform.inverse(z)[:, 0], masses)


def test_a_row_of_hardly_any_weight_comes_back():
    values, weights = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([1.0, 1e-18, 1e-14, 1.0, 1e-300])
    for masses in ((), "all", (2.0, 3.0)):
        transform = QuantileToNormal.fit(values, weights, masses=masses)
        assert transform.inverse(transform.forward(values))[:, 0] == pytest.approx(values, rel=1e-6)


@given(st.floats(0, 1, exclude_min=True, exclude_max=True), st.sampled_from(sorted(mixed())))
def test_any_position_inside_a_mass_comes_back(within, name):
    transform = FITTED[name]
    for mass in transform.masses:
        z = transform.forward([mass], [within])
        assert np.isfinite(z).all()
        assert transform.inverse(z)[0, 0] == mass


@pytest.mark.parametrize("name", ALL)
def test_ranks_are_the_cumulative_distribution(name):
    transform, values = FITTED[name], np.sort(ALL[name])
    ranks = transform.ranks(values)[:, 0]
    assert ((ranks > 0.0) & (ranks < 1.0)).all()
    below = np.searchsorted(values, values, side="left") / len(values)
    up_to = np.searchsorted(values, values, side="right") / len(values)
    assert np.abs(ranks - 0.5 * (below + up_to)).max() < 0.003
    back = transform.from_ranks(ranks)[:, 0]
    # Near 1 a rank has few digits left for the tail, and all values as many as their neighbourhood needs.
    inner = (ranks > 1e-3) & (ranks < 0.999)
    error = np.abs(back - values) / np.maximum(np.abs(values), local_scale(transform, values))
    assert error[inner].max(initial=0.0) < 1e-9
    extremes = transform.ranks(transform.inverse([[-1e9], [1e9]]))
    assert ((extremes > 0.0) & (extremes < 1.0)).all()


def test_integers_are_all_masses_if_so_wished():
    values = np.random.default_rng(5).poisson(30.0, ROWS).astype(float)
    transform = QuantileToNormal.fit(values, masses="all")
    assert transform.masses.tolist() == sorted(set(values.tolist()))
    made = transform.inverse(np.random.default_rng(6).normal(size=ROWS))[:, 0]
    assert set(made.tolist()) <= set(values.tolist())
    share = [(values <= k).mean() - (made <= k).mean() for k in range(70)]
    assert np.abs(share).max() < 1.95 * np.sqrt(2 / ROWS)
    assert np.array_equal(transform.inverse(transform.forward(values).astype(np.float32))[:, 0], values)
    lowest, highest = values.min(), values.max()
    assert transform.inverse(transform.forward([lowest - 9, highest + 9]))[:, 0].tolist() == [lowest, highest]
    assert np.array_equal(transform.forward([lowest - 9, highest + 9]), transform.forward([lowest, highest]))
    ends = np.sort(np.concatenate([transform.masses, transform.masses + 0.5]))
    assert (np.diff(transform.forward(ends)[:, 0]) >= 0.0).all()
    with pytest.raises(DomainError, match="at most 10000 masses"):
        QuantileToNormal.fit(ALL["normal"], masses="all")


def test_declared_masses():
    values = np.array([0.1, 0.1, 0.2, 0.3, 0.5, 0.7], np.float32)
    transform = QuantileToNormal.fit(values, masses=[0.1, 5.0])
    assert transform.masses.tolist() == [float(np.float32(0.1))]
    assert not len(QuantileToNormal.fit(ALL["flag"], masses=()).masses)
    negative_zero = QuantileToNormal.fit([-0.0, -0.0, 1.0, -1.0], masses=[0.0])
    assert str(negative_zero.masses[0]) == "0.0"
    assert str(negative_zero.inverse(negative_zero.forward([-0.0]))[0, 0]) == "0.0"
    for bad in ("some", [np.nan], 3, ["a"]):
        with pytest.raises(ConfigError, match="expected masses as"):
            QuantileToNormal.fit(values, masses=bad)
    for bad in (1, 2.5, True):
        with pytest.raises(ConfigError, match="number of knots"):
            QuantileToNormal.fit(values, knots=bad)


def test_a_clipped_inverse_gives_only_what_was_seen():
    values, _ = mixed()["sentinel"]
    z = np.concatenate([np.linspace(-50, 50, 100_001), CLIPPED["sentinel"].knots.z])
    made = CLIPPED["sentinel"].inverse(np.concatenate([z, np.nextafter(z, 99), np.nextafter(z, -99)]))[:, 0]
    others = values[values >= 0.0]
    assert ((made == -1000.0) | ((made >= others.min()) & (made <= others.max()))).all()
    assert {-1000.0, others.min(), others.max()} <= set(made.tolist())
    assert FITTED["sentinel"].inverse([[5.0]])[0, 0] > others.max()
    z = np.concatenate([z, CLIPPED["dll"].knots.z])
    signs = CLIPPED["dll"].inverse(np.concatenate([z, np.nextafter(z, 99), np.nextafter(z, -99)]))[:, 0]
    nonzero = np.abs(ALL["dll"][ALL["dll"] != 0.0]).min()
    assert ((signs == 0.0) | (np.abs(signs) >= nonzero)).all()


def test_nothing_is_put_between_two_lobes():
    values = ALL["two lobes"]
    made = CLIPPED["two lobes"].inverse(ndtri((np.arange(10**6) + 0.5) / 10**6))[:, 0]
    assert (np.abs(made) < 0.5).sum() <= 10**6 / len(values)


@pytest.mark.parametrize("bounds", [(0.0, None), (None, 1.0), (0.0, 1.0), (-3.0, 2.0)])
def test_bounds_hold(bounds):
    low, high = bounds
    values = ALL["uniform"]
    transform = QuantileToNormal.fit(values, low=low, high=high)
    made = transform.inverse(np.concatenate([np.linspace(-1e4, 1e4, 1001), np.linspace(-9, 9, 1001)]))[:, 0]
    assert low is None or made.min() == low
    assert high is None or made.max() == high
    inside = np.linspace(-5 if low is None else low, 5 if high is None else high, 101)
    assert transform.inverse(transform.forward(inside))[:, 0] == pytest.approx(inside, abs=1e-9)
    for bound, bad in ((low, -7.0), (high, 7.0)):
        if bound is not None:
            with pytest.raises(DomainError, match=rf"values in \[.*\], got 2 others, the first {bad} in row 1"):
                transform.forward([0.5, bad, bad])


def test_training_values_beyond_bounds_are_refused():
    with pytest.raises(DomainError, match=r"training values in \[0, 1\], got 2 others, the first -0.5 in row 1"):
        QuantileToNormal.fit([0.5, -0.5, 2.0], low=0, high=1)
    with pytest.raises(ConfigError, match="low <= high"):
        QuantileToNormal.fit([0.5], low=1, high=0)


@pytest.mark.parametrize("name", ["normal", "uniform", "lognormal", "cauchy"])
def test_the_slope_beyond_is_that_of_the_tail(name):
    transform, values = FITTED[name], ALL[name]
    for side, z in ((0, -ndtri(0.5 / ROWS)), (1, ndtri(0.5 / ROWS))):
        sign = 1.0 if side else -1.0
        tail = np.quantile(values, 0.95 if side else 0.05)
        slope = sign * ((values.max() if side else values.min()) - tail) / (abs(z) - ndtri(0.95))
        assert transform.knots.slopes[side] == pytest.approx(slope, rel=0.02)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whole_weights_count_as_repeated_rows(data):
    n = data.draw(st.integers(2, 3000))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    values = np.round(rng.standard_t(2, n), data.draw(st.integers(1, 8)))
    values[rng.random(n) < 0.3] = 0.0
    repeats = rng.integers(0, 4, n)
    repeats[:2] = 1
    masses = data.draw(st.sampled_from([[0.0], [], "all"]))
    weighted = QuantileToNormal.fit(values, repeats * 0.37, masses=masses)
    repeated = QuantileToNormal.fit(np.repeat(values, repeats), masses=masses)
    assert weighted.masses.tolist() == repeated.masses.tolist()
    x = np.concatenate([values, rng.uniform(values.min() - 9, values.max() + 9, 100)])
    assert np.allclose(weighted.forward(x), repeated.forward(x), rtol=1e-7, atol=1e-7)


def test_weights_move_the_distribution():
    rng = np.random.default_rng(7)
    values = rng.uniform(0.0, 1.0, ROWS)
    weights = values
    z = QuantileToNormal.fit(values, weights).forward(values)[:, 0]
    assert np.abs(ndtr(z) - values**2).max() < 0.02
    mass = QuantileToNormal.fit(np.repeat([0.0, 1.0], 10), np.repeat([1.0, 3.0], 10))
    assert ndtr(mass.mass_ranges[0, 1]) == pytest.approx(0.25)


numbers = st.floats(-1e12, 1e12)


@given(
    st.lists(st.one_of(numbers, st.sampled_from([0.0, 1.0, -999.0])), min_size=1, max_size=60),
    st.sampled_from(["auto", "all", (0.0,), ()]),
    st.lists(st.floats(1e-9, 1e9), min_size=60, max_size=60),
    st.booleans(),
    st.lists(numbers, max_size=10),
)
@settings(deadline=None)
def test_any_sample_gives_a_sane_map(sample, masses, weights, clip, others):
    values = np.array(sample)
    transform = QuantileToNormal.fit(values, weights[: len(values)], masses=masses, clip=clip)
    z = transform.forward(values)
    back = transform.inverse(z)[:, 0]
    assert (np.abs(back - values) <= 1e-6 * np.maximum(np.abs(values), local_scale(transform, values))).all()
    of_mass = np.isin(values, transform.masses)
    assert np.array_equal(back[of_mass], values[of_mass])
    x = np.sort(np.concatenate([values, others]))
    assert (np.diff(transform.forward(x)[:, 0]) >= 0.0).all()
    made = transform.inverse(np.linspace(-12, 12, 49))[:, 0]
    assert np.isfinite(made).all()
    assert (np.diff(made) >= 0.0).all()
    if clip:
        assert values.min() <= made.min()
        assert made.max() <= values.max()
    stored = from_json(json.loads(json.dumps(transform.as_json(), allow_nan=False)))
    assert stored == transform
    assert np.array_equal(stored.forward(x), transform.forward(x))
    assert np.array_equal(stored.inverse(z), transform.inverse(z))
    within = np.full(len(values), 0.3)
    assert np.array_equal(stored.forward(values, within), transform.forward(values, within))


@pytest.mark.parametrize(
    "values", [[3.0], [3.0, 3.0], [1.0, 2.0], [0.0, 0.0, 5.0], [1e150, -1e150], [5e-324, 0.0, 1e-310]]
)
@pytest.mark.parametrize("masses", ["auto", "all", ()])
def test_tiny_samples(values, masses):
    transform = QuantileToNormal.fit(values, masses=masses)
    assert np.array_equal(transform.inverse(transform.forward(values))[:, 0], values)
    seen = transform.forward([-1e150, 0.0, 1e150])
    assert np.isfinite(seen).all()
    assert np.isfinite(transform.inverse(np.array([-1e150, -1.0, 0.0, 1.0, 1e150]))).all()


def knots(**changed):
    return {**QuantileToNormal.fit([0.0, 0.0, 1.0, 2.0, 3.0]).as_json(), **changed}


def test_the_stored_form_is_plain():
    stored = knots()
    assert from_json(stored).as_json() == stored
    assert set(stored) == {"kind", "z", "x", "masses", "slopes", "low", "high", "clip"}
    assert stored["masses"] == [0.0]
    assert len(stored["z"]) == 5


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"z": []}, "'x'"),
        ({"z": [], "x": []}, "two or more"),
        ({"z": [-10.0, 0.1, 0.0, 1.0, 2.0]}, "never fall"),
        ({"z": [-20.0, -1.0, 0.0, 1.0, 2.0]}, "within 10"),
        ({"z": [-10.0, -10.0, 0.0, 1.0, 2.0]}, "rising"),
        ({"z": [-10.0, -1.0, 0.0, 0.0, 2.0]}, "rising"),
        ({"x": [0.0, 0.0, 2.0, 1.0, 3.0]}, "each of `masses` twice"),
        ({"x": [0.0, 0.0, 1.0, 1.0, 3.0]}, "each of `masses` twice"),
        ({"masses": [1.0]}, "each of `masses` twice"),
        ({"masses": []}, "each of `masses` twice"),
        ({"slopes": [1.0, 1.0]}, "beside a mass"),
        ({"slopes": [0.0, -1.0]}, "beside a mass"),
        ({"slopes": [0.0, 0.0]}, "beside a mass"),
        ({"slopes": [0.0]}, "shape"),
        ({"low": 0.5}, "bounds outside"),
        ({"high": 2.5}, "bounds outside"),
        ({"high": "2"}, "finite numbers"),
        ({"clip": 1}, "true or false"),
    ],
)
def test_malformed_knots_are_refused(changed, message):
    with pytest.raises(ArtifactError, match=message):
        from_json(knots(**changed))

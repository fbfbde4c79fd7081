"""A particle's story depends on its event and number and on nothing else, and is never not a number."""

import numpy as np
import pytest
from guns import gun

from lamarrpy.detailed.geometry import lhcb_detector
from lamarrpy.detailed.hits import measure
from lamarrpy.detailed.transport import Fate, transport
from lamarrpy.detailed.transport.origins import Particles
from lamarrpy.draws import Draws
from lamarrpy.field import magnetic_field

SPECIES = [211, -211, 321, -321, 2212, -2212, 11, -11, 13, -13, 3222, -3312]


@pytest.fixture(scope="module")
def everything():
    return gun(3000, SPECIES, (500.0, 2e5), (1.0, 6.0), seed=7, spread=40.0)


def story(particles):
    """What happened, with the rows replaced by the ids that do not depend on the batch."""
    detector = lhcb_detector()
    truth = transport(particles, detector, magnetic_field("lhcb"), Draws(11, "t"))
    hits = measure(truth, detector, Draws(11, "h"))
    key = particles.event_id * 1000 + particles.particle_id
    columns = {
        f"own_{name}": getattr(truth, name) for name in ("fate", "end_z", "end_p", "decay_z", "deposited", "radiated")
    }
    columns["own_daughter"] = truth.daughter_pid
    columns |= {f"crossing_{k}": v for k, v in truth.crossings._asdict().items() if k != "row"}
    columns |= {f"photon_{k}": v for k, v in truth.photons._asdict().items() if k != "row"}
    columns |= {f"hit_{k}": v for k, v in hits._asdict().items() if k != "row"}
    ids = {"own": key, "crossing": key[truth.crossings.row], "photon": key[truth.photons.row], "hit": key[hits.row]}
    return {name: (ids[name.split("_")[0]], values) for name, values in columns.items()}


def same(a, b):
    for name, (key, values) in a.items():
        other_key, other = b[name]
        one, two = np.argsort(key, kind="stable"), np.argsort(other_key, kind="stable")
        assert np.array_equal(key[one], other_key[two]), name
        assert np.array_equal(values[one], other[two]), name


def test_same_in_any_chunks(everything):
    whole = story(everything)
    parts = [story(everything.at(slice(first, last))) for first, last in ((0, 50), (50, 1111), (1111, 3000))]
    joined = {name: tuple(np.concatenate([p[name][i] for p in parts]) for i in range(2)) for name in whole}
    same(whole, joined)


def test_same_in_any_order(everything):
    order = np.random.default_rng(1).permutation(len(everything.pid))
    same(story(everything), story(everything.at(order)))


def test_another_seed_is_another_story(everything):
    detector, field = lhcb_detector(), magnetic_field("lhcb")
    a, b = (transport(everything.at(slice(200)), detector, field, Draws(seed, "t")) for seed in (1, 2))
    assert not np.array_equal(a.end_p, b.end_p)


def test_never_not_a_number(everything):
    for name, (_, values) in story(everything).items():
        if name == "own_decay_z":
            assert not np.isnan(values).any()
        else:
            assert np.isfinite(values).all(), name


def test_every_fate_occurs(everything):
    detector = lhcb_detector()
    truth = transport(everything, detector, magnetic_field("lhcb"), Draws(11, "t"))
    assert set(truth.fate) >= {Fate.reached_end, Fate.left_acceptance, Fate.interacted, Fate.decayed}
    assert np.all(truth.end_p[truth.fate != Fate.stopped] > 0.0)


def test_inputs_stay_as_they_are(everything):
    before = Particles._make(column.copy() for column in everything)
    story(everything)
    for old, new in zip(before, everything, strict=True):
        assert np.array_equal(old, new)


def test_same_in_any_blocks(everything, monkeypatch):
    whole = story(everything)
    monkeypatch.setattr("lamarrpy.detailed.transport.journey.BLOCK", 700)
    same(whole, story(everything))

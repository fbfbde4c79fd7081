"""The Detailed Simulation from tables to tables: what it links, what it keeps, and that each event stands alone."""

import pickle
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from lamarrpy.detailed.simulation import DetailedSimulation
from lamarrpy.detailed.tables import (
    OF_CLUSTERS,
    OF_EVENTS,
    OF_HITS,
    OF_IDENTIFICATION,
    OF_PARTICLES,
    OF_PHOTONS,
    OF_TRACKS,
    OF_VERTICES,
)
from lamarrpy.errors import ConfigError
from lamarrpy.io import open_source
from lamarrpy.shipped import shipped
from lamarrpy.tables import SCHEMAS, EventBatch, generator_level
from lamarrpy.tables.batch import to_arrow_index

SEED = 11
DETAILED = DetailedSimulation()


def simulated(batch, seed=SEED):
    return DETAILED(batch, seed)[0]


@pytest.fixture(scope="module")
def events():
    with open_source(shipped("data", "bbbar_pythia8.parquet")) as source:
        return source.read(0, 10)[0]


@pytest.fixture(scope="module")
def whole(events):
    return DETAILED(events, SEED)


def of_particles(per_event=1000, **columns):
    """Events with a vertex at the origin and these particles, whose columns are lists or single values."""
    n = max(len(np.atleast_1d(values)) for values in columns.values())
    event = 3 + np.arange(n) // per_event
    given = {name: np.broadcast_to(values, n) for name, values in columns.items()}
    usual = {"mother_id": -1, "vertex_id": 0, "status": 1, "event_id": event, "x": 0.0, "y": 0.0, "z": 0.0}
    schema = generator_level("particles").only(*(c.name for c in generator_level("particles") if not c.optional))
    values = {**{name: np.full(n, value) for name, value in usual.items()}, "particle_id": np.arange(n), **given}
    ids = np.unique(event)
    batch = EventBatch({}).with_table(generator_level("events"), {"event_id": ids, "weight": np.ones(len(ids))})
    zero = np.zeros(len(ids))
    vertex = {"event_id": ids, "vertex_id": ids * 0, "true_x": zero, "true_y": zero, "true_z": zero}
    return batch.with_table(generator_level("vertices"), vertex).with_table(schema, values)


def same(a, b):
    """Whether two results hold the same rows, in whatever order."""
    assert set(a) == set(b)
    for name in a:
        one, two = (_sorted(batch, name) for batch in (a, b))
        assert one.num_rows == two.num_rows, name
        for column in one.column_names:
            assert one.column(column).combine_chunks().equals(two.column(column).combine_chunks()), f"{name}.{column}"


def _sorted(batch, name):
    return batch[name].take(to_arrow_index(np.lexsort(batch.arrays(name, *SCHEMAS[name].key)[::-1])))


def test_any_chunks_give_the_same(events, whole):
    ids = events.array("events", "event_id")
    parts = [simulated(events.select_events(part)) for part in (ids[:1], ids[1:4], ids[4:])]
    same(EventBatch.concat(parts), whole[0])


def test_any_order_of_events_gives_the_same(events, whole):
    ids = events.array("events", "event_id")
    turned = EventBatch.concat([events.select_events(ids[i : i + 1]) for i in reversed(range(len(ids)))])
    same(simulated(turned), whole[0])


def test_it_knows_nothing_of_stages():
    code = (
        "import sys, lamarrpy.detailed.simulation; print([m for m in sys.modules if m.startswith('lamarrpy.stages')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_another_seed_is_another_story(events, whole):
    ids = events.array("events", "event_id")[:1]
    other = simulated(events.select_events(ids), SEED + 1)
    assert not np.array_equal(other.array("tracks", "x"), whole[0].select_events(ids).array("tracks", "x"))


def test_a_copy_is_the_same_simulation(events):
    ids = events.array("events", "event_id")[:1]
    copy = pickle.loads(pickle.dumps(DETAILED))
    assert copy == DETAILED
    same(copy(events.select_events(ids), SEED)[0], simulated(events.select_events(ids)))


def test_tables_are_those_of_the_schemas(events, whole):
    out = whole[0]
    assert tuple(out) == DETAILED.output_tables
    of_events, of_particles = (*OF_EVENTS.names, *OF_HITS.names), (*OF_PARTICLES.names, *OF_PHOTONS.names)
    for name, written in (("particles", of_particles), ("vertices", OF_VERTICES.names), ("events", of_events)):
        expected = {*(n for n in generator_level(name).names if n in events[name].column_names), *written}
        assert set(out[name].column_names) == expected
    assert tuple(out["tracks"].column_names) == (*OF_TRACKS.names, *OF_IDENTIFICATION.names)
    assert tuple(out["clusters"].column_names) == OF_CLUSTERS.names
    for name in out:
        for column in out[name].column_names:
            flag = SCHEMAS[name][column].valid_under
            given = np.isfinite(out.array(name, column).astype(float))
            assert np.array_equal(given, out.array(name, flag) if flag else np.ones(len(given), bool)), column


def test_generator_rows_stay_as_they_are(events, whole):
    particles = whole[0]["particles"]
    ours = whole[0].array("particles", "status") != 3
    kept = particles.take(to_arrow_index(np.flatnonzero(ours))).select(events["particles"].column_names)
    assert kept.combine_chunks().equals(events["particles"].combine_chunks())


def test_columns_that_nobody_knows_stay_too(events, whole):
    ids = events.array("events", "event_id")[:1]
    some = events.select_events(ids)
    table = some["particles"]
    tagged = table.append_column("my_tag", pa.array(np.arange(table.num_rows)))
    out = simulated(EventBatch({**some.tables, "particles": tagged}))
    status, tag = out.arrays("particles", "status", "my_tag")
    assert np.array_equal(tag[status != 3], np.arange(table.num_rows))
    assert np.isnan(tag[status == 3]).all()


def test_tracks_and_particles_know_each_other(whole):
    out = whole[0]
    row = {key: i for i, key in enumerate(zip(*out.arrays("particles", "event_id", "particle_id"), strict=True))}
    pid, kind, ctb_x = out.arrays("particles", "pid", "track_type", "ctb_x")
    matched = out.array("tracks", "matched")
    event, particle, track_type, true_pid, true_x = out.arrays(
        "tracks", "event_id", "particle_id", "track_type", "true_pid", "true_x"
    )
    of = np.array([row[key] for key in zip(event[matched], particle[matched], strict=True)])
    assert len(np.unique(of)) == len(of) > 300
    assert np.array_equal(kind[of], track_type[matched])
    assert np.count_nonzero(kind) == len(of)
    assert np.array_equal(pid[of], true_pid[matched])
    assert np.array_equal(ctb_x[of], true_x[matched])
    assert (particle[~matched] == -1).all()
    assert (true_pid[~matched] == 0).all()
    assert (out.array("tracks", "chi2_per_dof") < 4.0).all()


def test_reconstructed_momenta_are_near_the_true_ones(whole):
    out = whole[0]
    long = (out.array("tracks", "track_type") == 3) & out.array("tracks", "matched")
    p, true_p, eta, true_eta = (out.array("tracks", name)[long] for name in ("p", "true_p", "eta", "true_eta"))
    assert np.median(np.abs(p / true_p - 1.0)) < 0.01
    assert np.median(np.abs(eta - true_eta)) < 0.01
    assert np.array_equal(out.array("tracks", "charge"), np.sign(out.array("tracks", "qop")))


def test_events_count_more_tracks_than_are_written(whole):
    out = whole[0]
    event = out.array("tracks", "event_id")
    written = [np.count_nonzero(event == number) for number in out.array("events", "event_id")]
    assert (out.array("events", "n_tracks") > written).all()
    found = out.array("vertices", "reconstructed")
    assert out.array("events", "n_pvs").sum() >= np.count_nonzero(found) > 10
    assert (out.array("vertices", "n_tracks")[found] >= 5).all()
    assert (out.array("vertices", "n_tracks")[~found] == 0).all()


def test_the_cut_flow_adds_up(whole):
    out, flow = whole
    counts = {(c.stage, c.quantity): c for c in flow.counts}
    followed = counts["origins", "followed"].passed
    assert followed == np.count_nonzero(out.array("particles", "propagated"))
    reasons = sum(c.passed for c in flow.counts if c.quantity.startswith("left out: "))
    assert followed + reasons == counts["origins", "followed"].of
    fates = ("reached end", "left acceptance", "interacted", "decayed", "stopped")
    assert sum(counts["transport", fate].passed for fate in fates) == followed
    made = counts["transport", "decayed, the daughter goes on"].passed + counts["transport", "photons radiated"].passed
    assert made == np.count_nonzero(out.array("particles", "status") == 3)
    assert counts["output", "Long"].passed == np.count_nonzero(out.array("tracks", "track_type") == 3)
    assert counts["output", "ghosts"].passed == np.count_nonzero(~out.array("tracks", "matched"))
    assert DETAILED.remarks(flow) == ()


def test_no_events_and_no_charged_particles(events):
    ids = events.array("events", "event_id")
    empty = simulated(events.select_events(ids[:0]))
    assert all(empty[name].num_rows == 0 for name in empty)
    photon = simulated(of_particles(pid=22, px=10.0, py=0.0, pz=5e3))
    assert photon["tracks"].num_rows == 0
    assert photon.array("events", "n_tracks").tolist() == [0]
    assert photon.array("vertices", "reconstructed").tolist() == [False]
    bare = of_particles(pid=22, px=10.0, py=0.0, pz=5e3)
    bare = EventBatch({**bare.tables, "particles": bare["particles"].slice(0, 0)})
    assert simulated(bare).array("events", "n_tracks").tolist() == [0]


def test_the_tracking_system_alone_gives_the_same_tracks(events, whole):
    ids = events.array("events", "event_id")[:3]
    alone = DetailedSimulation(identification=False)
    out, _ = alone(events.select_events(ids), SEED)
    assert tuple(out) == alone.output_tables == ("events", "vertices", "particles", "tracks")
    full = whole[0].select_events(ids)
    for name in out:
        shared = full[name].select(out[name].column_names).combine_chunks()
        assert out[name].combine_chunks().equals(shared), name
    assert alone.describe() != DETAILED.describe()


def test_identification_says_what_it_may(whole):
    out = whole[0]
    of = {name: out.array("tracks", name) for name in (*OF_IDENTIFICATION.names, "track_type", "p")}
    for h in ("e", "pi", "k", "p"):
        assert ((of[f"prob_nn_{h}"] >= 0.0) & (of[f"prob_nn_{h}"] <= 1.0)).all()
    assert np.array_equal(np.isfinite(of["prob_nn_mu"]), of["is_muon"])
    assert not (of["is_muon"] & ~of["in_muon"]).any()
    assert not of["is_muon"][of["p"] < 3e3].any()
    nowhere = ~of["in_rich1"] & ~of["in_rich2"]
    assert all((of[f"rich_dll_{h}"][nowhere] == 0.0).all() for h in ("e", "mu", "k", "p"))
    upstream = of["track_type"] == 4
    assert not (of["in_rich2"] | of["in_muon"] | of["in_calo"])[upstream].any()
    assert np.array_equal(of["comb_dll_k"], of["rich_dll_k"])
    assert np.array_equal(of["comb_dll_p"], of["rich_dll_p"])
    kaons = (np.abs(out.array("tracks", "true_pid")) == 321) & of["in_rich1"] & (of["p"] > 1e4) & (of["p"] < 4e4)
    pions = (np.abs(out.array("tracks", "true_pid")) == 211) & of["in_rich1"] & (of["p"] > 1e4) & (of["p"] < 4e4)
    assert np.median(of["rich_dll_k"][kaons]) > 5.0
    assert np.median(of["rich_dll_k"][pions]) < -5.0


def test_photons_and_clusters_know_each_other(whole):
    out = whole[0]
    clusters = {key: i for i, key in enumerate(zip(*out.arrays("clusters", "event_id", "cluster_id"), strict=True))}
    assert len(clusters) == out["clusters"].num_rows > 50
    found = np.flatnonzero(out.array("particles", "cluster_type") > 0)
    names = ("event_id", "cluster_id", "cluster_type", "ecal_x", "ecal_y", "pid")
    event, cluster, kind, x, y, pid = (out.array("particles", name)[found] for name in names)
    of = np.array([clusters[key] for key in zip(event, cluster, strict=True)])
    assert (pid == 22).all()
    assert np.array_equal(out.array("clusters", "cluster_type")[of], kind)
    away = np.hypot(out.array("clusters", "x")[of] - x, out.array("clusters", "y")[of] - y)
    assert away.max() < 35.0  # a Moliere radius
    other = out.array("particles", "cluster_type") == 0
    assert (out.array("particles", "cluster_id")[other] == -1).all()
    assert not out.array("particles", "in_ecal")[out.array("particles", "pid") != 22].any()
    for name in ("photon_id", "is_not_e", "is_not_h"):
        assert ((out.array("clusters", name) >= 0.0) & (out.array("clusters", name) <= 1.0)).all()


def test_events_count_their_hits(whole):
    out = whole[0]
    tracks = out.array("events", "n_tracks")
    for name in OF_HITS.names:
        hits = out.array("events", name)
        assert (hits > 0).all()
        assert np.corrcoef(hits, tracks)[0, 1] > 0.6


def test_charge_conjugation_with_the_other_polarity_is_the_mirror_image():
    """Positive particles in MagUp go where negative ones go in MagDown, and leave the same light there."""
    n = 400
    momenta = {
        "px": np.tile([-1500.0, -500.0, 500.0, 1500.0], n // 4),
        "py": np.linspace(-1500.0, 1500.0, n),
        "pz": 2e4,
    }
    plus = DetailedSimulation("MagUp")(of_particles(4, pid=13, **momenta), SEED)[0]
    minus = DetailedSimulation("MagDown")(of_particles(4, pid=-13, **momenta), SEED)[0]
    keys = []
    for out in (plus, minus):
        ids = zip(*out.arrays("tracks", "event_id", "particle_id"), strict=True)
        keys.append({key: row for row, key in enumerate(ids) if key[1] >= 0})
    both = [key for key in keys[0] if key in keys[1]]
    assert len(both) > 0.8 * n
    one, two = ([k[key] for key in both] for k in keys)
    for name in ("rich_dll_k", "rich_dll_e"):
        a, b = plus.array("tracks", name)[one], minus.array("tracks", name)[two]
        assert np.mean(np.abs(a - b) < 1e-3 + 1e-3 * np.abs(b)) > 0.95, name
    assert np.mean(plus.array("tracks", "is_muon")[one] == minus.array("tracks", "is_muon")[two]) > 0.98


def test_a_lone_muon_is_a_long_track():
    out = simulated(of_particles(pid=13, px=600.0, py=900.0, pz=2e4))
    assert out.array("tracks", "track_type").tolist() == [3]
    assert out.array("particles", "track_type").tolist()[0] == 3
    assert out.array("tracks", "p")[0] == pytest.approx(np.sqrt(600.0**2 + 900.0**2 + 2e4**2), rel=0.03)
    assert out.array("tracks", "charge").tolist() == [-1]
    assert out.array("events", "n_pvs").tolist() == [0]


def test_what_flies_along_the_beam_has_finite_kinematics():
    out = simulated(of_particles(pid=13, px=0.0, py=0.0, pz=2e4))
    assert out.array("particles", "propagated").tolist() == [True]
    assert out.array("particles", "track_type").tolist() != [3]
    assert np.isfinite(out.array("particles", "eta")).all()


def test_events_are_simulated_some_at_a_time_and_come_out_whole(events, whole, monkeypatch):
    monkeypatch.setattr("lamarrpy.detailed.simulation.PARTICLES_AT_ONCE", 150)
    result, flow = DETAILED(events, SEED)
    same(result, whole[0])
    assert flow == whole[1]
    for name in result:
        assert np.array_equal(result.array(name, "event_id"), whole[0].array(name, "event_id"))


def test_what_cannot_be_followed_is_counted_and_told():
    batch = of_particles(
        pid=[211, 211, 211, 1234567, 1000020040],
        px=[0.0, 100.0, 100.0, 100.0, 100.0],
        py=0.0,
        pz=[0.0, 5e3, 5e3, 5e3, 5e3],
        z=[0.0, 2e4, 0.0, 0.0, 0.0],
    )
    out, flow = DETAILED(batch, SEED)
    assert out.array("particles", "propagated")[:5].tolist() == [False, False, True, False, False]
    (warning,) = DETAILED.remarks(flow)
    for words in ("1 without momentum", "1 of unknown species", "1 with a charge other", "1 born outside"):
        assert words in warning
    for name in out:
        for column in out[name].column_names:
            values, flag = out.array(name, column), SCHEMAS[name][column].valid_under
            assert np.isfinite(values[out.array(name, flag)] if flag else values).all()


def test_photons_carry_what_electrons_lose():
    n = 300
    out = simulated(of_particles(pid=11, px=np.linspace(-3e3, 3e3, n), py=700.0, pz=2e4))
    made = out.array("particles", "status") == 3
    pid, mother, p_id, t_x, t_y, t_z, px, py, pz = (
        out.array("particles", name)[made]
        for name in ("pid", "mother_id", "particle_id", "x", "y", "z", "px", "py", "pz")
    )
    assert (pid == 22).all()
    assert np.array_equal(p_id, np.arange(n, n + len(p_id)))
    assert (np.diff(mother) >= 0).all()
    energy = np.sqrt(px**2 + py**2 + pz**2)
    assert (energy >= 10.0).all()
    first = out.array("particles", "px")[:n], out.array("particles", "py")[:n], out.array("particles", "pz")[:n]
    total = np.sqrt(sum(np.asarray(a) ** 2 for a in first))
    radiated = np.bincount(mother, energy, n)
    assert (radiated < total).all()
    assert 0.1 < np.mean(radiated / total) < 0.6
    velo = t_z < 700.0
    assert np.abs(t_x - t_z * px / pz)[velo].max() < 5.0
    assert np.abs(t_y - t_z * py / pz)[velo].max() < 5.0
    assert not out.array("particles", "propagated")[made].any()


def test_muons_of_decays_are_rows_and_their_hits_are_the_mothers():
    n = 3000
    ids = np.arange(n)
    out = simulated(of_particles(1, particle_id=ids, pid=-321, px=np.linspace(-800.0, 800.0, n), py=600.0, pz=6e3))
    made = np.flatnonzero(out.array("particles", "status") == 3)
    pid, mother, z = (out.array("particles", name)[made] for name in ("pid", "mother_id", "z"))
    muons = pid == 13
    assert set(pid) == {13, -211}
    assert 0.7 < np.mean(muons) < 0.8  # .6356 / (.6356 + .2067)
    assert len(np.unique(mother)) == len(mother) > 300
    behind_velo = made[muons & (z > 1000.0) & (z < 7000.0)]
    tracked = out.array("particles", "track_type")[out.array("particles", "mother_id")[behind_velo]]
    assert np.count_nonzero(tracked == 3) > 0.3 * len(tracked) > 20
    assert (out.array("particles", "track_type")[made] == 0).all()
    linked = np.isin(out.array("tracks", "particle_id"), out.array("particles", "mother_id")[behind_velo])
    assert (out.array("tracks", "true_pid")[linked] == -321).all()


def test_the_polarity_turns_the_magnet():
    with pytest.raises(ConfigError, match="expected the polarity MagUp or MagDown, got 'up'"):
        DetailedSimulation("up")
    pion = of_particles(pid=211, px=300.0, py=400.0, pz=3e3)
    anti = of_particles(pid=-211, px=-300.0, py=400.0, pz=3e3)
    assert simulated(pion)["tracks"].num_rows == simulated(anti)["tracks"].num_rows == 1
    assert DetailedSimulation("MagDown").describe() != DETAILED.describe()
    up, down = (DetailedSimulation(polarity)(pion, SEED)[0] for polarity in ("MagUp", "MagDown"))
    assert up.array("tracks", "charge").tolist() == down.array("tracks", "charge").tolist() == [1]
    assert up.array("tracks", "x")[0] != down.array("tracks", "x")[0]

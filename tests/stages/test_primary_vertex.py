from __future__ import annotations

import numpy as np
import pytest

from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError
from lamarrpy.io import open_source
from lamarrpy.shipped import shipped
from lamarrpy.stages.flavour import contains_quark
from lamarrpy.stages.primary_vertex import PrimaryVertex
from lamarrpy.tables import EVENTS, PARTICLES, VERTICES, EventBatch
from lamarrpy.tables.batch import to_arrow_index
from lamarrpy.testing import check_stage

READ = ("event_id", "particle_id", "vertex_id", "pid", "px", "py", "pz", "status")
CONDITIONS = [(2016, "MagUp"), (2016, "MagDown"), (2017, "MagUp"), (2018, "MagUp")]


def collisions(events: int, each: int = 1) -> EventBatch:
    """Collisions of which no particle was generated."""
    event_id = np.repeat(np.arange(events) * 3, each)
    position = Draws(3).rows(event_id, np.arange(len(event_id)))
    batch = EventBatch({}).with_table(EVENTS.only("event_id"), {"event_id": np.arange(events) * 3})
    batch = batch.with_table(PARTICLES.only(*READ), {name: np.zeros(0) for name in READ})
    return batch.with_table(
        VERTICES.only("event_id", "vertex_id", "true_x", "true_y", "true_z"),
        {
            "event_id": event_id,
            "vertex_id": np.arange(len(event_id)) % each,
            "true_x": 0.8 + 0.03 * position.normal(0),
            "true_y": -0.2 + 0.03 * position.normal(1),
            "true_z": 40 * position.normal(2),
        },
    )


def run(stage: PrimaryVertex, batch: EventBatch) -> EventBatch:
    return stage(batch, Draws(1, stage.name))


@pytest.mark.parametrize(("year", "polarity"), CONDITIONS)
def test_pulls_are_standard_normal(year, polarity):
    out = run(PrimaryVertex(year, polarity), collisions(40_000))
    for axis in "xyz":
        difference = out.array("vertices", axis) - out.array("vertices", f"true_{axis}")
        pull = difference / np.sqrt(out.array("vertices", f"cov_{axis}_{axis}"))
        assert abs(pull.mean()) < 0.03  # 4 standard errors and the offset of the source, at most 1.3 % of a width
        assert abs(pull.std() - 1) < 0.016
        inside = [np.mean(np.abs(pull) < k) for k in (1, 2, 3)]
        assert inside == pytest.approx([0.6827, 0.9545, 0.9973], abs=0.01)


def test_widths_of_2016_magup():
    """rms and single widths of the published mixture for 2016 MagUp."""
    out = run(PrimaryVertex(), collisions(60_000))
    for axis, rms, widths in (
        ("x", 0.0234, (0.01176, 0.02246, 0.04501)),
        ("y", 0.0219, (0.01130, 0.02129, 0.04236)),
        ("z", 0.128, (0.07201, 0.17024, 0.42375)),
    ):
        difference = out.array("vertices", axis) - out.array("vertices", f"true_{axis}")
        assert difference.std() == pytest.approx(rms, rel=0.03)
        reported = np.sqrt(out.array("vertices", f"cov_{axis}_{axis}"))
        assert np.allclose(np.unique(reported.round(9)), widths)
    widest = np.sqrt(out.array("vertices", "cov_z_z")) > 0.4
    assert widest.mean() == pytest.approx(0.03295, abs=0.003)


def test_axes_are_independent():
    out = run(PrimaryVertex(), collisions(5000))
    for pair in ("x_y", "x_z", "y_z"):
        assert not out.array("vertices", f"cov_{pair}").any()
    dx, dy = (out.array("vertices", a) - out.array("vertices", f"true_{a}") for a in "xy")
    assert abs(np.corrcoef(dx, dy)[0, 1]) < 0.06
    assert abs(np.corrcoef(dx**2, dy**2)[0, 1]) < 0.06


def test_counts_the_vertices_of_each_event():
    batch = collisions(4, each=2)
    kept = batch["vertices"].take(to_arrow_index(np.array([7, 0, 2, 3, 1])))  # two, two, none, one
    out = run(PrimaryVertex(), EventBatch({**batch.tables, "vertices": kept}))
    assert out.array("events", "n_pvs").tolist() == [2, 2, 0, 1]


def with_particles(batch: EventBatch, *particles: tuple[int, int, float, float]) -> EventBatch:
    """The collisions with particles (vertex_id, pid, p [MeV], eta) of the first event."""
    vertex_id, pid, p, eta = (np.array(column) for column in zip(*particles, strict=True))
    n, event_id = len(pid), batch.array("events", "event_id")[0]
    values = {
        "event_id": np.full(n, event_id),
        "particle_id": np.arange(n),
        "vertex_id": vertex_id,
        "pid": pid,
        "px": p / np.cosh(eta),
        "py": np.zeros(n),
        "pz": p * np.tanh(eta),
        "status": np.ones(n, int),
    }
    return batch.with_table(PARTICLES.only(*READ), values)


BEAMS = [(0, 2212, 6.4e6, 9.0), (0, 2212, 6.4e6, -9.0)]
"""What an elastic collision leaves, or a hard one besides what is listed."""


@pytest.mark.parametrize(
    ("particles", "found"),
    [
        (BEAMS, False),
        ([*BEAMS, *[(0, 211, 3e3, 3.0)] * 3], False),
        ([*BEAMS, *[(0, 211, 3e3, 3.0)] * 4], True),
        ([*BEAMS, *[(0, 22, 3e3, 3.0)] * 4], False),  # neutral
        ([*BEAMS, *[(0, 211, 3e3, 1.9), (0, 211, 3e3, 5.1), (0, 211, 3e3, -3.0)] * 4], False),  # not in the VELO
        ([(0, 13, 20e3, 3.0)], True),  # a gun: the other particles are not simulated
        ([(0, 211, 3e3, 1.0)], True),
    ],
)
def test_collisions_that_leave_nothing_in_the_detector_are_not_found(particles, found):
    out = run(PrimaryVertex(), with_particles(collisions(1), *particles))
    assert out.array("vertices", "reconstructed").tolist() == [found]
    assert out.array("events", "n_pvs").tolist() == [int(found)]
    for column in ("x", "y", "z", "cov_x_x", "cov_x_z", "cov_z_z"):
        assert out["vertices"].column(column).null_count == (not found)
    assert run(PrimaryVertex(min_tracks=0), with_particles(collisions(1), *particles)).array("events", "n_pvs") == [1]


def test_the_other_vertices_of_an_event_stay_as_they_are():
    alone = run(PrimaryVertex(), collisions(2, each=2))
    out = run(PrimaryVertex(), with_particles(collisions(2, each=2), *BEAMS))
    assert out.array("vertices", "reconstructed").tolist() == [False, True, True, True]
    assert out.array("events", "n_pvs").tolist() == [1, 2]
    assert np.array_equal(out.array("vertices", "x")[1:], alone.array("vertices", "x")[1:])


def test_only_undecayed_particles_count():
    pions = [(0, 211, 3e3, 3.0)] * 4
    batch = with_particles(collisions(1), *BEAMS, *pions)
    status = {"status": np.array([1, 1, 2, 2, 2, 2])}
    out = run(PrimaryVertex(), batch.with_columns(PARTICLES.only("status"), status))
    assert not out.array("vertices", "reconstructed").any()


def test_min_tracks_is_not_negative():
    with pytest.raises(ConfigError, match=r"min_tracks.*0 or more, got -1"):
        PrimaryVertex(min_tracks=-1)


def test_collisions_of_pythia():
    """A fifth of inelastic and elastic collisions leaves nothing in 2 < eta < 5; those with a b hadron all do."""
    with open_source(shipped("data", "bbbar_pythia8.parquet")) as source:
        batch, _ = source.read(0, 60)
    out = run(PrimaryVertex(), batch)
    event_id, vertex_id, pid = out.arrays("particles", "event_id", "vertex_id", "pid")
    key = out.array("vertices", "event_id") * 100 + out.array("vertices", "vertex_id")
    with_b = np.isin(key, (event_id * 100 + vertex_id)[contains_quark(pid, 5)])
    found = out.array("vertices", "reconstructed")
    assert found[with_b].all()
    assert 0.2 < 1 - found[~with_b].mean() < 0.5
    assert out.array("events", "n_pvs").min() >= 1


def test_unknown_conditions_name_the_known_ones():
    with pytest.raises(ConfigError, match=r"2016 MagUp, 2016 MagDown, 2017 MagUp, 2018 MagUp.*got 2018 MagDown"):
        PrimaryVertex(2018, "MagDown")
    with pytest.raises(ConfigError, match="got 2012 MagUp"):
        PrimaryVertex(2012)


def test_conformance():
    for year, polarity in CONDITIONS[:2]:
        check_stage(PrimaryVertex(year, polarity), with_particles(collisions(30, each=2), *BEAMS))

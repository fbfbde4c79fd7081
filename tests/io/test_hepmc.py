from __future__ import annotations

import gzip

import numpy as np
import pytest
from io_samples import hepmc_event, same, small_pieces, write_hepmc
from pyhepmc import GenEvent, GenParticle, GenVertex, Units

from lamarrpy.errors import InputError
from lamarrpy.io import open_source
from lamarrpy.io.hepmc_graph import LEFT_OUT, Graph, kept_particles

FORMATS = ["hepmc3", "hepmc2"]


def read(path, **options):
    with open_source(path, **options) as source:
        return source.read(0, len(source))[0]


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("suffix", [".hepmc", ".hepmc3", ".hepmc2", ".hepmc.gz", ".hepmc2.gz"])
def test_units_status_and_mothers(tmp_path, file_format, suffix):
    path = write_hepmc(tmp_path / f"e{suffix}", [hepmc_event(3)], file_format)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == suffix.endswith(".gz")
    batch = read(path)
    rows = batch["particles"].to_pydict()
    assert rows["pid"] == [511, 22, 321, -211]
    assert rows["status"] == [2, 1, 1, 1]
    meson = rows["particle_id"][0]
    assert rows["mother_id"] == [-1, -1, meson, meson]
    assert rows["event_id"] == [3] * 4
    assert rows["vertex_id"] == [0] * 4
    expected = {
        "px": [1000, 10, 600, 400],
        "py": [2000, 20, 1500, 500],
        "pz": [30000, 300, 20000, 10000],
        "x": [0.5, 0.5, 1.5, 1.5],
        "y": [0.25, 0.25, 2.25, 2.25],
        "z": [10, 10, 40, 40],
        "t": [8 / 299.792458] * 2 + [40 / 299.792458] * 2,
    }
    for name, values in expected.items():
        assert rows[name] == pytest.approx(values, rel=1e-14), name
    assert batch["vertices"].to_pydict() == {
        "event_id": [3],
        "vertex_id": [0],
        **{f"true_{axis}": rows[axis][:1] for axis in "xyz"},
    }
    assert batch["events"].to_pydict() == {"event_id": [3], "weight": [3.25]}


@pytest.mark.parametrize("momentum", ["GEV", "MEV"])
@pytest.mark.parametrize("length", ["CM", "MM"])
def test_every_unit_gives_the_same_event(tmp_path, momentum, length):
    expected = read(write_hepmc(tmp_path / "a.hepmc", [hepmc_event(0, "MEV", "MM")]))["particles"]
    got = read(write_hepmc(tmp_path / "b.hepmc", [hepmc_event(0, momentum, length)]))["particles"]
    for name in expected.column_names:
        assert got.column(name).to_pylist() == pytest.approx(expected.column(name).to_pylist(), rel=1e-14)


def test_hepmc2_and_hepmc3_agree(tmp_path):
    events = [hepmc_event(i, collisions=1 + i % 3) for i in range(9)]
    three, two = (read(write_hepmc(tmp_path / f"{f}.hepmc", events, f)) for f in FORMATS)
    for table in three:
        ids = ("particle_id", "mother_id")  # numbered by the order in which each format lists particles
        drop = [name for name in ids if name in three[table].column_names]
        key = [("event_id", "ascending")] + ([("pz", "ascending")] if table == "particles" else [])
        assert same(*(batch[table].drop_columns(drop).sort_by(key) for batch in (three, two)))


def test_what_is_left_out_is_counted(tmp_path):
    path = write_hepmc(tmp_path / "e.hepmc", [hepmc_event(i) for i in range(5)])
    with open_source(path) as source:
        assert source.notes == (
            "left out 10 beam particles of the HepMC record",
            "left out 5 particles with a status other than 1, 2 and 4 of the HepMC record",
        )


@pytest.mark.parametrize("file_format", FORMATS)
def test_collisions_are_numbered(tmp_path, file_format):
    batch = read(write_hepmc(tmp_path / "e.hepmc", [hepmc_event(0, collisions=3)], file_format))
    pz, collision, x, z = batch.arrays("particles", "pz", "vertex_id", "x", "z")
    mesons = pz >= 30000
    assert (pz[mesons] - 30000).round().astype(int).tolist() == collision[mesons].tolist()
    assert sorted(collision.tolist()) == [0] * 4 + [1] * 4 + [2] * 4
    assert batch.array("vertices", "true_z").tolist() == pytest.approx([10, 11, 12])
    assert ((z == 10 + collision) == (x == 0.5)).all()


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_event_without_particles_is_an_event(tmp_path, file_format):
    empty = GenEvent(Units.GEV, Units.MM)
    empty.event_number = 8
    path = write_hepmc(tmp_path / "e.hepmc", [hepmc_event(7), empty, hepmc_event(9)], file_format)
    with open_source(path) as source:
        assert source.event_ids[:].tolist() == [7, 8, 9]
        assert source.rows[:].tolist() == [4, 0, 4]


def test_later_files_get_later_event_ids(tmp_path):
    write_hepmc(tmp_path / "a.hepmc", [hepmc_event(i) for i in (5, 2)])
    write_hepmc(tmp_path / "b.hepmc.gz", [hepmc_event(i) for i in (0, 3)], "hepmc2")
    write_hepmc(tmp_path / "c.hepmc", [hepmc_event(i) for i in (-4, 0)])
    expected = [5, 2, 6, 9, 10, 14]
    with open_source(tmp_path) as folder, open_source(sorted(tmp_path.iterdir())) as files:
        assert folder.event_ids[:].tolist() == files.event_ids[:].tolist() == expected
        assert folder.read(2, 4)[0].array("events", "weight").tolist() == [0.25, 3.25]


def test_event_numbers_that_are_not_unique_become_positions(tmp_path):
    path = write_hepmc(tmp_path / "a.hepmc", [hepmc_event(0) for _ in range(3)])
    with open_source(path) as source:
        assert source.event_ids[:].tolist() == [0, 1, 2]
        assert source.rows[:].tolist() == [4, 4, 4]


def test_a_momentum_that_is_not_a_number(tmp_path):
    path = write_hepmc(tmp_path / "a.hepmc", [hepmc_event(i, "MEV", "MM") for i in range(3)])
    lines = path.read_text().splitlines()
    at = [i for i, line in enumerate(lines) if " 321 " in line][1]
    fields = lines[at].split(" ")
    fields[4] = "nan"
    path.write_text("\n".join([*lines[:at], " ".join(fields), *lines[at + 1 :], ""]))
    with pytest.raises(InputError, match=r"a.hepmc, row 6 \(event_id 1, particle_id 6\), column 'px'.*got nan"):
        read(path)
    with open_source(path, on_bad_rows="drop") as source:
        assert source.read(0, 3)[1].reasons == {"NaN or infinite px": 1}


def test_many_events_in_several_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("lamarrpy.io.hepmc.BLOCK_ROWS", 7)
    path = write_hepmc(tmp_path / "a.hepmc.gz", [hepmc_event(i) for i in range(30, 0, -1)])
    with small_pieces(), open_source(path) as source:
        assert source.event_ids[:].tolist() == list(range(30, 0, -1))
        batch, _ = source.read(0, 30)
        assert batch["particles"].num_rows == 120
        parts = [source.read(i, i + 3)[0]["particles"] for i in range(0, 30, 3)]
    assert [row for part in parts for row in part.to_pylist()] == batch["particles"].to_pylist()


def test_a_gzip_file_that_holds_no_hepmc(tmp_path):
    (tmp_path / "a.hepmc.gz").write_bytes(gzip.compress(b"hello\n"))
    with pytest.raises(InputError, match="expected HepMC2 or HepMC3 ASCII"):
        open_source(tmp_path / "a.hepmc.gz")


class TestKept:
    @pytest.mark.parametrize(
        ("pid", "status", "reason"),
        [
            (211, 1, 0),
            (22, 1, 0),
            (511, 2, 0),
            (-15, 2, 0),
            (443, 2, 0),
            (1000020040, 1, 0),
            (321, 999, 0),
            (511, 777, 0),
            (511, 888, 0),
            (2212, 4, 1),
            (11, 4, 1),
            (23, 22, 2),
            (111, 3, 2),
            (5, 2, 3),
            (21, 1, 3),
            (2101, 2, 3),
            (-3303, 2, 3),
            (92, 2, 3),
            (990, 2, 3),
            (5212, 2, 4),
        ],
    )
    def test_who_is_kept_and_why_not(self, pid, status, reason):
        got = kept_particles(np.array([pid]), np.array([status]))[1][0]
        assert LEFT_OUT[got] == LEFT_OUT[reason]

    def test_codes_of_gauss_are_translated(self):
        status = kept_particles(np.full(4, 511), np.array([777, 888, 889, 999]))[0]
        assert status.tolist() == [2, 2, 2, 1]

    def test_an_undecayed_particle_of_no_known_species_is_an_error(self, tmp_path):
        event = hepmc_event()
        event.particles[-1].pid = 5212
        with pytest.raises(InputError, match="expected a PDG particle number, got 5212"):
            read(write_hepmc(tmp_path / "a.hepmc", [event]))


class TestHistory:
    def test_a_kept_ancestor_is_found_through_any_number_of_partons(self):
        event = GenEvent(Units.MEV, Units.MM)
        start = last = GenParticle((0, 0, 1, 1), 553, 2)
        for i in range(50):
            following = GenParticle((0, 0, 1, 1), 21, 70)
            vertex = GenVertex((0, 0, i, i))
            vertex.add_particle_in(last)
            vertex.add_particle_out(following)
            event.add_vertex(vertex)
            last = following
        last.pid, last.status = 211, 1
        graph = Graph.of(event)
        keep = kept_particles(graph.pid, graph.status)[1] == 0
        assert graph.mothers(keep)[last.id - 1] == start.id

    def test_a_kept_particle_comes_before_partons_that_enter_the_same_vertex(self):
        event = GenEvent(Units.MEV, Units.MM)
        incoming = [GenParticle((0, 0, 1, 1), pid, 2) for pid in (21, 443, 310)]
        vertex = GenVertex((1, 2, 3, 4))
        child = GenParticle((0, 0, 1, 1), 13, 1)
        for particle in incoming:
            vertex.add_particle_in(particle)
        vertex.add_particle_out(child)
        event.add_vertex(vertex)
        graph = Graph.of(event)
        keep = kept_particles(graph.pid, graph.status)[1] == 0
        assert graph.mothers(keep)[child.id - 1] == incoming[1].id

    def test_a_vertex_without_a_position_stands_where_its_ancestors_start(self):
        event = GenEvent(Units.MEV, Units.MM)
        a, b, c = (GenParticle((0, 0, 1, 1), pid, 2) for pid in (511, 113, 211))
        first, second, third = GenVertex((1, 2, 3, 4)), GenVertex(), GenVertex()
        first.add_particle_in(GenParticle((0, 0, 1, 1), 2212, 4))
        first.add_particle_out(a)
        second.add_particle_in(a)
        second.add_particle_out(b)
        third.add_particle_in(b)
        third.add_particle_out(c)
        for vertex in (first, second, third):
            event.add_vertex(vertex)
        assert Graph.of(event).origins()[:, c.id - 1].tolist() == [1, 2, 3, 4]

    def test_a_loop_is_refused(self):
        graph = Graph(
            np.array([(21, 70)] * 2, [("pid", "i4"), ("status", "i4")]),
            np.zeros(2, [(name, "f8") for name in "xyzt"]),
            np.array([0, 1, 2]),
            np.array([[1, 2], [2, 1]]),
            (0.0, 0.0, 0.0, 0.0),
            5,
        )
        with pytest.raises(InputError, match="event 5: expected a history without loops"):
            graph.mothers(np.zeros(2, bool))

"""Event records become rows: what is kept, whose daughter it is, and where it starts."""

from dataclasses import dataclass

import numpy as np
import pytest

from lamarrpy.generate.event_record import kept, nearest_kept, pseudorapidity, read_record, to_rows


@dataclass
class Line:
    """One line of an event record, with the attributes that Pythia 8 gives it."""

    pid: int
    mother: int = 0
    final: bool = False
    p: tuple = (0.0, 0.0, 1.0)
    x: tuple = (0.0, 0.0, 0.0, 0.0)

    def id(self):
        return self.pid

    def isFinal(self):
        return self.final

    def mother1(self):
        return self.mother

    def px(self):
        return self.p[0]

    def py(self):
        return self.p[1]

    def pz(self):
        return self.p[2]

    def xProd(self):
        return self.x[0]

    def yProd(self):
        return self.x[1]

    def zProd(self):
        return self.x[2]

    def tProd(self):
        return self.x[3]


FAR, NEAR = (1.0, 2.0, 30.0, 31.0), (0.0, 0.0, 1e-4, 1e-4)

EVENT = [
    Line(90),  # 0: the event as a whole
    Line(2212),  # 1: beam
    Line(21, 4),  # 2: a parton that stands before its mother
    Line(5, 2),  # 3: b quark
    Line(21, 1),  # 4
    Line(-513, 3),  # 5: anti-B*0, from the string
    Line(-511, 5),  # 6: anti-B0
    Line(22, 5, True),  # 7
    Line(511, 6, x=(0.1, 0, 5, 5)),  # 8: the B0 it has become by mixing
    Line(4, 8, x=FAR),  # 9: a quark of a decay into quarks
    Line(-411, 9, x=FAR),  # 10: D-
    Line(113, 9, x=FAR),  # 11: rho0
    Line(-211, 11, True, (0.1, 0.2, 3.0), FAR),  # 12
    Line(311, 3),  # 13: K0
    Line(310, 13, x=NEAR),  # 14: K_S0
    Line(211, 14, True, x=(5, 5, 50, 51)),  # 15
    Line(-211, 14, True, x=(5, 5, 50, 51)),  # 16
    Line(15, 3),  # 17: a tau before it radiates
    Line(15, 17),  # 18: the same tau after
    Line(16, 18, True),  # 19
    Line(111, 3),  # 20: pi0
    Line(22, 20, True),  # 21
    Line(211, 3, True, x=NEAR),  # 22
    Line(9900110, 1),  # 23: diffractive state, unknown to the PDG
]


@pytest.fixture
def rows():
    return to_rows(read_record(EVENT), 7, 2, np.array([0.5, -0.5, 100.0]), 1000)


def test_units(rows):
    pion = np.flatnonzero(rows["pid"] == -211)[0]
    assert [rows[name][pion] for name in ("px", "py", "pz")] == pytest.approx([100, 200, 3000])
    assert [rows[name][pion] for name in "xyz"] == pytest.approx([1.5, 1.5, 130.0])
    assert rows["t"][pion] == pytest.approx(31.0 / 299.792458)


def test_who_is_kept(rows):
    assert np.flatnonzero(kept(read_record(EVENT))).tolist() == [5, 6, 7, 8, 10, 12, 14, 15, 16, 18, 19, 20, 21, 22]
    pids = [-513, -511, 22, 511, -411, -211, 310, 211, -211, 15, 16, 111, 22, 211]
    assert rows["pid"].tolist() == pids
    assert rows["status"].tolist() == [2, 2, 1, 2, 2, 1, 2, 1, 1, 2, 1, 2, 1, 1]


def test_mothers_are_the_nearest_ancestors_that_are_kept(rows):
    ids, pid = rows["particle_id"], rows["pid"]
    assert ids.tolist() == list(range(1000, 1014))
    mother = {1000: -1, **dict(zip(ids.tolist(), pid.tolist(), strict=True))}
    of = [mother[m] if m >= 0 else None for m in rows["mother_id"].tolist()]
    assert rows["mother_id"].tolist() == [-1, 1000, 1000, 1001, 1003, 1003, -1, 1006, 1006, -1, 1009, -1, 1011, -1]
    assert of[4:9] == [511, 511, None, 310, 310]


def test_particles_without_an_ancestor_start_at_the_collision(rows):
    alone = rows["mother_id"] == -1
    assert alone.sum() == 5
    for name, value in zip("xyzt", (0.5, -0.5, 100.0, 0.0), strict=True):
        assert (rows[name][alone] == value).all()
    assert (rows["z"][rows["pid"] == 211] == [150.0, 100.0]).all()


def test_event_and_vertex(rows):
    assert (rows["event_id"] == 7).all()
    assert (rows["vertex_id"] == 2).all()


def test_an_empty_record():
    rows = to_rows(read_record(EVENT[:1]), 0, 0, np.zeros(3), 0)
    assert all(len(column) == 0 for column in rows.values())


def test_nearest_kept_goes_up_many_steps():
    mother = np.arange(-1, 999).clip(0)
    chosen = np.zeros(1000, bool)
    chosen[[3, 500]] = True
    ancestor = nearest_kept(mother, chosen)
    assert ancestor[:4].tolist() == [0, 0, 0, 0]
    assert (ancestor[4:501] == 3).all()
    assert (ancestor[501:] == 500).all()


def test_pseudorapidity():
    momentum = np.array([[3.0, 0.0], [4.0, 0.0], [5 * np.sinh(2.5), -1.0]])
    assert pseudorapidity(momentum).tolist() == pytest.approx([2.5, -np.inf])

"""Putting candidates together: hits of pieces, order of events."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lamarrpy.detailed.hits import Hits
from lamarrpy.detailed.reconstruction.assembly import Draft, Piece, in_event_order, joined, lines_of, piece, ranges
from lamarrpy.detailed.reconstruction.confusion import Picked
from lamarrpy.propagation import BeamLine, State


def hits_at(z):
    n = len(z)
    ids, zero = np.zeros(n, np.int64), np.zeros(n)
    return Hits(ids, ids, ids, ids, ids, np.array(z, float), zero, zero, zero, zero, zero, ids)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=20))
def test_ranges(some):
    begin, length = (np.array([pair[i] for pair in some], np.intp) for i in range(2))
    expected = [i for b, n in some for i in range(b, b + n)]
    assert list(ranges(begin, length)) == expected


def test_a_piece_is_the_part_of_each_row_as_often_as_asked():
    held = Picked(np.array([0, 0, 2, 2, 2]), hits_at([1, 2, 3, 4, 5]), np.ones(5, bool))
    track, hit = piece(held, np.array([True, True, False, True, True]), np.array([2, 0, 1, 2]))
    assert list(track) == [0, 0, 1, 1, 3, 3]
    assert list(hit) == [3, 4, 0, 1, 3, 4]


def test_joined_pieces_are_in_the_order_of_z():
    z = np.array([9.0, 1.0, 5.0, 2.0])
    first, hit = joined([Piece(np.array([0, 2]), np.array([0, 3])), Piece(np.array([0, 2]), np.array([1, 2]))], z, 3)
    assert list(first) == [0, 2, 2, 4]
    assert list(hit) == [1, 0, 3, 2]


def test_candidates_come_by_event():
    def draft(events, row, *hits):
        n, column = len(events), np.array(row, float)
        length = np.array([len(h) for h in hits])
        return Draft(
            np.array(events),
            np.array(row),
            np.full(n, 3),
            State(*[column] * 6),
            BeamLine(*[column] * 4),
            np.concatenate([[0], np.cumsum(length)]),
            np.concatenate(hits),
        )

    both = [draft([5, 1], [10, 11], [0, 1], [2]), draft([1, 5], [-1, -2], [3], [4, 5])]
    c = in_event_order(both, hits_at(range(6)))
    assert list(c.event_id) == [1, 1, 5, 5]
    assert list(c.row) == [11, -1, 10, -2]
    assert list(c.seed.x) == list(c.beam.x) == [11.0, -1.0, 10.0, -2.0]
    assert list(c.first) == [0, 1, 2, 4, 6]
    assert list(c.hits.z) == [2.0, 3.0, 0.0, 1.0, 4.0, 5.0]


def test_one_beam_line_serves_all():
    line = lines_of(BeamLine(0.5, np.arange(4.0)), np.array([3, 1]), 4)
    assert list(line.x) == [0.5, 0.5]
    assert list(line.y) == [3.0, 1.0]
    assert list(line.tx) == [0.0, 0.0]

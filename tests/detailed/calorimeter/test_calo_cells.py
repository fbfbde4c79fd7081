"""Cells: as many as there are, none twice, none between them, and neighbours that know of each other."""

import numpy as np
import pytest

from lamarrpy.detailed.calorimeter.cells import ecal, hcal


@pytest.mark.parametrize(("cells", "counts"), [(ecal, [1536, 1792, 2688]), (hcal, [880, 608])])
def test_has_the_cells_of_the_experiment(cells, counts):
    assert np.bincount(cells().region[:-1]).tolist() == counts
    assert cells().number == sum(counts)


@pytest.mark.parametrize("cells", [ecal, hcal])
def test_cells_cover_everything_but_the_hole_once(cells):
    found = cells()
    pixels = np.bincount(found.of_pixel.ravel(), minlength=found.number + 1)
    assert pixels[:-1] * found.pixel**2 == pytest.approx(found.size[:-1] ** 2)
    x, y = np.abs(found.x[:-1]) + 0.5 * found.size[:-1], np.abs(found.y[:-1]) + 0.5 * found.size[:-1]
    hole = pixels[-1] * found.pixel**2
    assert np.sum(found.size[:-1] ** 2) + hole == pytest.approx(4.0 * x.max() * y.max())


def test_a_cell_contains_its_own_points():
    cells, rng = ecal(), np.random.default_rng(1)
    x, y = (a[:-1] + 0.499 * cells.size[:-1] * rng.uniform(-1, 1, cells.number) for a in (cells.x, cells.y))
    assert np.array_equal(cells.at(x, y), np.arange(cells.number))


def test_nothing_is_outside():
    outside = ecal().at(np.array([0.0, 5000.0, np.nan, 1e9]), np.array([0.0, 0.0, 100.0, -1e9]))
    assert np.all(outside == ecal().number)


@pytest.mark.parametrize("cells", [ecal, hcal])
def test_neighbours_know_of_each_other(cells):
    found = cells()
    one, column = np.nonzero(found.neighbours < found.number)
    other = found.neighbours[one, column]
    assert np.all(np.any(found.neighbours[other] == one[:, None], axis=1))
    assert not np.any(one == other)


def test_neighbours_touch_and_cells_that_touch_are_neighbours():
    cells = ecal()
    for cell in np.random.default_rng(2).integers(0, cells.number, 60):
        reach = 0.5 * (cells.size[cell] + cells.size[:-1]) + 0.1
        touch = (np.abs(cells.x[:-1] - cells.x[cell]) < reach) & (np.abs(cells.y[:-1] - cells.y[cell]) < reach)
        touch[cell] = False
        around = cells.neighbours[cell]
        assert np.array_equal(np.flatnonzero(touch), np.sort(around[around < cells.number]))


def test_middle_and_outer_cells_touch_across_the_border():
    cells = ecal()
    mixed = cells.region[cells.neighbours[:-1]] - cells.region[:-1, None]
    assert np.any((mixed == 1) & (cells.neighbours[:-1] < cells.number))

"""Field maps: round trips, interpolation, and every way in which a file can be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lamarrpy.errors import InputError, OutputError
from lamarrpy.field import Grid, Lhcb, MagneticField, NoField, Uniform, magnetic_field, write_grid

UP = Uniform()
X, Y, Z = np.linspace(-900.0, 900.0, 4), np.linspace(-800.0, 800.0, 5), np.linspace(2500.0, 8500.0, 31)


def random_points(n: int) -> np.ndarray:
    """Points inside the map, shape (3, n)."""
    return np.random.default_rng(1).uniform([[-900.0], [-800.0], [2500.0]], [[900.0], [800.0], [8500.0]], (3, n))


@pytest.mark.parametrize("suffix", [".txt", ".npz"])
@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
def test_reproduces_a_field_at_the_nodes(tmp_path: Path, suffix: str, polarity: str) -> None:
    field = magnetic_field("lhcb", polarity)
    write_grid(field, tmp_path / f"map{suffix}", X, Y, Z)
    grid = magnetic_field("grid", polarity, file=tmp_path / f"map{suffix}")
    nodes = np.meshgrid(X, Y, Z, indexing="ij")
    np.testing.assert_allclose(grid(*nodes), field(*nodes), atol=1e-8)


@pytest.mark.parametrize("made_with", ["MagUp", "MagDown"])
def test_a_map_of_either_polarity_serves_both(tmp_path: Path, made_with: str) -> None:
    write_grid(magnetic_field("lhcb", made_with), tmp_path / "map.npz", X, Y, Z)
    for polarity in ("MagUp", "MagDown"):
        grid, field = magnetic_field("grid", polarity, file=str(tmp_path / "map.npz")), magnetic_field("lhcb", polarity)
        np.testing.assert_array_equal(grid(X[1], Y[1], Z), field(X[1], Y[1], Z))


def test_a_linear_field_is_interpolated_exactly() -> None:
    def linear(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.stack([x + 2 * y, 1e4 + z - y, 3 * x * y * z / 1e6], axis=-1)

    grid = Grid(x=X, y=Y, z=Z, field=linear(*np.meshgrid(X, Y, Z, indexing="ij")))
    at = random_points(500)
    np.testing.assert_allclose(np.stack(grid(*at), axis=-1), linear(*at), rtol=1e-10, atol=1e-9)


def test_converges_with_the_square_of_the_spacing(tmp_path: Path) -> None:
    at, errors = random_points(2000), []
    for spacing in (200.0, 100.0):
        write_grid(
            Lhcb(), tmp_path / "map.npz", X, np.arange(-800.0, 801.0, spacing), np.arange(2500.0, 8501.0, spacing)
        )
        grid = magnetic_field("grid", file=tmp_path / "map.npz")
        errors.append(np.std(grid(*at)[1] - Lhcb()(*at)[1]))
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)
    assert errors[1] < 2e-3


def test_is_zero_outside_and_continuous_at_the_border() -> None:
    mesh = np.meshgrid(X, Y, Z, indexing="ij")
    grid = Grid(x=X, y=Y, z=Z, field=np.stack(Uniform(bx=0.1, by=1.0, bz=-0.2)(*mesh), axis=-1))
    for corner in ((900.0, 800.0, 8500.0), (-900.0, -800.0, 2500.0)):
        np.testing.assert_allclose(grid(*corner), (0.1, 1.0, -0.2))
    for place in ((900.1, 0.0, 3000.0), (0.0, -800.1, 3000.0), (0.0, 0.0, 2499.0), (0.0, 0.0, 9e9)):
        assert grid(*place) == (0.0, 0.0, 0.0)


def test_scalars_and_arrays_broadcast() -> None:
    mesh = np.meshgrid(X, Y, Z, indexing="ij")
    grid = Grid(x=X, y=Y, z=Z, field=np.stack(Lhcb()(*mesh), axis=-1))
    assert [b.shape for b in grid(0.0, np.zeros((3, 1)), np.full(2, 5000.0))] == [(3, 2)] * 3


def lines(field: MagneticField = UP) -> list[str]:
    """A small map as lines of text."""
    axes = ([0.0, 100.0], [0.0, 100.0], [0.0, 100.0, 250.0])
    rows = [(x, y, z) for x in axes[0] for y in axes[1] for z in axes[2]]
    return [" ".join(map(str, (*row, *(float(b) for b in field(*row))))) for row in rows]


def read(tmp_path: Path, text: list[str]) -> Grid:
    (tmp_path / "map.txt").write_text("\n".join(["# x y z Bx By Bz", *text]) + "\n")
    return Grid.read(tmp_path / "map.txt")


def test_rows_come_in_any_order(tmp_path: Path) -> None:
    one, other = read(tmp_path, lines(Lhcb())), read(tmp_path, lines(Lhcb())[::-1])
    np.testing.assert_array_equal(one.field, other.field)
    assert one.z.tolist() == [0.0, 100.0, 250.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lines()[:-1], r"full 2 x 2 x 3 grid once \(12 rows\), got 11 rows"),
        ([*lines(), lines()[3]], "got 13 rows at 12 different nodes"),
        ([*lines()[:-1], lines()[3]], "got 12 rows at 11 different nodes"),
        ([*lines()[:-1], "100 100 250 0 nan 0"], "finite numbers.*in data row 11"),
        ([*lines()[:-1], "inf 100 250 0 1 0"], "finite numbers"),
        ([line.rsplit(" ", 1)[0] for line in lines()], "six columns x y z Bx By Bz, got 5"),
        ([*lines()[:-1], "100 100 250 0 1"], "six columns"),
        ([*lines()[:-1], "100 100 250 0 one 0"], "six columns"),
        (["0 0 0 0 1 0", "0 0 100 0 1 0"], "at least two increasing node positions along x"),
    ],
)
def test_malformed_text_is_refused(tmp_path: Path, text: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("not an archive")
    np.savez(tmp_path / "other.npz", x=X, y=Y)
    for name in ("missing.txt", "missing.npz", "text.npz", "other.npz"):
        with pytest.raises(InputError, match=name):
            Grid.read(tmp_path / name)


def test_arrays_that_do_not_fit_are_refused() -> None:
    field = np.zeros((4, 5, 31, 3))
    with pytest.raises(InputError, match="increasing node positions along y"):
        Grid(x=X, y=Y[::-1], z=Z, field=field)
    with pytest.raises(InputError, match=r"shape \(4, 5, 31, 3\) on this grid, got \(4, 5, 30, 3\)"):
        Grid(x=X, y=Y, z=Z, field=field[:, :, 1:])
    field[1, 2, 3, 1] = np.nan
    with pytest.raises(InputError, match=r"1 such nodes"):
        Grid(x=X, y=Y, z=Z, field=field)


def test_writing_refuses_poles_and_missing_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"finite field components.*\(0, 4000, 5000\)"):
        write_grid(magnetic_field("dipole_pair"), tmp_path / "map.npz", [-1.0, 0.0], [0.0, 4000.0], [0.0, 5000.0])
    with pytest.raises(OutputError, match="cannot write the field map"):
        write_grid(NoField(), tmp_path / "nowhere" / "map.npz", X, Y, Z)

"""The stage `propagation`: window, kinematics, planes, beam line, both polarities."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from lamarrpy.cutflow import CutFlow
from lamarrpy.draws import Draws
from lamarrpy.errors import ConfigError, SchemaError
from lamarrpy.field import FIELDS, Lhcb, write_grid
from lamarrpy.particles import charge
from lamarrpy.propagation import State, dormand_prince
from lamarrpy.stages.propagation import LEFT_OVER, METHODS, Propagation
from lamarrpy.tables import EventBatch
from lamarrpy.tables.schemas import PLANES
from lamarrpy.testing import check_stage, example_events


def propagate(batch: EventBatch | None = None, **settings: Any) -> EventBatch:
    """Made-up events after the stage."""
    stage = Propagation(**settings)
    return stage(example_events(200) if batch is None else batch, Draws(1, stage.name))


def columns(batch: EventBatch, *names: str) -> list[np.ndarray]:
    """Columns of the particles that were propagated."""
    chosen = batch.array("particles", "propagated")
    return [batch.array("particles", name)[chosen] for name in names]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"polarity": "MagDown", "field": "dipole_pair"},
        {"beam_line": (0.8, -0.2, 1e-3, -2e-4), "planes": ("end_rich2", "end_velo"), "field": "none"},
    ],
)
def test_keeps_the_promises_of_a_stage(method: str, settings: dict[str, Any]) -> None:
    if method == "neural":  # the networks that ship know one field
        settings = {key: value for key, value in settings.items() if key != "field"}
    check_stage(Propagation(method=method, **settings))  # type: ignore[arg-type]


def test_names_in_the_settings_are_those_of_the_registries() -> None:
    hints = get_type_hints(Propagation)
    assert set(get_args(hints["method"])) == set(METHODS)
    assert set(get_args(hints["field"])) == set(FIELDS)


def test_window() -> None:
    batch = propagate()
    px, py, pz, z, status, propagated = batch.arrays("particles", "px", "py", "pz", "z", "status", "propagated")
    p = np.sqrt(px**2 + py**2 + pz**2)
    eta = np.arctanh(pz / p)
    inside = (status == 1) & (p > 1000.0) & (eta > 1.6) & (eta < 5.2) & (z < 12490.0)
    np.testing.assert_array_equal(propagated, inside)
    assert 0.2 < propagated.mean() < 0.8
    narrow = propagate(eta_min=2.0, eta_max=4.5, p_min=5000.0).array("particles", "propagated")
    np.testing.assert_array_equal(narrow, inside & (p > 5000.0) & (eta > 2.0) & (eta < 4.5))


def test_kinematics() -> None:
    px, py, pz, p, pt, eta, phi, tx, ty = columns(propagate(), "px", "py", "pz", "p", "pt", "eta", "phi", "tx", "ty")
    for got, expected in (
        (p * np.tanh(eta), pz),
        (pt * np.cos(phi), px),
        (pt * np.sin(phi), py),
        (tx * pz, px),
        (ty * pz, py),
        (pt**2 + pz**2, p**2),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9 * np.max(np.abs(expected)))


@pytest.mark.parametrize("method", ["runge_kutta", "neural"])
@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
def test_states_at_the_planes_are_the_true_ones(polarity: Any, method: Any) -> None:
    batch = propagate(method=method, polarity=polarity)
    x, y, z, tx, ty, p, pid = columns(batch, "x", "y", "z", "tx", "ty", "p", "pid")
    planes = [PLANES[name] for name in ("mid_tt", "mid_t", "ecal")]
    ahead = (z < 2000.0) & (p > 3000.0)
    start = State(x, y, z, tx, ty, charge(pid) / p).at(ahead)
    truth = dormand_prince(start, planes, Lhcb(polarity=polarity))
    for i, name in enumerate(("mid_tt", "mid_t", "ecal")):
        reaches, *state = (
            c[ahead] for c in columns(batch, *(f"{w}_{name}" for w in ("reaches", "x", "y", "tx", "ty")))
        )
        np.testing.assert_array_equal(reaches, truth.reaches[i])
        error = np.hypot(state[0] - truth.x[i], state[1] - truth.y[i])[reaches]
        assert np.quantile(error, 0.95) < 0.020
        assert np.max(np.abs(state[2] - truth.tx[i])[reaches]) < 1e-4


def test_what_the_networks_do_not_know_is_flagged_and_integrated() -> None:
    neural, steps = propagate(method="neural"), propagate(method="runge_kutta")
    left_over = columns(neural, LEFT_OVER)[0]
    p, pid = columns(neural, "p", "pid")
    assert left_over[(p < 1300.0) & (charge(pid) != 0.0)].all()
    assert 0.0 < left_over.mean() < 0.6
    assert not left_over[charge(pid) == 0.0].any()
    for name in ("reaches_ecal", "x_ecal", "ty_mid_t"):
        mine, wanted = columns(neural, name)[0], columns(steps, name)[0]
        np.testing.assert_array_equal(mine[left_over], wanted[left_over])
    assert LEFT_OVER not in steps["particles"].column_names


def test_the_cut_flow_counts_them() -> None:
    stage, batch = Propagation(method="neural"), example_events(100)
    lines = CutFlow.of_stage(stage, batch, stage(batch, Draws(1))).counts
    assert next(line for line in lines if line.quantity == LEFT_OVER).passed > 0


def test_methods_agree_before_the_magnet() -> None:
    batches = [propagate(method=method, p_min=20e3, planes=("end_velo", "mid_tt")) for method in METHODS]
    for plane, close in (("end_velo", 0.2), ("mid_tt", 2.5)):
        x = np.array([columns(batch, f"x_{plane}")[0] for batch in batches])
        assert np.nanmax(np.ptp(x, axis=0)) < close


def test_methods_agree_behind_the_magnet_on_how_much_stiff_particles_bend() -> None:
    kick, steps, line = (
        columns(propagate(method=method, p_min=20e3), "pid", "reaches_mid_t", "x_mid_t")
        for method in ("single_kick", "runge_kutta", "straight_line")
    )
    charged = charge(kick[0]) != 0.0
    both = kick[1] & steps[1] & charged
    bent = np.abs(steps[2] - line[2])[both]
    assert np.median(bent) > 50.0
    assert np.median(np.abs(steps[2] - kick[2])[both] / bent) < 0.01
    np.testing.assert_allclose(kick[2][~charged], steps[2][~charged], rtol=1e-12, atol=1e-9)


def test_polarity_exchanges_the_charges() -> None:
    up, down = (columns(propagate(polarity=p), "pid", "tx", "tx_mid_t", "reaches_mid_t") for p in ("MagUp", "MagDown"))
    for (pid, tx, tx_mid_t, reaches), sign in ((up, -1.0), (down, 1.0)):
        bent = reaches & (charge(pid) != 0.0) & (np.abs(tx_mid_t - tx) > 0.0)
        assert bent.sum() > 100
        assert np.all(np.sign(tx_mid_t - tx)[bent] == sign * np.sign(charge(pid))[bent])


def test_planes_behind_the_origin_are_not_reached() -> None:
    batch = example_events(200)
    z = batch.array("particles", "z").copy()
    z[::2] = 3000.0
    schema = Propagation().reads["particles"].only("z")
    for method in METHODS:
        moved = propagate(batch.with_columns(schema, {"z": z}), method=method)
        z_now, tt, t = columns(moved, "z", "reaches_mid_tt", "reaches_mid_t")
        assert not tt[z_now == 3000.0].any()
        assert t[z_now == 3000.0].any()
        assert tt[z_now < 2000.0].all()


def test_order_of_the_planes_does_not_matter() -> None:
    one, other = propagate(planes=("ecal", "mid_tt")), propagate(planes=("mid_tt", "ecal"))
    assert set(one["particles"].column_names) == set(other["particles"].column_names)
    for name in ("x_ecal", "ty_mid_tt"):
        np.testing.assert_array_equal(one.array("particles", name), other.array("particles", name))


@pytest.mark.parametrize("method", METHODS)
def test_prompt_particles_are_closest_to_the_beam_at_their_own_vertex(method: Any) -> None:
    batch = propagate(method=method)
    event_id, vertex_id, *origin = columns(batch, "event_id", "vertex_id", "x", "y", "z", "tx", "ty")
    closest = columns(batch, "ctb_x", "ctb_y", "ctb_z", "ctb_tx", "ctb_ty")
    keys = list(zip(*(a.tolist() for a in batch.arrays("vertices", "event_id", "vertex_id")), strict=True))
    row = [keys.index(key) for key in zip(event_id.tolist(), vertex_id.tolist(), strict=True)]
    vx, vy, vz = (a[row] for a in batch.arrays("vertices", "true_x", "true_y", "true_z"))
    prompt = np.abs(origin[2] - vz) < 1e-9
    assert 0.3 < prompt.mean() < 0.9
    for one, other in zip(closest, origin, strict=True):
        np.testing.assert_allclose(one[prompt], other[prompt], atol=1e-7)
    # the made-up displaced particles point back to their vertex, along a straight line
    if method not in ("runge_kutta", "neural"):
        np.testing.assert_allclose(np.hypot(closest[0] - vx, closest[1] - vy), 0.0, atol=1e-6)


def test_beam_line_may_be_given() -> None:
    batch = propagate(beam_line=(5.0, 3.0, 1e-3, 0.0))
    x, y, z, tx, ty = columns(batch, "ctb_x", "ctb_y", "ctb_z", "ctb_tx", "ctb_ty")
    along = (x - 5.0 - 1e-3 * z) * (tx - 1e-3) + (y - 3.0) * ty
    np.testing.assert_allclose(along / np.hypot(tx, ty), 0.0, atol=1e-9)
    assert "vertices" not in Propagation(beam_line=(5.0, 3.0, 1e-3, 0.0)).reads


def test_a_particle_without_its_vertex_is_an_error() -> None:
    batch = example_events(50)
    schema = Propagation().reads["particles"].only("vertex_id")
    astray = batch.with_columns(schema, {"vertex_id": batch.array("particles", "vertex_id") + 7})
    with pytest.raises(SchemaError, match="vertices"):
        propagate(astray)


def test_field_from_a_file(tmp_path: Path) -> None:
    side = np.arange(-4500.0, 4501.0, 300.0)
    write_grid(Lhcb(), tmp_path / "map.npz", side, side, np.arange(-500.0, 13_001.0, 150.0))
    settings: dict[str, Any] = {"method": "runge_kutta", "p_min": 10e3, "eta_min": 2.2, "planes": ("mid_t",)}
    grid = propagate(field="grid", field_file=str(tmp_path / "map.npz"), polarity="MagDown", **settings)
    lhcb = propagate(polarity="MagDown", **settings)
    x, other = columns(grid, "x_mid_t")[0], columns(lhcb, "x_mid_t")[0]
    assert np.nanmax(np.abs(x - other)) < 2.0
    assert np.nanmedian(np.abs(x - other)) < 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "runge_kuta"}, "did you mean 'runge_kutta'"),
        ({"field": "lhbc"}, "did you mean 'lhcb'"),
        ({"polarity": "MagUpp"}, "did you mean 'MagUp'"),
        ({"planes": ("mid_tt", "midtt")}, "expected a plane out of .*, got 'midtt'; did you mean 'mid_tt'"),
        ({"planes": ()}, "at least one plane"),
        ({"planes": ("ecal", "ecal")}, "none of them twice"),
        ({"eta_min": 5.0, "eta_max": 2.0}, "eta_min < eta_max"),
        ({"p_min": -1.0}, "p_min >= 0"),
        ({"field": "grid"}, "expected field_file with the field 'grid'"),
        ({"method": "neural", "field": "dipole_pair"}, "trained in"),
        ({"extrapolator": "somewhere"}, "with the method 'neural' alone"),
        ({"field_file": "map.txt"}, "expected field_file with the field 'grid'"),
        ({"field": "grid", "field_file": "no/such/map.txt"}, "no file 'no/such/map.txt'"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Propagation(**settings)

"""The Pythia 8 generator: whole collisions as tables, the same for any grouping of events."""

import sys

import numpy as np
import pytest

from lamarrpy.errors import ConfigError
from lamarrpy.generate import generate, load_recipe
from lamarrpy.generate.event_record import Record
from lamarrpy.generate.pythia import Required
from lamarrpy.tables import EventBatch

RECIPE = {
    "kind": "pythia8",
    "signal": ["HardQCD:hardbbbar = on"],
    "require": {"flavour": "b", "eta": [2, 5]},
    "primary_vertices": {"further_collisions": 0.5},
    "pile_up": ["SoftQCD:nonDiffractive = on"],
}


def record(pid, eta):
    n = len(pid)
    momentum = np.array([np.ones(n), np.zeros(n), np.sinh(eta)])
    return Record(np.array(pid), np.zeros(n, bool), np.zeros(n, np.int64), momentum, momentum, np.zeros(n))


@pytest.mark.parametrize(
    ("pid", "eta", "met"),
    [([511, 211], [3.0, 3.0], True), ([-5122], [1.9], False), ([5, 421], [3.0, 3.0], False), ([], [], False)],
)
def test_required_hadrons(pid, eta, met):
    assert Required(flavour="b").met_by(record(pid, eta)) is met


def test_without_pythia_the_error_says_what_to_install(monkeypatch):
    for name in ("pythia8mc", "pythia8"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"pip install 'lamarrpy\[pythia\]'"):
        next(generate(RECIPE, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signal": []}, "signal: "),
        ({"require": {"flavour": "s"}}, "require.flavour: "),
        ({"energy": -1}, "energy: "),
        ({"setings": []}, "unknown key 'setings'; did you mean 'settings'"),
    ],
)
def test_senseless_recipes_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        load_recipe(RECIPE | change)


def test_real_collisions():
    pytest.importorskip("pythia8mc")
    batch = EventBatch.concat(list(generate(RECIPE, 6, 3, chunk_events=6)))
    pieces = EventBatch.concat(list(generate(RECIPE, 6, 3, chunk_events=4)))
    assert all(pieces[table].equals(batch[table]) for table in batch)
    names = ("event_id", "particle_id", "mother_id", "vertex_id", "pid", "px", "py", "pz", "z", "status")
    event, particle, mother, vertex, pid, px, py, pz, z, status = batch.arrays("particles", *names)
    # numbers count up in each event, mothers are decayed and of the same collision
    row = {key: at for at, key in enumerate(zip(event.tolist(), particle.tolist(), strict=True))}
    assert len(row) == len(event)
    child = np.flatnonzero(mother >= 0)
    parent = np.array([row[key] for key in zip(event[child].tolist(), mother[child].tolist(), strict=True)])
    assert (status[parent] == 2).all()
    assert (vertex[parent] == vertex[child]).all()
    assert np.isin(parent, np.flatnonzero(status == 2)).all()
    # each collision leaves the whole 13 TeV, at its vertex
    position = dict(
        zip(
            zip(*(v.tolist() for v in batch.arrays("vertices", "event_id", "vertex_id")), strict=True),
            batch.array("vertices", "true_z").tolist(),
            strict=True,
        )
    )
    for key, true_z in position.items():
        here = (event == key[0]) & (vertex == key[1])
        stable = here & (status == 1)
        assert abs(np.array([px, py, pz])[:, stable].sum(axis=1)).max() < 1.0
        assert (z[here & (mother == -1)] == true_z).all()
    eta = np.arcsinh(pz / np.hypot(px, py).clip(1e-9))
    heavy = np.isin(abs(pid), (511, 521, 531, 5122)) & (eta > 2) & (eta < 5) & (vertex == 0)
    assert len(np.unique(event[heavy])) >= 5


def test_settings_that_pythia_does_not_know(capfd):
    pytest.importorskip("pythia8mc")
    message = "expected a setting that Pythia 8 knows, .* got 'HardQCD:hardbbar = on'; did you mean 'HardQCD:hardbbbar'"
    with pytest.raises(ConfigError, match=message):
        next(generate(RECIPE | {"settings": ["HardQCD:hardbbar = on"]}, 1))
    assert capfd.readouterr() == ("", "")

"""Combined likelihoods are sums, in which what cancels against the pion is left out."""

import numpy as np

from lamarrpy.detailed.identification.combined import combined_dlls

RICH = {
    name: np.array(values)
    for name, values in (("e", [1.0, 2.0]), ("mu", [0.5, 0.0]), ("k", [-3.0, 4.0]), ("p", [-5.0, 6.0]))
}
CALO = {
    name: np.full(2, value)
    for name, value in (
        ("ecal_pid_e", 0.1),
        ("prs_pid_e", 0.2),
        ("hcal_pid_e", 0.3),
        ("brem_pid_e", 0.4),
        ("ecal_pid_mu", 10.0),
        ("hcal_pid_mu", 20.0),
    )
}


def test_sums_by_hand():
    found = combined_dlls(RICH, CALO, np.array([2.0, np.nan]))
    assert found["e"].tolist() == [2.0, 3.0]
    assert found["mu"].tolist() == [32.5, 30.0]
    assert np.array_equal(found["k"], RICH["k"])
    assert np.array_equal(found["p"], RICH["p"])


def test_inputs_stay_as_they_are():
    before = {name: values.copy() for name, values in RICH.items()}
    combined_dlls(RICH, CALO, np.zeros(2))
    assert all(np.array_equal(before[name], RICH[name]) for name in RICH)

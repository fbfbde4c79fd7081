"""What all tests share: tensorflow, where a test needs it, works quietly and on one thread."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

LIMITS = {"p": 2000, "tx": 0.45, "ty": 0.29, "opening": 0.29, "margin": 80}
EXACT = {"family": "picard", "sweeps": 4, "middle": 4500, "width": 2000}


def _exact_legs():
    """Before, through and behind the magnet; the way through it once as a whole, once for parts."""
    behind = {**LIMITS, "tx": 1.5, "ty": 0.5}
    through = {"low": 2485, "high": 8520, "limits": LIMITS}
    fixed = {**EXACT, "nodes": 18, "start": 2485, "end": 8520}
    return [
        {"name": "upstream", "low": -1000, "high": 2485, "limits": LIMITS, "architecture": {**EXACT, "nodes": 8}},
        {"name": "through", "whole": True, **through, "architecture": fixed},
        {"name": "magnet", **through, "architecture": {**EXACT, "nodes": 18}},
        {"name": "downstream", "low": 8520, "high": 18900, "limits": behind, "architecture": {**EXACT, "nodes": 8}},
    ]


@pytest.fixture(scope="session")
def exact_folder(tmp_path_factory):
    """An extrapolator whose legs are exact without a network: what goes on around networks is tested with it."""
    from lamarrpy.train.extrapolation.plan import ExtrapolatorPlan
    from lamarrpy.train.extrapolation.shipping import ship

    plan = ExtrapolatorPlan.model_validate(
        {"name": "exact", "description": "No network.", "field": {"kind": "lhcb"}, "legs": _exact_legs(), "loss": {},
         "training": {}, "tests": {"variable": 200}}
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("extrapolators") / "exact"
    ship(plan, folder)
    return folder

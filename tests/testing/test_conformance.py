"""Every shipped stage keeps every promise, with its default settings and with others."""

import pytest

from lamarrpy.stages import STAGES
from lamarrpy.testing import check_stage

VARIANTS = [
    STAGES["propagation"](method="runge_kutta"),
    STAGES["propagation"](method="neural"),
    STAGES["propagation"](method="neural", polarity="MagDown", planes=("end_velo", "beg_t", "m5")),
    STAGES["propagation"](method="straight_line", planes=("end_velo", "m5")),
    STAGES["propagation"](polarity="MagDown", beam_line=(0.8, -0.2, 1e-4, 0.0)),
    STAGES["propagation"](method="runge_kutta", field="dipole_pair"),
    STAGES["occupancy"](flavour="minimum_bias", whole_from=0),
    STAGES["primary_vertex"](year=2018),
    *(STAGES[kind](polarity="MagDown") for kind in ("acceptance", "efficiency", "covariance", "resolution")),
    STAGES["parametric_occupancy"](flavour="minimum_bias"),
    STAGES["parametric_resolution"](polarity="MagDown"),
]


@pytest.mark.parametrize("kind", sorted(STAGES))
def test_shipped_stages_conform(kind):
    stage = STAGES[kind]()
    assert stage.name == kind.removeprefix("parametric_")
    check_stage(stage)


@pytest.mark.parametrize("stage", VARIANTS, ids=repr)
def test_other_settings_conform(stage):
    check_stage(stage)

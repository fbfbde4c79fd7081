"""The public figures: each with its source and confidence, and as the issue has them."""

import numpy as np
import pytest

from lamarrpy.detailed.report import public
from lamarrpy.detailed.report.public import finding, hadron_mix, points, sources, target
from lamarrpy.detailed.report.statistics import Measured
from lamarrpy.errors import ConfigError

CONTENT = public._figures()


@pytest.mark.parametrize("name", CONTENT["targets"])
def test_targets_are_whole(name):
    aim = target(name)
    assert aim.label
    assert aim.source
    assert aim.confidence in ("high", "medium", "low")
    assert aim.low is None or aim.high is None or aim.low < aim.high


@pytest.mark.parametrize("name", CONTENT["points"])
def test_points_are_whole(name):
    known = points(name)
    assert len(known.x) == len(known.y) > 0
    assert (np.diff(known.x) > 0).all() or name == "composition"
    assert known.source
    assert known.confidence in ("high", "medium", "low")


def test_short_names_of_sources_are_explained():
    cited = " ".join(entry["source"] for kind in ("targets", "points") for entry in CONTENT[kind].values())
    for name in sources():
        assert name in cited


def test_the_mix_of_hadrons_is_whole():
    assert set(hadron_mix()) == {211, 321, 2212}
    assert sum(hadron_mix().values()) == pytest.approx(1.0)


def test_a_name_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"did you mean 'kick\.dpx'"):
        target("kick.dp")


def test_a_finding_has_the_bounds_of_its_target_and_says_why_it_has_no_figure():
    found = finding("sigma_x.250_350mev", Measured(1.1, 0.1, 400), of="sigma_x.bins|pT .25 to .35 GeV")
    assert found.check.name == "detailed.sigma_x.250_350mev"
    assert (found.check.low, found.check.high, found.check.ok) == (0.8, 1.2, True)
    assert found.label.endswith("pT .25 to .35 GeV")
    missing = finding("ghosts.long.before", Measured(None, None, 4))
    assert missing.check.ok is None
    assert "at least 30 entries" in missing.note

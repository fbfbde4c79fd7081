"""The page of a study: self-contained, every experiment on it, verdicts by the numbers, and gaps that are told."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_folder import ERRORS, SHORT, write_job, write_study

from lamarrpy.errors import InputError
from lamarrpy.study.experiments import EXPERIMENTS, timing
from lamarrpy.study.page import write_page
from lamarrpy.study.page.chapters import CHAPTERS, chapters
from lamarrpy.study.page.criteria import ASKED, criteria, finding, findings_of
from lamarrpy.study.page.gathered import registry_chapter, table_chapter
from lamarrpy.study.page.outputs import Residuals, read_outputs
from lamarrpy.study.page.plates import sheet, standard_figures
from lamarrpy.study.page.questions import answers
from lamarrpy.study.page.speed import STANDARD, speed_up
from lamarrpy.study.page.standard import pulls_of
from lamarrpy.study.page.words import angle, is_numeric, length, listed, micro, number, table_of
from lamarrpy.study.page.writing import page_of, render

NONE, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


class Collector(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.targets, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "xlink:href", "src"):
                self.targets.append(value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("study")
    write_study(out, tracks=300)
    return out


@pytest.fixture(scope="module")
def outputs(folder):
    return read_outputs(folder)


@pytest.fixture
def bare(folder, tmp_path):
    """A study of three networks, one of each family, and two experiments."""
    for name in ("study.json", "samples", "results/timing.json", "results/architecture.json"):
        source, target = folder / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    for family in ERRORS:
        write_job(tmp_path, f"{SHORT[family]}_small", family, "small", tracks=300)
    return tmp_path


def remake(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def text_of(folder):
    """The page of a study without its figures, which take time."""
    page = page_of(read_outputs(folder))
    return render(replace(page, sections=[replace(section, drawings=(), folds=()) for section in page.sections]))


# ---- the page


def test_it_needs_nothing_from_outside_and_links_lead_somewhere(bare):
    for name in ("mlp_small", "pinn_small"):
        shutil.rmtree(bare / "jobs" / name)
    path = write_page(bare)
    assert path == bare / "report.html"
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)\s*=\s*[\"']?\s*(https?:)?//", text)
    assert not re.search(r"@import|url\(\s*['\"]?http", text)
    found = Collector(text)
    assert "script" not in found.tags
    assert len(found.ids) == len(set(found.ids))
    pictures = [target for target in found.targets if target.startswith("data:image/png;base64,")]
    assert len(pictures) >= 2  # the sheet of the network, and what is rasterized inside figures
    assert {target.removeprefix("#") for target in found.targets if target not in pictures} <= set(found.ids)
    assert not list(bare.glob(".report*"))


def test_it_says_what_did_not_run(bare):
    text = text_of(bare)
    for name in CHAPTERS:
        missing = f"The experiment {name} was not part of this run: --only {name} adds it." in text
        assert missing == (name not in ("timing", "architecture")), name
    assert "No registry was written in this run." in text
    assert "The experiment physics_loss was not part of this run." in text


def test_every_experiment_has_a_chapter_and_each_chapter_draws_all_it_announces(outputs):
    assert set(EXPERIMENTS) <= set(CHAPTERS)
    names = set()
    for chapter in chapters(outputs):
        assert chapter.drawings, chapter.key
        assert chapter.tables, chapter.key
        assert "3 µm and 2 µrad" in chapter.conclusion
        for draw in chapter.drawings:
            figure = draw()
            assert figure.svg.startswith("<svg"), chapter.key
            assert figure.caption
            assert figure.alt
            names |= set(re.findall(r'<g id="([^"]+)-figure_1"', figure.svg))
    assert len(names) == sum(len(chapter.drawings) for chapter in chapters(outputs))


def test_an_experiment_without_a_chapter_of_its_own_is_a_table(bare):
    told = {
        "experiment": "polarity",
        "question": "Which?",
        "conclusion": "3 um.",
        "rows": [{"name": "a", "rms_um": 1.5}],
    }
    (bare / "results" / "polarity.json").write_text(json.dumps(told))
    chapter = chapters(read_outputs(bare))[-1]
    assert (chapter.title, chapter.conclusion) == ("Polarity", "3 µm.")
    assert chapter.tables[0].header == ("name", "rms [µm]")
    assert chapter.tables[0].rows == [["a", "1.50"]]


def test_failed_trainings_and_stale_jobs(folder, outputs):
    assert outputs.failures == {"pinn_medium_relu": "the loss is not <finite>"}
    assert "the loss is not &lt;finite&gt;" in text_of(folder)
    write_job(folder, "of_another_configuration", "mlp", tracks=50)
    try:
        assert "of_another_configuration" not in read_outputs(folder).jobs
    finally:
        shutil.rmtree(folder / "jobs" / "of_another_configuration")


@pytest.mark.parametrize("broken", ["study.json", "jobs/mlp_small/metrics.json", "results/timing.json"])
@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_damaged_files_are_told_by_name(bare, broken, content):
    (bare / broken).write_text(content)
    with pytest.raises(InputError, match=re.escape(broken)):
        write_page(bare)
    assert not (bare / "report.html").exists()


def test_damaged_residuals_are_told_by_name(bare):
    (bare / "jobs" / "mlp_small" / "residuals.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(InputError, match=r"residuals\.npz"):
        page_of(read_outputs(bare))


def test_a_folder_that_is_no_study(tmp_path):
    with pytest.raises(InputError, match=r"study\.json"):
        write_page(tmp_path)


# ---- verdicts


def made(differ, p=10.0, error=None):
    """Residuals with given differences in um and urad."""
    differ = np.asarray(differ, float)
    tracks = np.zeros((len(differ), 7))
    tracks[:, 5] = 1e-3 / p
    return Residuals(tracks, np.zeros_like(differ), differ / [1e3, 1e3, 1e6, 1e6], error)


@given(
    st.lists(st.tuples(*[st.floats(-50.0, 50.0) for _ in range(4)]), min_size=2, max_size=40),
)
def test_criteria_are_the_worst_rms_and_mean(rows):
    differ = np.array(rows)
    residuals = made(differ)
    for asked in ASKED:
        columns = differ[:, list(asked.outputs)]
        expected = np.abs(columns.mean(axis=0)).max() if asked.bias else np.sqrt((columns**2).mean(axis=0)).max()
        found = finding(asked, "mlp", residuals)
        assert found.check.value == pytest.approx(expected, rel=1e-6, abs=1e-9)
        if abs(expected - asked.most) > 1e-6:
            assert (found.verdict == "passed") == (expected < asked.most)
    assert finding(ASKED[0], "mlp", None).verdict == "not measured"


def test_statistical_errors_of_criteria_are_honest():
    random = np.random.default_rng(3)
    found = [[finding(asked, "mlp", made(random.normal(0.0, 2.0, (400, 4)))) for asked in ASKED] for _ in range(200)]
    for column, asked in enumerate(ASKED):
        if not asked.bias:  # the larger of two rms errors of 2
            pulls = [(one[column].check.value - 2.0) / one[column].error for one in found]
            assert 0.6 < np.std(pulls) < 1.1
            assert 0.3 < np.mean(pulls) < 0.8  # that of the larger of two normal numbers is .56


def test_the_best_of_each_family_and_what_it_misses(outputs):
    assert [job.name for job in outputs.best_of_families] == ["mlp_wide", "pinn_wide", "rkpinn_wide"]
    everywhere, moderate = criteria(outputs)
    verdicts = [[one.verdict for one in column.findings] for column in everywhere.columns]
    assert verdicts[0][:4] == ["failed"] * 4
    assert verdicts[2][:4] == ["passed"] * 4
    assert all(column.findings[-1].verdict == "failed" for column in everywhere.columns)  # 9 / 7 times faster
    assert "rkpinn_wide misses speed." in everywhere.conclusion
    for before, after in zip(everywhere.columns, moderate.columns, strict=True):
        assert after.findings[0].check.value < before.findings[0].check.value


def test_a_network_with_answers_that_are_not_finite_is_only_the_best_without_another(bare):
    write_job(bare, "mlp_tiny", "mlp", "tiny", tracks=300, broken=3, scale=1e-6)
    assert read_outputs(bare).best("mlp").name == "mlp_small"
    shutil.rmtree(bare / "jobs" / "mlp_small")
    found = read_outputs(bare)
    assert found.best("mlp").name == "mlp_tiny"
    assert "mlp_tiny: 1.00%" in criteria(found)[0].caption


def test_without_networks_nothing_is_claimed(bare):
    shutil.rmtree(bare / "jobs")
    found = read_outputs(bare)
    assert criteria(found) == []
    assert [answer.verdict for answer in answers(found)] == ["not measured"] * 4
    assert "nothing to hold against the criteria" in text_of(bare)


def test_answers_follow_the_numbers(bare, outputs):
    accurate, physics, speed, momenta = answers(outputs)
    assert accurate.verdict == "yes"
    assert physics.verdict == "yes"  # 60 against 100 um, and the default weight is better than none
    assert speed.verdict == "no"
    assert any("18.0 times" in sentence for sentence in speed.sentences)
    assert momenta.verdict == ""
    assert any("0 of 9 cases" in sentence for sentence in momenta.sentences)
    shutil.rmtree(bare / "jobs" / "rkpinn_small")
    assert answers(read_outputs(bare))[0].verdict == "no"
    write_job(bare, "rkpinn_tiny", "rk_pinn", "tiny", tracks=300, scale=1.5)
    assert answers(read_outputs(bare))[0].verdict == "in part"  # below 1 um from 5 GeV on


@pytest.mark.parametrize(
    ("with_physics", "verdict"), [({"low": 60.0, "high": 60.0}, "in part"), ({"low": 99.0, "high": 120.0}, "no")]
)
def test_physics_must_help_by_more_than_a_little(bare, folder, with_physics, verdict):
    shutil.copy(folder / "results" / "physics_loss.json", bare / "results")

    def change(content):
        for row in content["rows"]:
            row["distance_rms"] = 50.0 if row["lambda"] == 0.0 else 49.0
        for row in content["generalization"]:
            row["distance_rms"] = with_physics.get(row["tested_on"], 1.0) if row["lambda"] else 100.0

    remake(bare / "results" / "physics_loss.json", change)
    assert answers(read_outputs(bare))[1].verdict == verdict


def test_the_standard_of_speed_is_that_of_the_experiment():
    assert STANDARD == timing.STANDARD


def test_speed_is_that_of_the_timing_or_else_of_the_training(bare):
    found = read_outputs(bare)
    timed = speed_up(found, found.jobs["rkpinn_small"])
    assert timed.times == pytest.approx(15.0)
    assert "onnx, 10,000 tracks at once; 5.00 times against 16 steps" in timed.how
    assert speed_up(found, found.jobs["pinn_small"]).times == pytest.approx(9.09 / 0.5)
    assert "timed after its training" in speed_up(found, found.jobs["pinn_small"]).how
    (bare / "results" / "timing.json").unlink()
    found = read_outputs(bare)
    assert speed_up(found, found.jobs["rkpinn_small"]) is None
    assert findings_of(found, found.jobs["rkpinn_small"])[-1].verdict == "not measured"


# ---- plots


def test_the_six_plots_of_any_network(outputs, bare):
    for name in ("mlp_wide", "heteroscedastic"):
        figures = [draw() for draw in standard_figures(outputs.jobs[name])]
        told = " ".join(figure.alt for figure in figures)
        for what in ("learning curves", "momentum", "residuals", "pulls", "by input", "predicted against true"):
            assert what in told
    own = next(figure.caption for figure in figures if "pulls" in figure.alt)
    assert "the error that the network tells" in own
    (bare / "jobs" / "mlp_small" / "residuals.npz").unlink()
    job = read_outputs(bare).jobs["mlp_small"]
    assert len(standard_figures(job)) == 2
    assert sheet(job).png


def test_a_network_without_any_finite_answer(bare):
    write_job(bare, "mlp_tiny", "mlp", "tiny", tracks=40, broken=39)
    remake(bare / "jobs" / "mlp_tiny" / "metrics.json", lambda m: m.update(test=nothing(m["test"]), bins=[]))
    with np.load(bare / "jobs" / "mlp_tiny" / "residuals.npz") as file:
        arrays = dict(file)
    arrays["predicted"][:] = np.nan
    np.savez(bare / "jobs" / "mlp_tiny" / "residuals.npz", **arrays)
    job = read_outputs(bare).jobs["mlp_tiny"]
    assert (job.position, job.residuals) == (None, None)
    assert len([draw() for draw in standard_figures(job)]) == 1
    assert NONE in next(f.title for f in page_of(read_outputs(bare)).sections[-1].folds if "mlp_tiny" in f.title)


def nothing(test):
    return {key: dict.fromkeys(value) if isinstance(value, dict) else None for key, value in test.items()} | {
        "n": test["n"], "share_finite": 0.0
    }  # fmt: skip


@pytest.mark.parametrize("tracks", [1, 2, 7])
def test_few_tracks_and_perfect_answers_can_be_drawn(bare, tracks):
    write_job(bare, "mlp_small", "mlp", "small", tracks=tracks, scale=0.0)
    job = read_outputs(bare).jobs["mlp_small"]
    assert all(draw().svg for draw in standard_figures(job))


def test_pulls_by_the_stated_error_and_by_that_of_fellow_tracks():
    random = np.random.default_rng(5)
    p = np.exp(random.uniform(0.0, 4.0, 8000))
    spread = (3.0 / p)[:, None] * np.ones(4)
    differ = random.normal(0.0, 1.0, (8000, 4)) * spread
    stated = spread / [1e3, 1e3, 1e6, 1e6]
    for residuals, own in ((made(differ, p, stated), True), (made(differ, p), False)):
        pulls, told = pulls_of(residuals)
        assert told == own
        assert pulls.mean(axis=0) == pytest.approx(np.zeros(4), abs=0.06)  # 4 sigma of 4000
        low, high = np.quantile(pulls, (0.16, 0.84), axis=0)
        assert 0.5 * (high - low) == pytest.approx(np.ones(4), abs=0.08)


# ---- registry and table


def test_registry_and_master_table(outputs):
    rows = registry_chapter(outputs).tables[0].rows
    assert [row[0] for row in rows] == ["best overall", "fastest", "most accurate", "best generalization"]
    assert rows[2][1] == "rkpinn_wide"
    table, errors = table_chapter(outputs).tables
    assert len(table.rows) == len(errors.rows) + 1 == len(outputs.jobs) + 1
    for head in ("parameters", "training [s]", "train loss", "validation loss", "test loss", "notes"):
        assert head in table.header
    for head in ("mae x [µm]", "rmse ty [µrad]", "max tx [µrad]", "µs, 1 at once", "µs, 10,000"):
        assert head in errors.header
    failed = next(row for row in table.rows if row[0] == "pinn_medium_relu")
    assert failed[-1].startswith("failed")
    assert set(failed[1:-1]) == {NONE}


# ---- words


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, NONE), (float("nan"), NONE), (True, "yes"), (12_345, "12,345"), (0.0, "0"), (1.2345, "1.23"),
     (9.999, "10.0"), (-0.5, f"{MINUS}0.500"), (1234.6, "1,235"), (2.5e-7, f"2.50e{MINUS}7"),
     (3.1e8, "3.10e8"), ("words", "words")],
)  # fmt: skip
def test_numbers(value, told):
    assert number(value) == told
    assert is_numeric(told) == (told not in ("yes", "words"))


@given(st.floats(1e-12, 1e12))
def test_numbers_keep_three_digits(value):
    told = float(number(value).replace(",", "").replace(MINUS, "-"))
    assert told == pytest.approx(value, rel=6e-3)


def test_units_and_lists():
    assert [length(value) for value in (0.0312, 0.8, 12.0, 1500.0, 2.5e6)] == [
        "31.2 nm",
        "0.800 µm",
        "12.0 µm",
        "1.50 mm",
        "2.50 m",
    ]
    assert [angle(value) for value in (None, 0.02, 4500.0)] == [NONE, "20.0 nrad", "4.50 mrad"]
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert micro("95 % within 2.15e+06 um, 1,500 um and 0.2 um; 4e3 urad.") == (
        "95 % within 2.15 m, 1.50 mm and 0.2 µm; 4.00 mrad."
    )
    assert micro("3 um, 2 urad and 5 us; mum, usage") == "3 µm, 2 µrad and 5 µs; mum, usage"


def test_tables_show_plain_columns_that_have_values():
    rows = [{"a": 1, "b": None, "c": {"d": 1}, "layers": [64, 64]}, {"a": 2, "b": None, "share_um": 0.5}]
    assert table_of(rows, "all").header == ("a", "share [µm]")
    assert table_of(rows, "some", {"a": "A", "layers": "layers", "b": "B"}).rows == [["1", "64, 64"], ["2", NONE]]
    assert "The first 1 of 2 rows." in table_of(rows, "few", most=1).caption

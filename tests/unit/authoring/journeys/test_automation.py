"""Automate or not: the score of six axes, what it allows, and the table of all journeys."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from authoring.journeys import check, compile_catalogue
from authoring.journeys.automation import LEAST, MOST, RISKS, WEIGHTS, Mode, mode_of, score_of
from cli.main import app

ROOT = Path(__file__).parents[4]
GRADES = st.fixed_dictionaries({name: st.integers(LEAST, MOST) for name in WEIGHTS})
BEST = {name: LEAST if name in RISKS else MOST for name in WEIGHTS}
WORST = {name: MOST if name in RISKS else LEAST for name in WEIGHTS}
HYBRID = BEST | {"impact": 3, "volume": 3, "data_readiness": 3}
SEND = "  - {id: hi, send: {channel: sms, template: hi, purpose: transactional}}\n"
REVIEWED = SEND.replace("transactional", "transactional, review: {queue: desk, within: 1h, otherwise: drop}")
TASK = "  - {id: call, task: {queue: sales, title: Call them}}\n"


def written(root: Path, grades: dict[str, int] | None, *steps: str) -> Path:
    block = f"automate: {json.dumps(grades)}\n" if grades else ""
    folder = root / "visit"
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    text = f"journey: visit\nentry: {{event: booking.created}}\n{block}steps:\n{''.join(steps)}"
    (folder / "journey.yaml").write_text(text, encoding="utf-8")
    template = folder / "templates" / "hi.sms.txt"
    template.write_text("Hi", encoding="utf-8") if "send" in text else template.unlink(missing_ok=True)
    return root


def said(root: Path) -> list[str]:
    return [f"{one.field}: {one.message}" for one in check(root)]


def test_the_best_is_100_and_the_worst_is_0() -> None:
    assert (score_of(BEST), score_of(WORST)) == (100, 0)
    assert [mode_of(score) for score in (75, 74, 50, 49)] == [Mode.AUTOMATIC, Mode.HYBRID, Mode.HYBRID, Mode.MANUAL]
    assert mode_of(score_of(HYBRID)) is Mode.HYBRID


@given(GRADES, st.sampled_from(sorted(WEIGHTS)))
def test_a_better_grade_never_lowers_the_score(grades: dict[str, int], name: str) -> None:
    better = grades[name] + (-1 if name in RISKS else 1)

    if LEAST <= better <= MOST:
        assert score_of({**grades, name: better}) >= score_of(grades)
    assert 0 <= score_of(grades) <= 100


@pytest.mark.parametrize(
    ("grades", "steps", "problems"),
    [
        (None, [SEND], []),
        (BEST, [SEND], []),
        (HYBRID, [SEND], ["automate: a score of 70 makes it hybrid, and no person takes part"]),
        (HYBRID, [SEND, TASK], []),
        (HYBRID, [REVIEWED], []),
        (WORST, [SEND, TASK], ["automate: a score of 0 leaves it to people, and it sends messages"]),
        (WORST, [TASK], []),
    ],
)
def test_a_journey_does_no_more_than_its_score_allows(
    tmp_path: Path, grades: dict[str, int] | None, steps: list[str], problems: list[str]
) -> None:
    assert said(written(tmp_path, grades, *steps)) == problems


def test_a_mistyped_axis_has_one_problem(tmp_path: Path) -> None:
    grades = {("volum" if name == "volume" else name): grade for name, grade in WORST.items()}

    assert said(written(tmp_path, grades, SEND)) == [
        "automate.volum: there is no such key",
        "automate.volume: it is missing",
    ]
    assert said(written(tmp_path, {**BEST, "impact": 6}, SEND)) == ["automate.impact: 6 is out of range"]


def test_another_score_is_no_other_version(tmp_path: Path) -> None:
    versions = {
        compile_catalogue(written(tmp_path, grades, SEND, TASK))[0]["version"] for grades in (None, BEST, HYBRID)
    }

    assert len(versions) == 1


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_table_has_every_journey_and_fits_its_width(width: str) -> None:
    shown = CliRunner().invoke(app, ["score", str(ROOT / "layers/journeys")], env={"COLUMNS": width})

    assert shown.exit_code == 0
    assert "fitness-trial-to-paid" in shown.output
    assert "automatic" in shown.output
    assert max(map(len, shown.output.splitlines())) <= int(width)


def test_the_table_as_json_is_sorted_by_the_score() -> None:
    shown = CliRunner().invoke(app, ["score", str(ROOT / "layers/journeys"), "--json"])

    scores = [one["score"] for one in json.loads(shown.output)]
    assert scores == sorted(scores, reverse=True)

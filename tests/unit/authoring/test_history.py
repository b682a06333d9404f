"""Recorded histories: today's engine decides as it did, and what is new with a default changes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.history import (
    History,
    InvalidHistoryError,
    first_difference,
    from_document,
    read_history,
    text_of,
    to_document,
)
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.journey.walk import Walk
from cairn.domain.profile.profile import Profile
from tests.unit.strategies import enrollments, stored_profiles

RECORDED = Path(__file__).parents[2] / "histories" / "paused-trial.history.json"


def changed(history: History, change: Any) -> History:
    document = json.loads(text_of(history))
    change(document)
    return History(document["journeys"], document["decisions"])


def test_todays_engine_decides_as_it_did_when_the_history_was_recorded() -> None:
    assert first_difference(read_history(RECORDED)) == ""


def test_the_file_is_written_as_it_was_read() -> None:
    assert text_of(read_history(RECORDED)) == RECORDED.read_text(encoding="utf-8")


def test_another_decision_is_shown_as_a_diff_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    really = Walk.effect_id
    monkeypatch.setattr(Walk, "effect_id", lambda walk, step: really(walk, step).replace("third-day", "another-day"))

    difference = first_difference(read_history(RECORDED))

    first, *diff = difference.splitlines()
    assert first == "decision 2 at 2026-03-02T14:20:00Z of fitness-trial-to-paid, after TimerFired, is another today"
    assert diff[:2] == ["--- recorded", "+++ today"]
    assert any(line.startswith("-") and "third-day" in line for line in diff)
    assert any(line.startswith("+") and "another-day" in line for line in diff)


def test_each_part_of_a_decision_counts() -> None:
    history = read_history(RECORDED)

    def effect(document: Any) -> None:
        document["decisions"][0]["decision"]["effects"].pop()

    def fact(document: Any) -> None:
        document["decisions"][0]["decision"]["facts"][0]["kind"] = "held_out"

    def enrollment(document: Any) -> None:
        document["decisions"][0]["decision"]["enrollment"]["sequence"] = 7

    for change in (effect, fact, enrollment):
        assert "decision 1 at" in first_difference(changed(history, change))


def test_a_field_that_today_has_no_more_or_that_has_its_default_changes_nothing() -> None:
    def older_and_newer(document: Any) -> None:
        for one in document["decisions"]:
            for part in (one["enrollment"], one["profile"], one["trigger"], one["decision"]["enrollment"]):
                part["removed_since"] = "a field of then"
            one["decision"]["enrollment"].setdefault("outcome", "")
            for effect in one["decision"]["effects"]:
                effect.pop("time_zone", None)
                effect["time_zone"] = "America/New_York"

    assert first_difference(changed(read_history(RECORDED), older_and_newer)) == ""


@given(enrollments)
def test_an_enrollment_is_read_as_it_was_written(enrollment: Enrollment) -> None:
    assert from_document(Enrollment, to_document(enrollment)) == enrollment


@given(stored_profiles(st.just("c_a")))
def test_a_profile_is_read_as_it_was_written(profile: Profile) -> None:
    written = to_document(profile)

    assert json.dumps(to_document(from_document(Profile, written))) == json.dumps(written)
    assert from_document(Profile, written).typed == profile.typed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "trial.history.json:1: this is no history. Write it with `cairn replay --record`."),
        ("[]", "trial.history.json:1: this is no history"),
        ('{"history": 2}', "trial.history.json:1: this history is of another format"),
        ('{"history": 1}', "trial.history.json:1: this is no history"),
    ],
)
def test_what_is_no_history_is_refused_with_a_message(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "trial.history.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidHistoryError) as error:
        read_history(path)

    assert said in str(error.value)


def test_a_history_that_lacks_what_today_must_have_is_refused_with_the_number_of_the_decision() -> None:
    def lacking(document: Any) -> None:
        del document["decisions"][1]["enrollment"]["entered_at"]

    with pytest.raises(InvalidHistoryError, match=r"decision 2 cannot be read by today.s code: .*entered_at"):
        first_difference(changed(read_history(RECORDED), lacking))

"""Birthdays, silence and conditions through the whole deployment, with its timers, queues and table."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import Begins, Story

MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)
ADA = {"user_id": "ada", "email": "ada@example.com"}

BIRTHDAY = """
journey: birthday
time_zone: America/New_York
entry: {date: profile.birthday, every: year, at: "09:00"}
steps:
  - id: call
    task: {queue: sales, title: Congratulate}
"""

WIN_BACK = """
journey: win-back
entry: {none_of: [app.opened], for: 90d, again: when-ended}
steps:
  - id: mark
    update: {set: {stage: lapsed}}
"""

LAPSED = """
journey: lapsed
entry: {when: profile.stage == 'lapsed'}
steps:
  - id: call
    task: {queue: sales, title: Ask what went wrong}
"""


@pytest.fixture
def story(a_story: Begins, tmp_path: Path) -> Story:
    for written in (BIRTHDAY, WIN_BACK, LAPSED):
        name = written.split()[1]
        (tmp_path / name).mkdir()
        (tmp_path / name / "journey.yaml").write_text(written, encoding="utf-8")
    return a_story(tmp_path, at=MONDAY)


def tasks(story: Story) -> list[tuple[str, str]]:
    return [(line["at"][:16], line["journey"]) for line in story.timeline("task")]


def test_every_birthday_is_remembered_also_one_that_was_corrected(story: Story) -> None:
    story.happens("trial.signup", customer=ADA, attributes={"birthday": "1990-03-20"})
    story.passes("1d")
    story.happens("profile.corrected", customer=ADA, attributes={"birthday": "03-21"})

    story.passes("800d")

    assert tasks(story) == [(f"{year}-03-21T13:00", "birthday") for year in (2026, 2027, 2028)]
    assert [line["kind"] for line in story.timeline("entered", "held_out")] == ["entered"] * 3


def test_ninety_days_of_silence_begin_a_journey_and_what_that_changes_another_one(story: Story) -> None:
    story.happens("app.opened", "1", customer=ADA)
    story.passes("60d")
    story.happens("app.opened", "2", customer=ADA)
    story.passes("89d")
    assert tasks(story) == []

    story.passes("2d")

    assert tasks(story) == [("2026-07-30T14:00", "lapsed")]
    entered = [(line["journey"], line["at"][:10]) for line in story.timeline("entered")]
    assert entered == [("win-back", "2026-07-30"), ("lapsed", "2026-07-30")]


def test_a_contract_that_is_renewed_with_a_new_end_is_remembered_next_year(a_story: Begins, tmp_path: Path) -> None:
    ends = BIRTHDAY.replace("every: year", "day: -30, again: when-ended")
    story = begun(a_story, tmp_path, f"{ends}  - {{id: a-month, wait: 30d}}\nexit_on: [{{event: policy.renewed}}]\n")
    story.happens("policy.started", customer=ADA, attributes={"birthday": "2026-04-10"})
    story.passes("20d")

    story.happens("policy.renewed", customer=ADA, attributes={"birthday": "2027-04-10"})
    story.passes("400d")

    assert entered(story) == ["2026-03-11", "2027-03-11"]


def test_an_erased_customer_has_no_birthday(story: Story) -> None:
    story.happens("trial.signup", customer=ADA, attributes={"birthday": "1990-03-20"})

    story.erases("ada")
    story.passes("30d")

    assert tasks(story) == []


ONCE = """
journey: once
entry: {none_of: [app.opened], for: 30d}
steps:
  - id: call
    task: {queue: sales, title: Ask what went wrong}
"""


def test_silence_begins_once_where_nothing_else_is_said(a_story: Begins, tmp_path: Path) -> None:
    (tmp_path / "once").mkdir()
    (tmp_path / "once" / "journey.yaml").write_text(ONCE, encoding="utf-8")
    story = a_story(tmp_path, at=MONDAY)
    story.happens("app.opened", "1", customer=ADA)
    story.passes("40d")

    story.happens("app.opened", "2", customer=ADA)
    story.passes("100d")

    assert len(story.timeline("entered")) == 1
    assert [line["reason"] for line in story.timeline("not_entered")] == ["re-entry"]


def test_a_new_version_is_what_begins_and_a_removed_journey_is_not(story: Story, tmp_path: Path) -> None:
    story.happens("trial.signup", customer=ADA, attributes={"birthday": "1990-03-20"})
    other = tmp_path / "other"
    for written in (BIRTHDAY.replace("every: year", "every: year, day: 1"),):
        (other / "birthday").mkdir(parents=True)
        (other / "birthday" / "journey.yaml").write_text(written, encoding="utf-8")
    story.deployment.deploy(other)
    story.passes("30d")
    assert tasks(story) == [("2026-03-21T13:00", "birthday")]

    (tmp_path / "nothing" / "lapsed").mkdir(parents=True)
    (tmp_path / "nothing" / "lapsed" / "journey.yaml").write_text(LAPSED, encoding="utf-8")
    story.deployment.deploy(tmp_path / "nothing")
    story.passes("400d")

    assert len(tasks(story)) == 1
    assert [line["outcome"] for line in story.timeline("ended")][-1] == "removed"


SILENCE = """
journey: win-back
entry: {none_of: [app.opened], for: 90d, again: %s}
steps:
  - {id: call, task: {queue: sales, title: Call}}
  - {id: a-while, wait: 20d}
"""


def entered(story: Story, kind: str = "entered") -> list[str]:
    return [line["at"][:10] for line in story.timeline(kind)]


def test_who_is_held_out_of_a_birthday_is_held_out_of_the_next_one_too(a_story: Begins, tmp_path: Path) -> None:
    story = begun(a_story, tmp_path, BIRTHDAY.replace("steps:", "holdout: 0.999\ngoal: {event: order.paid}\nsteps:"))

    story.happens("trial.signup", customer=ADA, attributes={"birthday": "1990-03-20"})
    story.passes("800d")

    assert entered(story, "held_out") == ["2026-03-20", "2027-03-20", "2028-03-20"]
    assert tasks(story) == []


def test_a_birthday_follows_the_customer_into_another_time_zone(a_story: Begins, tmp_path: Path) -> None:
    story = begun(a_story, tmp_path, BIRTHDAY)
    story.happens("trial.signup", customer=ADA, attributes={"birthday": "1990-03-20"})
    story.passes("1d")

    story.happens("profile.moved", customer=ADA, attributes={"time_zone": "Europe/Madrid"})
    story.passes("30d")

    assert tasks(story) == [("2026-03-20T08:00", "birthday")]


def test_another_time_zone_begins_nothing_by_a_date_that_is_past(a_story: Begins, tmp_path: Path) -> None:
    once = BIRTHDAY.replace("every: year", "again: when-ended")
    story = begun(a_story, tmp_path, once)
    story.happens("trial.signup", customer=ADA, attributes={"birthday": "2026-03-20"})
    story.passes("30d")
    before = story.timeline()

    story.happens("profile.moved", customer=ADA, attributes={"time_zone": "Europe/Madrid"})

    assert [line["kind"] for line in story.timeline() if line not in before] == ["event"]


@pytest.mark.parametrize("again", ["when-ended", "40d"])
def test_who_comes_back_while_the_journey_runs_may_fall_silent_again(
    a_story: Begins, tmp_path: Path, again: str
) -> None:
    story = begun(a_story, tmp_path, SILENCE % again)
    story.happens("app.opened", "1", customer=ADA)
    story.passes("95d")

    story.happens("app.opened", "2", customer=ADA)
    story.passes("200d")

    assert entered(story) == ["2026-05-31", "2026-09-03"]


def test_who_stays_away_does_not_fall_silent_again(a_story: Begins, tmp_path: Path) -> None:
    story = begun(a_story, tmp_path, SILENCE % "when-ended")
    story.happens("app.opened", "1", customer=ADA)

    story.passes("500d")

    assert entered(story) == ["2026-05-31"]


def test_who_is_silent_before_it_may_begin_again_begins_on_the_day_on_which_it_may(
    a_story: Begins, tmp_path: Path
) -> None:
    story = begun(a_story, tmp_path, (SILENCE % "150d").replace("  - {id: a-while, wait: 20d}\n", ""))
    story.happens("app.opened", "1", customer=ADA)
    story.passes("91d")  # it has begun on day 90, and may again on day 240

    story.happens("app.opened", "2", customer=ADA)  # silence is long enough on day 181
    story.passes("200d")

    assert entered(story) == ["2026-05-31", "2026-10-28"]
    assert story.timeline("not_entered") == []


def test_who_comes_back_meanwhile_is_silent_from_then_on(a_story: Begins, tmp_path: Path) -> None:
    story = begun(a_story, tmp_path, (SILENCE % "150d").replace("  - {id: a-while, wait: 20d}\n", ""))
    story.happens("app.opened", "1", customer=ADA)
    story.passes("91d")
    story.happens("app.opened", "2", customer=ADA)
    story.passes("139d")

    story.happens("app.opened", "3", customer=ADA)  # on day 230: over on day 320
    story.passes("200d")

    assert entered(story) == ["2026-05-31", "2027-01-16"]


def test_once_is_once_also_for_two_profiles_that_are_one_person(a_story: Begins, tmp_path: Path) -> None:
    story = begun(a_story, tmp_path, SILENCE % "never")
    story.happens("app.opened", "1", customer={"user_id": "ada"})
    story.passes("60d")
    story.happens("app.opened", "2", customer={"external_ids": {"crm": "7"}})
    story.passes("60d")  # ada has entered, and the other one waits

    story.happens("profile.seen", customer={"user_id": "ada", "external_ids": {"crm": "7"}})
    story.passes("200d")

    assert len(story.timeline("merged")) == 1
    assert entered(story) == ["2026-05-31"]
    assert "re-entry" in [line["outcome"] for line in story.timeline("ended")]


def begun(a_story: Begins, tmp_path: Path, written: str) -> Story:
    folder = tmp_path / "journeys" / written.split()[1]
    folder.mkdir(parents=True)
    (folder / "journey.yaml").write_text(written, encoding="utf-8")
    return a_story(tmp_path / "journeys", at=MONDAY)


WATCHED = """
journey: win-back
entry: {none_of: [app.opened], for: 30d, again: when-ended}
goal: {event: app.opened, within: 60d}
exit_on: [{event: app.opened}, {event: account.closed}]
steps:
  - {id: call, task: {queue: sales, title: Call}}
  - {id: a-while, wait: 20d}
"""


def test_silence_that_is_broken_goes_on_from_there_also_where_that_event_ends_the_journey(
    a_story: Begins, tmp_path: Path
) -> None:
    story = begun(a_story, tmp_path, WATCHED)

    for number in range(3):
        story.happens("app.opened", str(number), customer=ADA)
        story.passes("10d")
    story.passes("25d")
    story.happens("app.opened", "back", customer=ADA)

    assert entered(story) == ["2026-04-21"]
    assert [line["outcome"] for line in story.timeline("ended")] == ["exit_on"]
    assert [line["arm"] for line in story.timeline("goal_reached")] == ["active"]


def test_no_goal_counts_where_the_journey_ended_before_it_began(a_story: Begins, tmp_path: Path) -> None:
    story = begun(a_story, tmp_path, WATCHED)
    story.happens("app.opened", "1", customer=ADA)
    story.passes("10d")
    story.happens("account.closed", "2", customer=ADA)

    story.happens("app.opened", "3", customer=ADA)

    assert [line["outcome"] for line in story.timeline("ended")] == ["exit_on"]
    assert story.timeline("goal_reached") == []


RENEWAL = """
journey: renewal
time_zone: America/New_York
entry: {date: profile.contract_ends, day: -30, at: "09:00", again: when-ended}
exit_on: [{event: contract.ended}]
steps:
  - id: call
    task: {queue: sales, title: Ask about the contract}
  - id: think
    wait: 10d
"""


@pytest.mark.parametrize("ends_by", ["its own time", "an event"])
def test_a_date_that_changes_while_the_journey_runs_begins_the_next_one(
    a_story: Begins, tmp_path: Path, ends_by: str
) -> None:
    """Nobody comes by later: no further event says that there is another date."""
    (tmp_path / "renewal").mkdir()
    (tmp_path / "renewal" / "journey.yaml").write_text(RENEWAL, encoding="utf-8")
    story = a_story(tmp_path, at=MONDAY)
    story.happens("supplier.updated", "first", customer=ADA, attributes={"contract_ends": "2026-04-11"})
    story.passes("12d")
    story.happens("supplier.updated", "later", customer=ADA, attributes={"contract_ends": "2027-04-11"})
    if ends_by == "an event":
        story.passes("1d")
        story.happens("contract.ended", customer=ADA)

    story.passes("370d")

    assert [line["at"][:10] for line in story.timeline("task")] == ["2026-03-12", "2027-03-12"]

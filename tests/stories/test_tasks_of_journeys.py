"""A journey asks people for something and goes on by what comes of it."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.adapters.scheduler.timers import task_wake_body
from infra.local.deployment import POLICY, local_deployment
from infra.local.signing import local_secrets
from tests.conftest import Story
from tests.stories.shop import Shop, served

FRIDAY_NIGHT = datetime(2026, 5, 23, 3, tzinfo=UTC)
"""23:00 on Friday 22 May in New York, before a weekend and Memorial Day."""
TUESDAY = datetime(2026, 5, 26, 14, tzinfo=UTC)
"""10:00 in New York."""

ADA = {"user_id": "ada", "email": "ada@example.com"}

PEOPLE = """
[calendars.office]
hours = {mon-fri = "09:00-17:00"}
time_zone = "America/New_York"
holidays = {country = "US", years = [2026, 2026]}

[queues.sales]
title = "Sales"
calendar = "office"
due = "4h"
remind = "1h"
reassign = 2
escalate_to = "managers"

[queues.sales.outcomes.booked]
title = "Booked"
event = "visit.booked"
[queues.sales.outcomes.lost]
title = "Lost"
[queues.sales.outcomes.no_answer]
title = "No answer"
again = "3h"
[queues.sales.outcomes.callback]
title = "Call back"
at_hour_of_choice = true

[queues.managers]
title = "Managers"
calendar = "office"
due = "8h"

[members.ana]
name = "Ana"
queues = ["sales"]
[members.ben]
name = "Ben"
queues = ["sales"]
[members.cleo]
name = "Cleo"
queues = ["sales"]
[members.maria]
name = "Maria"
queues = ["managers"]
"""

JOURNEY = """
journey: lead
entry: {event: lead.captured}
exit_on:
  - event: invoice.paid
steps:
  - id: call
    task:
      queue: sales
      title: Call the lead
      kind: call
      reason: first-call
      context: {page: data.page}
      at_most: 20d
      then:
        booked:
          - id: welcome
            update: {set_from: {seller: event.properties.owner, said: event.properties.answers.need}}
        lost:
          - id: gone
            exit: lost
      else:
        - id: nobody
          exit: nobody-called
  - id: end
    update: {set: {stage: visiting}}
"""


@pytest.fixture
def start() -> datetime:
    return TUESDAY


@pytest.fixture
def people() -> str:
    return PEOPLE


@contextmanager
def opened_story(folder: Path, start: datetime, people: str) -> Iterator[Story]:
    (folder / "lead").mkdir()
    (folder / "lead" / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    policy = folder / "policy.toml"
    policy.write_text(POLICY.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "people.toml").write_text(people, encoding="utf-8")
    with local_deployment(folder, start=start, secrets=local_secrets({}), policy=policy) as deployment:
        yield Story(deployment)


@pytest.fixture
def story(tmp_path: Path, start: datetime, people: str) -> Iterator[Story]:
    with opened_story(tmp_path, start, people) as opened:
        yield opened


def asks(story: Story, do: str, task: str, **fields: Any) -> tuple[int, Any]:
    """What an operator asks, and the answer."""
    body = json.dumps({"do": do, "task": task, **fields}).encode()
    headers = {"content-type": "application/json"}
    answer = story.deployment.manage("POST", "https://localhost/manage/tasks", headers, body, actor="mia")
    story.deployment.settle()
    return answer["statusCode"], json.loads(answer["body"] or "{}")


def listed(story: Story, query: str = "") -> Any:
    answer = story.deployment.manage("GET", f"https://localhost/manage/tasks?{query}", {}, actor="mia")
    return json.loads(answer["body"])["tasks"]


def captured(story: Story, **more: Any) -> str:
    """The id of the task that a lead's arrival opens."""
    story.happens("lead.captured", customer=ADA, properties={"page": "/prices"}, **more)
    (task,) = listed(story)
    return str(task["task"])


def history(story: Story) -> list[tuple[str, str, str]]:
    (task,) = story.timeline("task")
    return [(one["at"], one["what"], one.get("owner", "")) for one in task["history"]]


def notified(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """The notifications of members, and of which."""
    said = [one for one in caplog.records if one.getMessage() == "notification of a member handled"]
    return [(one.__dict__["kind"], one.__dict__["member"]) for one in said]


def alarms(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.__dict__["person_needed"] for one in caplog.records if "person_needed" in one.__dict__]


def moves(story: Story) -> list[tuple[str, str]]:
    kinds = ("done", "withdrawn", "timed_out", "ended", "updated")
    return [(line["kind"], line.get("outcome") or line.get("because") or "") for line in story.timeline(*kinds)]


def owner_of(story: Story) -> str:
    (one,) = listed(story)
    return str(one["owner"])


def test_a_journey_goes_on_by_the_outcome_and_sees_who_did_it(story: Story) -> None:
    task = captured(story)
    owner = owner_of(story)

    assert asks(story, "claim", task, **{"as": owner})[0] == 200
    status, done = asks(story, "done", task, outcome="booked", answers={"need": "a boat"}, **{"as": owner})

    assert (status, done["status"], done["outcome"]) == (200, "done", "booked")
    assert moves(story) == [("done", "booked"), ("updated", ""), ("updated", ""), ("ended", "completed")]
    events = {line["type"]: line for line in story.timeline("event")}
    assert events["task.done"]["properties"]["owner"] == owner
    assert events["visit.booked"]["source"] == "people"
    assert listed(story) == []
    assert listed(story, f"owner={owner}") == []


def test_an_outcome_without_a_branch_of_its_own_goes_by_else(story: Story) -> None:
    task = captured(story)

    asks(story, "withdraw", task, why="the number is wrong")

    assert moves(story) == [("withdrawn", "the number is wrong"), ("ended", "nobody-called")]


def test_a_task_that_is_claimed_twice_says_who_has_it(story: Story) -> None:
    task = captured(story)
    owner = owner_of(story)
    other = next(one for one in ("ana", "ben", "cleo") if one != owner)

    status, problem = asks(story, "claim", task, **{"as": other})

    assert (status, problem["title"]) == (409, "task-owned")
    assert problem["detail"].startswith(f"{owner} has this task")
    assert owner_of(story) == owner


def test_what_is_done_twice_is_done_once(story: Story) -> None:
    task = captured(story)

    answers = [asks(story, "done", task, outcome="lost") for _ in range(3)]
    status, problem = asks(story, "done", task, outcome="booked")

    assert {code for code, _ in answers} == {200}
    assert (status, problem["title"]) == (409, "task-closed")
    assert [line["type"] for line in story.timeline("event")].count("task.done") == 1
    assert moves(story) == [("done", "lost"), ("ended", "lost")]


def test_a_mistyped_name_is_refused_with_the_near_one(story: Story) -> None:
    task = captured(story)

    status, problem = asks(story, "done", task, outcome="boked")
    of_a_member = asks(story, "assign", task, to="maira", why="she knows them")
    of_a_task = asks(story, "claim", f"{task}x", **{"as": "ana"})

    assert (status, problem["problems"]) == (
        400,
        ["outcome: one of booked, lost, no_answer, callback; did you mean booked?"],
    )
    assert (of_a_member[0], of_a_member[1]["detail"]) == (404, "people.toml has no member maira; did you mean maria?")
    assert of_a_task[0] == 404


def test_three_owners_say_nothing_then_it_goes_up(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    captured(story)

    story.passes("3d")

    (_, _, first), (at2, _, second), (at3, _, third), (at4, what, last), *_ = history(story)
    assert {first, second, third} == {"ana", "ben", "cleo"}
    assert (at2, at3) == ("2026-05-26T18:00:00Z", "2026-05-27T14:00:00Z")  # four working hours each
    assert (at4, what, last) == ("2026-05-27T18:00:00Z", "escalated", "maria")
    assert notified(caplog)[:6] == [
        ("assigned", first),
        ("reminder", first),
        ("reassigned", second),
        ("reassigned", third),
        ("escalated", "maria"),
        ("overdue", "maria"),
    ]
    assert [line["type"] for line in story.timeline("event")].count("task.overdue") == 1
    assert set(alarms(caplog)) == {"TaskOverdue"}
    assert owner_of(story) == "maria"
    assert listed(story, f"owner={first}") == []


@pytest.fixture
def removes(story: Story, tmp_path: Path) -> Callable[..., None]:
    """A deployment whose people.toml has some members no more, and perhaps further ones."""

    def remove(*members: str, more: str = "") -> None:
        rest = PEOPLE
        for member in members:
            rest = re.sub(rf"\[members\.{member}\]\n(?:\w+ = .*\n)+", "", rest)
        (tmp_path / "people.toml").write_text(rest + more, encoding="utf-8")
        story.deployment.deploy(tmp_path)

    return remove


MO = '[members.mo]\nname = "Mo"\nqueues = ["managers"]\n'


@pytest.mark.parametrize("has_begun", [True, False])
@pytest.mark.parametrize(("stopped", "within"), [("", "5m"), ("sweep", "3h30m")])
def test_a_member_who_is_removed_from_the_file_loses_no_task(  # noqa: PLR0913, PLR0917  what happens, and when
    story: Story,
    removes: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    stopped: str,
    within: str,
    has_begun: bool,  # noqa: FBT001
) -> None:
    """Within five minutes; and where that fails, when its owner would hear of it, an hour before it is due."""
    story.deployment.stop(stopped)
    task = captured(story)
    owner = owner_of(story)
    if has_begun:
        assert asks(story, "claim", task, **{"as": owner})[0] == 200

    removes(owner)
    story.passes(within)

    heir = owner_of(story)
    assert heir in {"ana", "ben", "cleo"} - {owner}
    assert [who for _, who in notified(caplog) if who != owner] == [heir]
    (line,) = story.timeline("task")
    assert f"{owner} is no member any more" in line["history"][-1]["why"]
    assert [one["task"] for one in listed(story, f"owner={heir}")] == [task]
    assert asks(story, "done", task, outcome="booked")[0] == 200


def test_a_task_at_the_top_whose_member_is_removed_goes_to_who_is_there_now(
    story: Story, removes: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    captured(story)
    story.passes("4d")
    assert owner_of(story) == "maria"

    removes("maria", more=MO)
    story.passes("5m")

    assert owner_of(story) == "mo"
    assert ("reassigned", "mo") in notified(caplog)


def test_where_nobody_can_take_it_over_it_has_no_owner_until_somebody_is_there(
    story: Story, removes: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    captured(story)
    story.passes("4d")
    caplog.clear()

    removes("maria", more=f'{MO}absences = [{{from = "2026-05-20", to = "2026-06-09"}}]\n')
    story.passes("8d")
    (one,) = listed(story)
    assert one["owner"] is None
    assert set(alarms(caplog)) == {"TaskUnstaffed"}
    (line,) = story.timeline("task")
    why = "maria is no member any more; managers: nobody (not mo: is away)"
    assert why in [one.get("why") for one in line["history"]]

    story.passes("4d")
    assert owner_of(story) == "mo"


def test_who_was_removed_before_leaving_can_leave_all_the_same(story: Story, removes: Callable[..., None]) -> None:
    captured(story)
    owner = owner_of(story)
    removes(owner)

    left = says_of(story, owner, "leaves")

    assert left == (200, [owner_of(story)])
    assert owner_of(story) in {"ana", "ben", "cleo"} - {owner}
    assert says_of(story, "nobody", "leaves")[0] == 404


def says_of(story: Story, member: str, do: str) -> tuple[int, list[str]]:
    """The status, and who has the tasks that were passed on."""
    body = json.dumps({"do": do, "member": member, "why": "moves away"}).encode()
    headers = {"content-type": "application/json"}
    answer = story.deployment.manage("POST", "https://localhost/manage/members", headers, body, actor="mia")
    story.deployment.settle()
    return answer["statusCode"], [one["owner"] for one in json.loads(answer["body"]).get("passed_on", [])]


def test_who_has_begun_gets_the_time_once_more(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    task = captured(story)
    owner = owner_of(story)
    asks(story, "claim", task, **{"as": owner})

    story.passes("5h")

    assert owner_of(story) == owner
    assert notified(caplog)[-1] == ("overdue", owner)


class TestOnAFridayNight:
    @pytest.fixture
    def start(self) -> datetime:
        return FRIDAY_NIGHT

    def test_a_lead_is_due_in_the_first_working_hours_and_not_before(
        self, story: Story, caplog: pytest.LogCaptureFixture
    ) -> None:
        captured(story)
        (one,) = listed(story)

        story.passes("3d")  # to 23:00 on Monday, which is Memorial Day

        assert one["due_at"] == "2026-05-26T17:00:00Z"  # 13:00 on Tuesday
        assert notified(caplog) == [("assigned", one["owner"])]
        story.passes("13h30m")
        assert notified(caplog)[1:] == [("reminder", one["owner"])]  # at noon
        assert [what for _, what, _ in history(story)] == ["opened"]


def test_no_answer_brings_it_back_at_another_hour(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    task = captured(story)
    owner = owner_of(story)

    _, after = asks(story, "done", task, outcome="no_answer", note="voice mail")
    story.passes("3h")

    assert (after["status"], after["comes_back_at"]) == ("open", "2026-05-26T17:00:00Z")
    assert notified(caplog)[-1] == ("reminder", owner)
    assert moves(story) == []  # the journey waits on


def test_nobody_is_called_for_ever(story: Story) -> None:
    task = captured(story)

    for _ in range(9):
        asks(story, "done", task, outcome="no_answer")
        story.passes("3h")

    assert moves(story) == [("done", "no_answer"), ("ended", "nobody-called")]


@pytest.mark.parametrize(
    ("start", "wished", "at"),
    [
        # In Madrid 2:30 does not exist on 29 March: it is 3:30, as long after midnight as it says.
        (datetime(2026, 3, 27, 15, tzinfo=UTC), "2026-03-29T02:30", "2026-03-29T01:30:00Z"),
        # On 25 October it is there twice: the first.
        (datetime(2026, 10, 23, 14, tzinfo=UTC), "2026-10-25T02:30", "2026-10-25T00:30:00Z"),
        (datetime(2026, 10, 23, 14, tzinfo=UTC), "2026-10-26T18:45", "2026-10-26T17:45:00Z"),
        (datetime(2026, 10, 23, 14, tzinfo=UTC), "2026-10-26T18:45-04:00", "2026-10-26T22:45:00Z"),
    ],
)
def test_a_callback_comes_at_the_minute_that_the_customer_chose(
    story: Story, caplog: pytest.LogCaptureFixture, wished: str, at: str
) -> None:
    task = captured(story, attributes={"time_zone": "Europe/Madrid"})
    owner = owner_of(story)

    _, after = asks(story, "done", task, outcome="callback", at=wished)
    minute = datetime.fromisoformat(at)
    story.deployment.advance_to(minute - timedelta(minutes=1))
    before = notified(caplog)
    story.deployment.advance_to(minute)

    assert (after["due_at"], after["comes_back_at"]) == (at, at)
    assert notified(caplog)[len(before) :] == [("reminder", owner)]


def test_a_callback_needs_a_minute_that_is_still_to_come(story: Story) -> None:
    task = captured(story)

    refused = [
        asks(story, "done", task, outcome="callback", **more)
        for more in ({}, {"at": "soon"}, {"at": "2026-05-26T09:00"})
    ]

    assert [status for status, _ in refused] == [400, 400, 400]
    assert asks(story, "done", task, outcome="lost", at="2026-05-27T09:00")[0] == 400
    assert moves(story) == []


def test_a_paid_invoice_withdraws_its_call(story: Story) -> None:
    task = captured(story)
    owner = owner_of(story)

    story.happens("invoice.paid", customer=ADA)

    assert listed(story) == []
    assert listed(story, f"owner={owner}") == []
    (stored,) = story.timeline("task")
    assert (stored["status"], stored["history"][-1]["why"]) == ("withdrawn", "invoice.paid")
    assert asks(story, "done", task, outcome="booked")[0] == 409
    story.passes("3d")
    assert [line["type"] for line in story.timeline("event")].count("task.overdue") == 0


def test_a_journey_that_waits_no_longer_withdraws_its_task(story: Story) -> None:
    captured(story)

    story.passes("20d")

    assert moves(story) == [("timed_out", ""), ("ended", "nobody-called")]
    assert listed(story) == []


def test_a_task_is_shown_with_what_its_owner_should_know(story: Story) -> None:
    task = captured(story, attributes={"stage": "lead", "score": 80})

    _, shown = asks(story, "show", task)

    assert shown["context"] == {"page": "/prices"}
    assert shown["about"]["attributes"] == {"stage": "lead", "score": 80}
    assert shown["about"]["events"][0]["type"] == "lead.captured"
    assert "email: ada@example.com" in shown["about"]["profile"]
    assert [one["outcome"] for one in shown["outcomes"]] == ["booked", "lost", "no_answer", "callback"]
    assert "whose turn it is" in shown["history"][0]["why"]


class TestWhereNobodyWorks:
    @pytest.fixture
    def people(self) -> str:
        away = 'absences = [{from = "2026-05-20", to = "2026-07-01"}]\n'
        return PEOPLE.replace('queues = ["sales"]\n', f'queues = ["sales"]\n{away}')

    def test_it_is_said_at_once(self, story: Story, caplog: pytest.LogCaptureFixture) -> None:
        captured(story)

        (one,) = listed(story)
        assert one["owner"] is None
        assert alarms(caplog) == ["TaskUnstaffed"]
        assert notified(caplog) == [("unstaffed", "maria")]
        assert "away" in story.timeline("task")[0]["history"][0]["why"]

        story.passes("5h")
        assert owner_of(story) == "maria"  # it goes up when its time is over


def members() -> dict[str, int]:
    """How many open tasks each member has, by their lists."""
    return {one: len(DynamoTasks().of_member(one)) for one in ("ana", "ben", "cleo", "maria")}


def test_a_task_moves_with_a_customer_who_is_merged_and_stays_with_its_owner(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    story.happens("lead.captured", "1", customer={"email": "ada@example.com"}, properties={"page": "/"})
    owner, task = owner_of(story), listed(story)[0]["task"]

    story.happens("account.made", "2", customer={"user_id": "ada"})
    story.happens("account.linked", "3", customer=ADA)
    story.passes("3h")

    assert owner_of(story) == owner
    assert members()[owner] == 1
    assert notified(caplog) == [("assigned", owner), ("reminder", owner)]
    assert asks(story, "done", task, outcome="booked")[0] == 200
    assert moves(story)[0] == ("done", "booked")
    assert set(members().values()) == {0}


def test_a_task_of_an_erased_customer_vanishes_from_its_owners_list(story: Story) -> None:
    task = captured(story)
    owner = owner_of(story)
    scheduled = schedules(story)

    story.erases("ada")
    story.passes("2h")

    assert scheduled > 0
    assert listed(story) == []
    assert raw_list(owner) == frozenset()
    assert schedules(story) == 0
    assert asks(story, "claim", task, **{"as": owner})[0] == 404


def schedules(story: Story) -> int:
    """The schedules of timers that are still to fire."""
    client = story.deployment.cloud.client("scheduler")
    return len(client.list_schedules(GroupName=story.deployment.cloud.group)["Schedules"])


def raw_list(member: str) -> frozenset[str]:
    """A member's list as it is stored, before a reader mends it."""
    return DynamoTasks().staff([member]).work[member].open


def test_two_enrollments_with_one_reason_share_a_task(story: Story, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    again = JOURNEY.replace("journey: lead", "journey: again").replace("lead.captured", "lead.returned")
    (tmp_path / "again" / "journey.yaml").write_text(again, encoding="utf-8")
    story.deployment.deploy(tmp_path)
    task = captured(story)

    story.happens("lead.returned", customer=ADA, properties={"page": "/"})

    assert [one["task"] for one in listed(story)] == [task]
    (fact,) = story.timeline("not_opened")
    assert (fact["journey"], fact["because"]) == ("again", "a task is open for the same reason: first-call")
    asks(story, "done", task, outcome="lost")
    assert moves(story) == [("done", "lost")] * 2 + [("ended", "lost")] * 2


def test_a_task_whose_timer_is_lost_is_set_going_again(story: Story) -> None:
    captured(story)
    first = owner_of(story)
    client, group = story.deployment.cloud.client("scheduler"), story.deployment.cloud.group
    for one in client.list_schedules(GroupName=group)["Schedules"]:
        client.delete_schedule(Name=one["Name"], GroupName=group)

    story.passes("7h")
    story.deployment.handlers["sweep"]({}, None)
    story.deployment.settle()

    assert owner_of(story) != first
    assert [what for _, what, _ in history(story)] == ["opened", "reassigned"]


def test_a_timer_that_comes_twice_or_late_changes_nothing(story: Story) -> None:
    captured(story)
    story.passes("5h")
    before = history(story)
    (one,) = listed(story)

    for sequence in (0, 1, 1, 99):
        story.deployment.cloud.send("wakes", task_wake_body(one["customer"], one["task"], sequence))
        story.deployment.settle()

    assert history(story) == before


class TestOfBranchesAndPartners:
    @pytest.fixture
    def people(self) -> str:
        return (
            PEOPLE.replace('title = "Sales"\n', 'title = "Sales"\nbranches = ["albany", "hudson"]\nsticky = true\n')
            + """
[queues.albany]
title = "Albany"
territories = [{latitude = 42.65, longitude = -73.75, kilometres = 60}]
[queues.hudson]
title = "Hudson"
territories = [{latitude = 42.25, longitude = -73.79, kilometres = 60}]
[members.al]
name = "Al"
queues = ["albany"]
[members.hue]
name = "Hue"
queues = ["hudson"]
[queues.partners]
title = "Partners"
[members.acme]
name = "Acme"
queues = ["partners"]
"""
        ).replace("[calendars.office]", 'deal_keys = ["email_domain"]\n[calendars.office]', 1)

    @pytest.mark.parametrize(
        ("where", "owner"),
        [
            ({"latitude": 42.46, "longitude": -73.75}, "al"),  # both reach it, and Albany is a little nearer
            ({"latitude": 42.44, "longitude": -73.77}, "hue"),
        ],
    )
    def test_a_customer_on_the_border_goes_to_the_nearer_branch(
        self, story: Story, where: dict[str, float], owner: str
    ) -> None:
        captured(story, attributes=where)

        assert owner_of(story) == owner

    def test_a_registered_deal_is_its_partners_alone(self, story: Story) -> None:
        body = {"do": "register", "key": "email_domain", "value": "example.com", "partner": "acme"}
        body |= {"until": "2026-12-31", "why": "ticket 7"}
        headers = {"content-type": "application/json"}
        story.deployment.manage(
            "POST", "https://localhost/manage/deals", headers, json.dumps(body).encode(), actor="mia"
        )

        captured(story)

        assert owner_of(story) == "acme"
        assert "deal" in story.timeline("task")[0]["history"][0]["why"]

    def test_a_customers_own_seller_gets_the_task_but_not_on_holiday(self, story: Story) -> None:
        captured(story, attributes={"owner": "cleo"})
        assert owner_of(story) == "cleo"
        body = {"do": "absent", "member": "cleo", "until": "2026-06-10", "why": "holiday"}
        headers = {"content-type": "application/json"}
        story.deployment.manage(
            "POST", "https://localhost/manage/members", headers, json.dumps(body).encode(), actor="mia"
        )

        bob = {"user_id": "bob"}
        story.happens("lead.captured", "2", customer=bob, properties={"page": "/"}, attributes={"owner": "cleo"})

        assert {one["owner"] for one in listed(story)} - {"cleo"} <= {"ana", "ben"}
        assert len({one["owner"] for one in listed(story)}) == 2


class TestWhereverItLies:
    """The outcomes are those of the queue that the step names, wherever the task has gone."""

    @pytest.mark.parametrize("way", ["escalate_to", "fallback", "branches"])
    def test_the_outcome_that_the_journey_waits_for_can_be_said(self, tmp_path: Path, way: str) -> None:
        sales = '[queues.sales]\ntitle = "Sales"\n'
        ways = {
            "escalate_to": PEOPLE,
            "fallback": PEOPLE.replace(sales, sales + 'fallback = "managers"\n').replace(
                'queues = ["sales"]', 'queues = ["north"]'
            )
            + '[queues.north]\ntitle = "North"\n',
            "branches": PEOPLE.replace(sales, sales + 'branches = ["managers"]\n'),
        }
        with opened_story(tmp_path, TUESDAY, ways[way]) as story:
            task = captured(story)
            if way == "escalate_to":
                story.passes("3d")
            (line,) = story.timeline("task")
            shown = asks(story, "show", task)[1]

            assert asks(story, "done", task, outcome="booked")[0] == 200

            assert (line["queue"], line["now_in"], line["owner"]) == ("sales", "managers", "maria")
            assert [one["outcome"] for one in shown["outcomes"]] == ["booked", "lost", "no_answer", "callback"]
            assert moves(story)[0] == ("done", "booked")


SECOND = """
journey: question
entry: {event: lead.asked}
steps:
  - id: answer
    task: {queue: sales, title: Answer the lead}
"""


def test_who_has_the_customers_call_gets_their_question_too(tmp_path: Path) -> None:
    sticky = PEOPLE.replace('title = "Sales"\n', 'title = "Sales"\nsticky = true\n', 1)
    (tmp_path / "question").mkdir()
    (tmp_path / "question" / "journey.yaml").write_text(SECOND, encoding="utf-8")
    with opened_story(tmp_path, TUESDAY, sticky) as story:
        captured(story)
        owner = owner_of(story)
        for number in range(3):
            story.happens("lead.captured", f"other-{number}", customer={"user_id": f"u{number}"}, properties={})

        story.happens("lead.asked", "question", customer=ADA)

        asked = next(one for one in story.timeline("task") if one["title"] == "Answer the lead")
        assert asked["owner"] == owner
        assert asked["history"][0]["why"] == f"sales: {owner} has the customer's open task"


class TestOnTheClockOfTheJourney:
    """The customer's own zone is not known."""

    def test_a_callback_is_read_in_the_journeys_zone(self, tmp_path: Path) -> None:
        with opened_story(tmp_path, TUESDAY, PEOPLE) as story:
            zoned = JOURNEY.replace("journey: lead\n", "journey: lead\ntime_zone: America/New_York\n")
            (tmp_path / "lead" / "journey.yaml").write_text(zoned, encoding="utf-8")
            story.deployment.deploy(tmp_path)
            task = captured(story)

            back = asks(story, "done", task, outcome="callback", at="2026-05-26T16:30")[1]
            shown = asks(story, "show", task)[1]
            known = story.deployment.manage(
                "POST",
                "https://localhost/manage/explain",
                {"content-type": "application/json"},
                json.dumps({"customer": "ada", "why": "asks"}).encode(),
                actor="mia",
            )

            assert back["comes_back_at"] == "2026-05-26T20:30:00Z"
            assert shown["about"]["zone"] == json.loads(known["body"])["zone"] == "America/New_York"


class TestOfTheDocs:
    @pytest.fixture
    def people(self) -> str:
        (file,) = re.findall(r"^```toml people\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
        return str(file) + '\n[queues.sales]\ntitle = "Sales"\n[members.zoe]\nname = "Zoe"\nqueues = ["sales"]\n'

    def test_its_commands_run_in_their_order(self, story: Story, tmp_path: Path) -> None:
        (block,) = re.findall(r"^```sh tasks\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
        lead = JOURNEY.replace("queue: sales", "queue: coaches").replace("        lost:", "        no_answer:")
        (tmp_path / "lead" / "journey.yaml").write_text(lead, encoding="utf-8")
        story.deployment.deploy(tmp_path)
        task = captured(story, attributes={"owner": "ana", "first_name": "Ada"})
        with served(story.deployment) as url:
            shop = Shop(story.deployment, url)
            printed = [shop.cairn(*shlex.split(line.replace("TASK", task))[1:]) for line in block.splitlines()]
            shown = shop.cairn("task", "show", task)
            empty = shop.cairn("task", "list")

        assert "call: Call the lead coaches, ana" in printed[0]
        assert "first_name: Ada" in printed[1]
        assert "ana looks after the customer" in printed[1]
        assert printed[2:] == [
            f"{task} is ana's",
            "noted",
            f"{task} comes back at 2026-05-26T17:00:00Z, to ana",
            f"{task} is done: booked",
        ]
        assert "Notes" in shown
        assert "Thursday at ten" in shown
        assert empty == "no open task"


PAGE = (Path(__file__).parents[2] / "docs" / "people.md").read_text(encoding="utf-8")

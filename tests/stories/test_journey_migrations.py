"""Customers wait while their journey is edited, and are moved to the new version: nobody is lost, or messaged twice.

CAIRN_MIGRATED says how many customers there are (`make prove`: 1,000), and DYNAMODB_LOCAL lets the same run on DynamoDB
Local too.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.dynamodb_local import VARIABLE, deployment, dynamodb_local
from cairn.adapters.dynamodb import overdue
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.domain.shared.errors import ServiceBusyError
from infra.local.deployment import LocalDeployment
from tests.conftest import MONDAY, Story

Json = dict[str, Any]

CUSTOMERS = int(os.environ.get("CAIRN_MIGRATED", "100"))
TABLES = ("moto", *(["dynamodb-local"] if os.environ.get(VARIABLE) else []))
EVERY = timedelta(hours=18)
GROUPS = 20
"""Customers come in so many groups, one after the other: so some stand at every step."""


def send(id_: str) -> Json:
    return {"id": id_, "send": {"channel": "sms", "template": id_, "purpose": "transactional"}}


def wait(id_: str, length: str) -> Json:
    return {"id": id_, "wait": length}


def split(**arms: list[Json]) -> Json:
    return {"id": "test", "split": {"arms": [{"arm": name, "weight": 1, "then": then} for name, then in arms.items()]}}


BEFORE = [
    send("hello"),
    split(short=[wait("short-wait", "1d"), send("short-tip")], long=[wait("long-wait", "4d"), send("long-tip")]),
    wait("pause", "3d"),  # is shortened
    send("nudge"),
    wait("cool", "2d"),  # is removed
    send("offer"),  # has another text
    wait("rest", "2d"),  # is lengthened
    send("bye"),
    {"id": "answer", "wait_for": {"event": "visit.attended", "timeout": "2d", "else": [send("reminder")]}},
]
AFTER = [
    send("hello"),
    split(long=[wait("long-wait", "4d"), send("long-tip")], none=[]),
    wait("pause", "1d"),
    send("nudge"),
    send("offer"),
    wait("rest", "4d"),
    send("bye"),
    {"id": "answer", "wait_for": {"event": "visit.attended", "timeout": "1d", "else": [send("reminder")]}},
]
BEFORE_THE_OFFER = {"long-wait", "pause", "cool"}
TEXTS = ("hello", "short-tip", "long-tip", "nudge", "offer", "bye", "reminder")


def write_journey(folder: Path, steps: list[Json], **texts: str) -> Path:
    journey = folder / "trial"
    (journey / "templates").mkdir(parents=True, exist_ok=True)
    document = {"journey": "trial", "entry": {"event": "trial.signup"}, "time_zone": "America/New_York", "steps": steps}
    (journey / "journey.yaml").write_text(json.dumps(document))
    used = json.dumps(steps)
    for name in TEXTS:
        path = journey / "templates" / f"{name}.sms.txt"
        path.unlink(missing_ok=True)
        if f'"template": "{name}"' in used:
            path.write_text(texts.get(name, f"The old {name}"))
    return folder


@dataclass
class Club:
    """Customers in a journey that is edited while they wait."""

    deployment: LocalDeployment
    folder: Path

    def come(self, customers: int) -> None:
        story = Story(self.deployment)
        for number in range(customers):
            if number % max(1, customers // GROUPS) == 0:
                self.deployment.advance_to(self.deployment.now() + EVERY)
            assert story.signs_up(number)["statusCode"] == 202

    def deploy(self, steps: list[Json], **texts: str) -> None:
        self.deployment.deploy(write_journey(self.folder, steps, **texts))

    def asks(self, do: str, after: str = "", **more: str) -> Json:
        fields = {
            "do": do,
            "journey": "trial",
            "why": "a shorter journey",
            **({"after": after} if after else {}),
            **more,
        }
        body = json.dumps(fields).encode()
        answer = self.deployment.manage("POST", "https://localhost/manage/migrations", {}, body, actor="ada")
        return {**json.loads(answer["body"]), "status": answer["statusCode"]}

    def pages(self, do: str, **more: str) -> Iterator[Json]:
        page = self.asks(do, **more)
        yield page
        while page.get("after"):
            page = self.asks(do, page["after"], **more)
            yield page

    def report(self, do: str = "report", **more: str) -> tuple[Counter[tuple[str, str, str]], Counter[tuple[str, str]]]:
        """How many move from which step to which one, with what timer; and how many stay where, and why."""
        moves: Counter[tuple[str, str, str]] = Counter()
        stays: Counter[tuple[str, str]] = Counter()
        for page in self.pages(do, **more):
            assert page["status"] in {200, 202}, page
            for one in page["moves"]:
                moves[one["step"], one["to_step"] or "", one["timer"]] += one["count"]
            for one in page["stays"]:
                stays[one["step"], one["because"]] += one["count"]
        self.deployment.settle()
        return moves, stays

    def timeline(self) -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = defaultdict(list)
        for line in self.deployment.timeline():
            found[line["customer"]].append(line)
        return found


@contextmanager
def club(tmp_path: Path, table: str = "moto") -> Iterator[Club]:
    folder = write_journey(tmp_path / "journeys", BEFORE)
    with (
        dynamodb_local() if table != "moto" else nullcontext() as endpoint,
        deployment(endpoint, folder, start=MONDAY) as made,
    ):
        yield Club(made, folder)


@pytest.mark.parametrize("table", TABLES)
def test_nobody_is_lost_or_messaged_twice(table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overdue, "PAGE", 10)
    with club(tmp_path, table) as trial:
        trial.come(CUSTOMERS)
        trial.deploy(AFTER, offer="The new offer")
        moves, stays = trial.report()

        # The operator's connection breaks, then no event is taken, and in the end it is done again from the start.
        trial.asks("migrate")
        trial.deployment.advance_to(trial.deployment.now() + timedelta(minutes=5))
        with monkeypatch.context() as broken:
            broken.setattr(EventsQueue, "put", _refuses)
            assert {page["status"] for page in trial.pages("report")} == {200}
            after = trial.asks("report")["after"]
            assert trial.asks("migrate", after)["status"] == 503
        while trial.report("migrate")[0]:
            pass
        left, _ = trial.report()
        trial.deployment.advance_to(trial.deployment.now() + timedelta(days=40))
        lines = trial.timeline()
        audited = [one for one in _audit(trial) if one["what"] == "migrate"]

    assert {step for step, _, _ in moves} == {"long-wait", "pause", "cool", "rest", "answer"}
    assert {(step, to) for step, to, _ in moves if step != to} == {("cool", "offer")}
    assert {("pause", "due_at_once"), ("rest", "set_anew")} <= {(step, timer) for step, _, timer in moves}
    assert stays.keys() == {("short-wait", "removed_arm")}
    assert not left
    assert len(lines) == CUSTOMERS
    was_moved = [_check_one(each) for each in lines.values()]
    assert sum(was_moved) == moves.total()
    assert {(one["who"], one["target"], one["why"]) for one in audited} == {
        ("ada", "journey:trial", "a shorter journey")
    }
    assert sum(one["detail"]["customers"] for one in audited) >= moves.total()


def _refuses(*_: Any) -> None:
    raise ServiceBusyError("sqs is busy")


def _audit(trial: Club) -> list[Json]:
    answer = trial.deployment.manage("GET", "https://localhost/manage/audit?limit=100", {}, actor="ada")
    entries: list[Json] = json.loads(answer["body"])["entries"]
    return entries


def _check_one(lines: list[Json]) -> bool:
    """One customer's story: whole, in order, and nothing twice. Returns whether the customer was moved."""
    messages = [line["step"] for line in lines if line["kind"] == "message"]
    kinds = Counter(line["kind"] for line in lines)
    assert kinds["entered"] == kinds["ended"] == 1, lines
    assert kinds["migrated"] <= 1, lines
    assert len(messages) == len(set(messages)), messages
    assert [one for one in messages if "tip" not in one] == ["hello", "nudge", "offer", "bye", "reminder"], messages
    (offer,) = (line for line in lines if line["kind"] == "message" and line["step"] == "offer")
    was_before = any(line["kind"] == "migrated" and line["step"] in BEFORE_THE_OFFER for line in lines)
    assert offer["body"].startswith("The new" if was_before else "The old"), lines
    return bool(kinds["migrated"])


def test_a_roll_back_is_the_same_with_the_versions_exchanged(tmp_path: Path) -> None:
    with club(tmp_path) as trial:
        trial.come(20)
        trial.deploy(AFTER)
        moved, _ = trial.report("migrate")
        trial.deploy(BEFORE)

        back, _ = trial.report("migrate")
        trial.deployment.advance_to(trial.deployment.now() + timedelta(days=40))
        lines = trial.timeline()

    ended_at_once = moved["answer", "answer", "due_at_once"]
    assert back.total() == moved.total() - ended_at_once
    assert {(step, to) for step, to, _ in back if step != to} == set()
    assert all(sum(line["kind"] == "ended" for line in each) == 1 for each in lines.values())
    for each in lines.values():
        steps = [line["step"] for line in each if line["kind"] == "message"]
        assert len(steps) == len(set(steps))


def test_a_removed_journey_lets_those_under_way_finish(tmp_path: Path) -> None:
    with club(tmp_path) as trial:
        trial.come(3)
        (trial.folder / "trial").rename(tmp_path / "gone")
        write_journey(tmp_path / "other", [send("hello")])
        (tmp_path / "other" / "trial").rename(trial.folder / "other")
        path = trial.folder / "other" / "journey.yaml"
        path.write_text(path.read_text().replace('"journey": "trial"', '"journey": "other"'))
        trial.deployment.deploy(trial.folder)

        moves, stays = trial.report()
        refused = trial.asks("migrate")
        unknown = trial.asks("report", to="no-such-version")
        lost = [trial.asks("report", after)["status"] for after in ("16", "x", "1 a", "1 a b c d")]

    assert not moves
    assert {because for _, because in stays} == {"not_deployed"}
    assert stays.total() == 3
    assert (refused["status"], unknown["status"], *lost) == (400, 404, 400, 400, 400, 400)
    assert "name the version to move to" in refused["detail"]
    assert "trial has no version no-such-version; it has " in unknown["detail"]


def test_a_message_that_was_decided_has_the_text_of_its_version(tmp_path: Path) -> None:
    """The commit is relayed only after the customer was moved."""
    with club(tmp_path) as trial:
        trial.deployment.stopped.add("relay_effects")
        trial.come(1)
        trial.deploy([wait("long-wait", "1d"), wait("short-wait", "1d"), wait("pause", "3d")])
        moves, _ = trial.report("migrate")
        trial.deployment.stopped.clear()
        trial.deployment.advance_to(trial.deployment.now() + timedelta(minutes=5))
        messages = [line for line in trial.deployment.timeline() if line["kind"] == "message"]

    assert moves is not None
    assert [(line["step"], line["body"]) for line in messages] == [("hello", "The old hello")]

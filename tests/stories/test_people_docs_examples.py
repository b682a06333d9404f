"""The examples of docs/people.md: the file passes the check, its owners are found, and its commands run in order."""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from authoring.people import check_people, compile_people
from cairn.adapters.documents.people import people_from_document
from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.application.people.assign_tasks import AssignTasks
from cairn.domain.people.members import People
from cairn.domain.people.routing import Asked, choose, due_after, wanted_of
from cairn.domain.people.task import Task
from tests.stories.shop import RECEIPT, Opens, Shop

PAGE = (Path(__file__).parents[2] / "docs" / "people.md").read_text(encoding="utf-8")
(FILE,) = re.findall(r"^```toml people\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
ROWS = re.findall(r"^\| `(\{.*\})` \| (\S+) \| (\w+)(?: or (\w+))? \| (.*) \|$", PAGE, re.MULTILINE)
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "people.toml").write_text(FILE, encoding="utf-8")
    return tmp_path / "people.toml"


@pytest.fixture
def people(file: Path) -> People:
    return people_from_document(compile_people(file, file.parent))


def test_the_file_passes_the_check(file: Path) -> None:
    assert check_people(file, file.parent) == []


@pytest.mark.parametrize(("customer", "at", "owner", "other", "because"), ROWS)
def test_a_task_finds_the_owner_that_the_page_names(  # noqa: PLR0913, PLR0917  the columns of the table
    people: People, customer: str, at: str, owner: str, other: str, because: str
) -> None:
    now = datetime.fromisoformat(at).astimezone(UTC)
    queue = people.queues["coaches"]

    asked = Asked(people, {}, wanted_of(json.loads(customer), people), now, due_after(queue, now, queue.due))

    found = choose("coaches", asked)

    assert found.owner in {owner, other or owner}
    assert because in found.why


def test_what_comes_late_on_friday_is_due_when_the_page_says(people: People) -> None:
    friday = datetime.fromisoformat("2026-05-22T23:00-04:00").astimezone(UTC)

    due_at = due_after(people.queues["coaches"], friday, timedelta(hours=5))

    assert due_at == datetime.fromisoformat("2026-05-26T10:00-04:00")


@pytest.fixture
def shop(opens: Opens, file: Path) -> Shop:
    assert file.exists()
    return opens(RECEIPT)


def test_the_commands_run_in_their_order_and_lose_no_task(shop: Shop, people: People) -> None:
    now = shop.deployment.now()
    shop.cairn("member", "list")
    assign = AssignTasks(DynamoTasks(), people, range)
    for number in range(4):
        task = Task(f"call-{number}", f"c{number}", "coaches", "Call", now, now.replace(day=now.day + 1))
        assign.open(task, now)
    printed = [shop.cairn(*shlex.split(command)[1:]) for command in COMMANDS]

    assert len(ROWS) == 6
    assert len(printed) == 8
    tasks = [DynamoTasks().load(f"c{number}", f"call-{number}") for number in range(4)]
    assert {task.owner for task in tasks if task} == {"ben"}
    assert "until 2026-08-17T04:00:00Z" in printed[1]
    assert printed[4].endswith("ana has no open tasks")
    assert printed[6] == "acme until 2026-12-31T00:00:00Z"
    (gone,) = [one for one in shop.asks("GET", "members")["members"] if one["member"] == "ana"]
    assert (gone["open"], gone["queues"], gone["left"]) == (0, [], "2026-03-02T15:00:00Z")
    audited = {one["what"] for one in shop.asks("GET", "audit")["entries"]}
    assert audited == {"absent", "back", "capacity", "leaves", "register_deal", "release_deal"}

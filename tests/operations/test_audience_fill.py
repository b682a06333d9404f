"""`cairn audience fill`: an audience gets the customers that there are, however often the command is interrupted."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cairn.adapters.dynamodb import copied_customers
from cairn.adapters.dynamodb.audiences import DynamoAudiences
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import STATE, RecordItem
from cairn.adapters.dynamodb.table import bind
from cli import audience_fill_client
from cli.audience_fill_client import Filling
from cli.main import app
from tests.conftest import SHORT_JOURNEY
from tests.operations.stack import STACK, DeployedStack, deployed_stack

AUDIENCES = """\
[[audiences]]
audience = "owners"
when = "profile.kind == '%s'"
sort = "profile.size"
"""
CUSTOMERS = 12


class Deployed(DeployedStack):
    def says(self, number: int, **attributes: Any) -> None:
        self.story.deployment.advance_to(self.story.deployment.now() + timedelta(seconds=1))
        self.story.happens(
            "profile.stated",
            f"said-{number}-{self.story.deployment.now()}",
            customer={"user_id": f"u-{number}"},
            attributes=attributes,
        )

    def deploys(self, kind: str) -> None:
        (self.folder / "audiences.toml").write_text(AUDIENCES % kind, encoding="utf-8")
        self.story.deployment.deploy(SHORT_JOURNEY)

    def fills(self, *words: str) -> Result:
        done = CliRunner().invoke(
            app,
            [
                *("audience", "fill", "--stack", STACK, "--to", self.url),
                *("--policy", str(self.folder / "policy.toml"), "--work", str(self.work), *words),
            ],
            env={"LOGNAME": "ada"},
        )
        bind(self.story.deployment.cloud.table, "us-east-1")  # the command has a connection of its own
        return done

    @property
    def work(self) -> Path:
        return self.folder / "fill.sqlite"

    def asks(self, **question: Any) -> Any:
        body = json.dumps(question).encode()
        answer = self.story.deployment.manage("POST", "https://localhost/manage/audiences", {}, body, actor="ada")
        return json.loads(answer["body"])

    def members(self) -> list[int]:
        return [one["sort"] for one in self.asks(do="members", audience="owners")["members"]]


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """Twelve customers of two kinds, who were there before the audience."""
    with deployed_stack(tmp_path, monkeypatch) as (story, url):
        deployed = Deployed(story, url, tmp_path)
        for number in range(CUSTOMERS):
            deployed.says(number, kind="owner" if number % 2 else "tenant", size=number)
        yield deployed


def test_a_new_audience_has_nobody_until_it_is_filled_from_an_export(deployed: Deployed) -> None:
    deployed.deploys("owner")
    assert deployed.members() == []

    done = deployed.fills()

    assert done.exit_code == 0, done.output
    assert "owners: 6 members" in done.output
    assert "writing members: 12 of 12" in done.output
    assert deployed.members() == [1, 3, 5, 7, 9, 11]
    assert not deployed.work.exists()
    assert deployed.objects() == []
    assert "all audiences are filled" in deployed.fills().output


def test_a_changed_audience_is_filled_anew_and_nothing_of_the_old_rules_is_left(deployed: Deployed) -> None:
    deployed.deploys("owner")
    deployed.fills()

    deployed.deploys("tenant")
    assert deployed.members() == []
    deployed.says(0, size=100)  # a member by the new rules, who was never written

    assert deployed.fills().exit_code == 0
    assert deployed.members() == [2, 4, 6, 8, 10, 100]
    ids = [deployed.story.deployment.customer_ids(f"u-{number}")[0] for number in range(CUSTOMERS)]
    listed = [item for one in ids for item in RecordItem.query(one, RecordItem.sk.startswith("audience#"))]
    assert len(listed) == CUSTOMERS // 2


@pytest.mark.parametrize("crash_at", [1, 3, 6])
def test_an_interrupted_filling_goes_on_and_later_changes_count_more(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, crash_at: int
) -> None:
    deployed.deploys("owner")
    monkeypatch.setattr(audience_fill_client, "CUSTOMERS_AT_ONCE", 3)
    written = DynamoAudiences.fill
    calls: list[str] = []

    def interrupted(self: Any, customer_id: str, *further: Any) -> bool:
        calls.append(customer_id)
        if len(calls) in {crash_at, crash_at + 2}:
            raise KeyboardInterrupt
        return written(self, customer_id, *further)

    monkeypatch.setattr(DynamoAudiences, "fill", interrupted)
    outputs = [deployed.fills()]
    assert outputs[0].exit_code == 130, outputs[0].output
    assert "run it again" in outputs[0].output
    deployed.says(1, kind="tenant")  # after the export: the copy is older
    deployed.says(2, kind="owner")
    deployed.says(3, size=300)
    while outputs[-1].exit_code == 130:
        outputs.append(deployed.fills())

    assert outputs[-1].exit_code == 0, outputs[-1].output
    assert deployed.members() == [2, 5, 7, 9, 11, 300]


def test_audiences_that_are_not_the_deployed_ones_are_refused(deployed: Deployed) -> None:
    deployed.deploys("owner")
    (deployed.folder / "audiences.toml").write_text(AUDIENCES % "tenant", encoding="utf-8")

    done = deployed.fills()

    assert done.exit_code == 1
    assert "owners here is not what http" in done.output
    assert "deploy first" in done.output


def test_what_is_filled_half_with_other_audiences_is_refused(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.deploys("owner")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Filling, "_write", interrupted)
        assert deployed.fills().exit_code == 130
    assert deployed.work.stat().st_mode & 0o777 == 0o600
    deployed.deploys("tenant")

    done = deployed.fills()

    assert done.exit_code == 1
    assert "is of other audiences: delete it" in done.output


def test_a_customer_whom_a_commit_changed_within_the_copy_is_read_as_it_is_now(deployed: Deployed) -> None:
    (customer,) = deployed.story.deployment.customer_ids("u-1")
    client = deployed.story.deployment.cloud.client("dynamodb")
    (head,) = client.query(
        TableName=deployed.story.deployment.cloud.table,
        KeyConditionExpression="pk = :pk AND sk = :sk",
        ExpressionAttributeValues={":pk": {"S": customer}, ":sk": {"S": STATE}},
    )["Items"]

    torn = copied_customers.customer_among({STATE: {**head, "about": {"N": "12345"}}})

    loaded = DynamoCustomers(deployed.story.deployment.cloud.identity_keys).load(customer)
    assert torn is not None
    assert (torn.profile, torn.version) == (loaded.profile, loaded.version)


def test_a_laptop_fills_from_its_own_table(deployed: Deployed) -> None:
    deployed.deploys("owner")

    done = CliRunner().invoke(app, ["audience", "fill", "--to", deployed.url], env={"LOGNAME": "ada"})

    assert (done.exit_code, done.output) == (0, "owners: 6 members\n")
    assert deployed.members() == [1, 3, 5, 7, 9, 11]

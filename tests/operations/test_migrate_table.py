"""`cairn migrate-table`: customers of version 0.2 are stored in parts, and nothing else about them changes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import ENROLLED, HEARD, STATE, CustomerItem, HeardItem
from cairn.adapters.dynamodb.journey_versions import save_version
from cairn.adapters.dynamodb.status_reports import DynamoStatusReports
from cairn.adapters.dynamodb.table import bind
from cairn.domain.message.message import STATUS_REPORTS
from cairn.domain.shared.errors import ConflictError
from cli import migrate_table_client
from cli.main import app
from cli.migrate_table_client import NOTES, Migration, UnitRate
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import local_secrets
from tests.conftest import MONDAY, SHORT_JOURNEY, Story
from tests.older_layout import as_version_0_2_left_it

STACK = "Cairn-dev"
MIGRATE = ["migrate-table", "--stack", STACK]


@pytest.fixture
def story() -> Iterator[Story]:
    """Three members, one of them merged with a visitor, and one who was erased; all as version 0.2 left them."""
    with local_deployment(SHORT_JOURNEY, start=MONDAY, secrets=local_secrets({})) as made:
        story = Story(made)
        for number in (1, 2, 3):
            story.signs_up(number)
        story.happens("note.written", "visitor", customer={"external_ids": {"crm": "7"}}, attributes={"goal": "run"})
        story.happens("note.written", "both", customer={"user_id": "member-1", "external_ids": {"crm": "7"}})
        story.signs_up(4)
        story.erases("member-4")
        for customer in ids(story):
            as_version_0_2_left_it(customer)
        made.settle()
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {"TableName": {"Value": made.cloud.table}},
        }
        made.cloud.client("cloudformation").create_stack(StackName=f"{STACK}-Data", TemplateBody=json.dumps(template))
        deploys_engine(made, "ApiUrl")
        yield story


def deploys_engine(made: LocalDeployment, output: str) -> None:
    template = {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}, "Outputs": {output: {"Value": "yes"}}}
    cloudformation = made.cloud.client("cloudformation")
    if output == NOTES:
        cloudformation.delete_stack(StackName=STACK)
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(template))


def ids(story: Story) -> list[str]:
    pages = story.deployment.cloud.client("dynamodb").scan(TableName=story.deployment.cloud.table)["Items"]
    return sorted({one["pk"]["S"] for one in pages if one["sk"]["S"] == STATE})


def heads(story: Story) -> dict[str, dict[str, Any]]:
    found = story.deployment.cloud.client("dynamodb").scan(TableName=story.deployment.cloud.table)["Items"]
    return {one["pk"]["S"]: one for one in found if one["sk"]["S"] == STATE}


def cairn(story: Story, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    bind(story.deployment.cloud.table, "us-east-1")  # the command has a connection of its own
    return done.exit_code, done.output


def test_every_customer_is_stored_in_parts_and_is_otherwise_as_before(story: Story) -> None:
    customers = DynamoCustomers(story.deployment.cloud.identity_keys)
    before = heads(story)
    live = {id_: customers.load(id_) for id_, head in before.items() if "profile" in head}
    messages = story.sent()

    code, said = cairn(story, *MIGRATE)
    story.deployment.settle()

    assert code == 0, said
    assert len(live) == 3
    assert "3 customers rewritten, 0 changed meanwhile, 0 failed" in said
    after = heads(story)
    for id_, one in live.items():
        assert customers.load(id_) == replace(one, version=one.version + 1)
        assert not {"enrollments", "memory", "outbox", "gsi2pk"} & after[id_].keys()
        (enrolled,) = [
            item
            for item in CustomerItem.query(id_, CustomerItem.sk.startswith(ENROLLED))
            if not item.sk.endswith("#data")
        ]
        assert enrolled.gsi2sk == before[id_]["gsi2sk"]["S"]
    others = before.keys() - live.keys()
    assert {id_: after[id_] for id_ in others} == {id_: before[id_] for id_ in others}
    assert story.sent() == messages
    assert not any(word in said for word in ("mia", "member", "+1201"))


def test_who_is_migrated_goes_on_and_gets_each_message_once(story: Story) -> None:
    cairn(story, *MIGRATE)
    story.passes("3h")

    assert sorted((one.channel, one.address) for one in story.sent()) == sorted(
        [("sms", f"+1201555{number:04d}") for number in (1, 2, 3, 4)]
        + [("email", f"mia.{number}@example.com") for number in (1, 2, 3)]
    )


def test_repeated_it_writes_nothing(story: Story) -> None:
    cairn(story, *MIGRATE)
    once = heads(story)

    code, said = cairn(story, *MIGRATE)

    assert code == 0
    assert "0 customers rewritten" in said
    assert heads(story) == once


def test_interrupted_it_goes_on_when_repeated(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite, done = DynamoCustomers.rewrite, list[str]()

    def interrupted(customer: str) -> bool:
        if done:
            raise KeyboardInterrupt
        done.append(customer)
        return rewrite(customer)

    with monkeypatch.context() as patch:
        patch.setattr(DynamoCustomers, "rewrite", interrupted)
        code, said = cairn(story, *MIGRATE)
    again = cairn(story, *MIGRATE)

    assert code == 130
    assert "1 customers rewritten" in said
    assert "run it again" in said
    assert again[0] == 0
    assert "2 customers rewritten" in again[1]


def test_who_changes_meanwhile_is_left_to_the_next_run(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(_: str) -> bool:
        raise ConflictError("the customer changed in between")

    with monkeypatch.context() as patch:
        patch.setattr(DynamoCustomers, "rewrite", changed)
        code, said = cairn(story, *MIGRATE)

    assert code == 1
    assert "3 changed meanwhile" in said
    assert "run it again" in said
    assert cairn(story, *MIGRATE)[0] == 0


def test_a_customer_who_cannot_be_read_stops_no_other(story: Story) -> None:
    (first, *_) = [id_ for id_, head in heads(story).items() if "profile" in head]
    CustomerItem(first, STATE).update([CustomerItem.profile.set({"attributes": {}})])

    code, said = cairn(story, *MIGRATE)

    assert code == 1
    assert f"{first} cannot be read or written: KeyError" in said
    assert "2 customers rewritten" in said


def test_without_the_stack_the_command_says_what_to_do(story: Story) -> None:
    code, said = cairn(story, "migrate-table", "--stack", "Cairn-other")

    assert code == 1
    assert "does not exist" in said
    assert "may you cloudformation:DescribeStacks" in said


def test_a_throttled_table_ends_it_and_the_message_says_what_to_do(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: Any, **__: Any) -> Any:
        error = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "throttled"}}
        raise migrate_table_client.ClientError(error, "Scan")

    with monkeypatch.context() as patch:
        patch.setattr(Migration, "_rewrite", throttled)
        code, said = cairn(story, *MIGRATE)

    assert code == 1
    assert "fewer --units-per-second" in said


def test_each_call_waits_until_the_ones_before_are_paid_for(story: Story) -> None:
    now, waits = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    rate = UnitRate(2, lambda: now[0], sleep)
    with Migration.of_stack(STACK, rate) as migration:
        for _ in migration.pages():
            pass
    bind(story.deployment.cloud.table, "us-east-1")

    assert migration.rewritten == 3
    assert rate.units > 4
    largest = 1.5  # units of one call here, which nothing needs to wait for when it is the last
    assert (rate.units - largest) / 2 <= sum(waits) <= rate.units / 2


def test_the_units_of_a_transaction_count_too() -> None:
    rate = UnitRate(10, lambda: 0.0)

    rate.note(parsed={"ConsumedCapacity": [{"TableName": "t", "CapacityUnits": 12.0}]})
    rate.note(parsed={"ConsumedCapacity": {"TableName": "t", "CapacityUnits": 0.5}})
    rate.note(parsed={"Error": {"Code": "ThrottlingException"}})

    assert rate.units == 12.5


@pytest.fixture
def of_0_2(story: Story) -> Story:
    """Nothing is noted: version 0.2 stored the journey versions."""
    HeardItem(HEARD, HEARD).delete()
    return story


@pytest.mark.parametrize(("condition", "unheard"), [("", STATUS_REPORTS), ("message.delivered", {"message.sent"})])
def test_what_stored_versions_hear_is_noted_and_that_it_is_complete(
    of_0_2: Story, condition: str, unheard: set[str]
) -> None:
    document = {"entry": {"event": "trial.signup"}, "description": condition}
    save_version({"journey": "old", "version": "1", "document": document, "templates": {}})
    deploys_engine(of_0_2.deployment, NOTES)
    assert DynamoStatusReports().unheard() == frozenset()

    code, said = cairn(of_0_2, *MIGRATE)

    assert (code, "earlier release" in said) == (0, False), said
    assert DynamoStatusReports().unheard() == unheard


def test_while_an_earlier_release_runs_it_is_not_complete(of_0_2: Story) -> None:
    """Its process_event may store a version, and enroll a customer in it, right after the scan."""
    code, said = cairn(of_0_2, *MIGRATE)

    assert code == 0
    assert "Deploy this one and run it again" in said
    assert DynamoStatusReports().unheard() == frozenset()


def test_interrupted_it_is_not_complete(of_0_2: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    deploys_engine(of_0_2.deployment, NOTES)

    def interrupted(_: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(DynamoCustomers, "rewrite", interrupted)
    code, _ = cairn(of_0_2, *MIGRATE)

    assert code == 130
    assert DynamoStatusReports().unheard() == frozenset()

"""The last release is upgraded: its customers in mid-journey go on, with the next event and with the timers it set.

The release's own templates are in version_0_2, as `make synth` of 0.2.0 wrote them for the stage dev, without metadata
and alarms. Its functions do nothing here: what they stored is written by tests/older_layout.py.
"""

import io
import json
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import CustomerItem
from cairn.adapters.secrets_manager import IDENTITY_KEY, IDENTITY_SALT, identity_keys_from
from cairn.domain.identity.identity_key import IdentityKeys
from infra.cloud.stage import Stage
from infra.cloud.synth import cdk_json
from infra.local.deployment import local_deployment
from infra.local.signing import local_secrets
from tests.conftest import JOURNEYS, Story
from tests.deployed_on_ministack.conftest import ACCOUNT, REGION, WITHIN, Cloud, Deployment, Json, for_ministack
from tests.deployed_on_ministack.test_first_deployment import WAIT, signup
from tests.older_layout import as_version_0_2_left_it

TEMPLATES = Path(__file__).parent / "version_0_2"
SALT = "dev"
"""The `identity_salt` of the stage in 0.2.0's cdk.json."""

LASTING = (
    *("AWS::ApiGatewayV2::Api", "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Scheduler::ScheduleGroup"),
    *("AWS::SecretsManager::Secret", "AWS::SNS::Topic", "AWS::SQS::Queue"),
)
"""Resources with a customer's data, or with a name that others know."""

JOINED = ("LinksSecret", "SubscribersSecret")
"""Secrets of 0.2 that became parts of another one."""

CAIRN = "from cli.main import app; app()"
DOES_NOTHING = "def handle(event, context):\n    return {'batchItemFailures': []}\n"


@dataclass(frozen=True)
class Left:
    """What 0.2 left behind: the ids of its customers, the items of its table, and its timers."""

    members: list[str]
    items: list[Json]
    timers: list[Json]


def left_by_0_2(*numbers: int) -> Left:
    """Members who signed up and were confirmed; their wait is over since a minute."""
    start = datetime.now(UTC).replace(microsecond=0) - WAIT - timedelta(minutes=1)
    identity = {IDENTITY_KEY: "a-key-that-only-this-table-was-made-with", IDENTITY_SALT: SALT}
    with local_deployment(JOURNEYS, start=start, secrets=local_secrets({}), identity=identity) as made:
        for number in numbers:
            event = signup(number)
            Story(made).happens(event["type"], event["id"], **{key: event[key] for key in event if key != "type"})
        members = [id_ for number in numbers for id_ in made.customer_ids(f"member-{number}")]
        assert all(as_version_0_2_left_it(one, relayed=True) for one in members)
        dynamodb, scheduler = made.cloud.client("dynamodb"), made.cloud.client("scheduler")
        timers = [scheduler.get_schedule(Name=one, GroupName=made.cloud.group) for one in made.cloud.schedules()]
        return Left(members, dynamodb.scan(TableName=made.cloud.table)["Items"], timers)


def deploys_0_2(cloud: Cloud) -> Deployment:
    """Hand the templates of 0.2 to CloudFormation, data first."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("cairn/lambda_entry.py", DOES_NOTHING)
    bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    for name in ("Cairn-dev-Data", "Cairn-dev"):
        template = for_ministack((TEMPLATES / f"{name}.template.json").read_text("utf-8"), cloud.certificate)
        for resource in json.loads(template)["Resources"].values():
            asset = resource["Properties"].get("Code") or resource["Properties"].get("Content") or {}
            if "S3Key" in asset:
                cloud.client("s3").put_object(Bucket=bucket, Key=asset["S3Key"], Body=code.getvalue())
        cloud.client("s3").put_object(Bucket=bucket, Key=name, Body=template.encode())
        cloud.client("cloudformation").create_stack(
            StackName=name, TemplateURL=f"{cloud.endpoint}/{bucket}/{name}", Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        cloud.client("cloudformation").get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": WITHIN}
        )
    return Deployment(cloud=cloud, stack="Cairn-dev")


def sets_its_timers(dev: Deployment, timers: list[Json]) -> None:
    """As 0.2 had them set, but late: they fire when a test says so."""
    (group,) = dev.resources("AWS::Scheduler::ScheduleGroup").values()
    (role,) = [one for name, one in dev.resources("AWS::IAM::Role").items() if name.startswith("SchedulesRole")]
    for timer in timers:
        dev.cloud.client("scheduler").create_schedule(
            Name=timer["Name"],
            GroupName=group,
            ScheduleExpression=f"at({datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={
                "Arn": dev.arn_of_queue("Wakes"),
                "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
                "Input": timer["Target"]["Input"],
                "DeadLetterConfig": {"Arn": dev.arn_of_queue("WakesDeadLetters")},
            },
        )


def lasting(deployed: Deployment) -> dict[str, dict[str, str]]:
    return {kind: deployed.resources(kind) for kind in LASTING}


@dataclass(frozen=True)
class Upgraded:
    """A stage of 0.2 with three members in mid-journey, after the upgrade as docs/operations.md describes it."""

    dev: Deployment
    before: dict[str, dict[str, str]]
    """The physical ids of what lasts, before the upgrade."""
    members: list[str]


@pytest.fixture(scope="module")
def upgraded(cloud: Cloud) -> Upgraded:
    left = left_by_0_2(11, 12, 13)
    dev = deploys_0_2(cloud)
    dev.has_the_secret_of_track()
    for item in left.items:
        cloud.client("dynamodb").put_item(TableName=dev.outputs("-Data")["TableName"], Item=item)
    sets_its_timers(dev, left.timers)
    before = lasting(dev)

    stage = Stage.from_context("dev", cdk_json())
    with_old_secrets = cloud.synthesizes(stage, upgrade_from="0.2")
    cloud.deploys(with_old_secrets, "Cairn-dev-Data")
    cloud.runs(sys.executable, "-c", CAIRN, "identity-key", "move", "--stack", "Cairn-dev", "--yes")
    cloud.runs(sys.executable, "-c", CAIRN, "secrets", "join", "--stack", "Cairn-dev", "--yes")
    cloud.deploys(with_old_secrets)
    cloud.deploys(cloud.synthesizes(stage))
    return Upgraded(dev, before, left.members)


def test_data_and_names_that_others_know_stay_what_they_were(upgraded: Upgraded) -> None:
    after = lasting(upgraded.dev)

    for kind, names in upgraded.before.items():
        lasts = {name: id_ for name, id_ in names.items() if not name.startswith(JOINED)}
        assert lasts.items() <= after[kind].items(), kind
    assert len(after["AWS::SecretsManager::Secret"]) == 2


def test_members_in_mid_journey_go_on_and_get_nothing_twice(upgraded: Upgraded, bound: Callable[[str], None]) -> None:
    dev, (waits, joins, rests) = upgraded.dev, upgraded.members
    bound(dev.outputs("-Data")["TableName"])
    customers = DynamoCustomers(identity_of(dev))
    assert stored_as_0_2_did() == sorted([waits, joins, rests])
    assert all(is_open(customers, one) for one in upgraded.members)

    posted = dev.posts({"id": "joined", "type": "membership.started", "customer": {"user_id": "member-12"}})
    assert posted == 202
    dev.eventually("who joins leaves the journey", lambda: not is_open(customers, joins))
    for timer in [*timers_of(dev, waits), *timers_of(dev, joins)]:
        dev.timer_is_due(timer)

    (subject,) = dev.eventually("the timer that 0.2 set moves her on", lambda: dev.mails("m11@example.com"))
    assert subject == "Your first visit, Mia"
    dev.eventually("she waits for the third day", lambda: timers_of(dev, waits))
    dev.eventually("his timer has fired", lambda: not timers_of(dev, joins))
    assert is_open(customers, waits)
    assert [dev.mails(f"m{number}@example.com") for number in (12, 13)] == [[], []]
    assert [dev.texts(f"+1201555{number:04d}") for number in (11, 12, 13)] == [[], [], []], "0.2 has confirmed them"
    assert stored_as_0_2_did() == [rests]

    dev.cloud.runs(sys.executable, "-c", CAIRN, "migrate-table", "--stack", "Cairn-dev")

    assert stored_as_0_2_did() == []
    assert is_open(customers, rests)
    assert dev.dead_letters() == {}


def test_two_stages_of_an_account_share_no_name(upgraded: Upgraded, prod: Deployment) -> None:
    for kind in (*LASTING, "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Logs::LogGroup"):
        assert set(prod.resources(kind).values()).isdisjoint(upgraded.dev.resources(kind).values()), kind


def stored_as_0_2_did() -> list[str]:
    """The customers whose state is in one item."""
    return sorted(item.pk for item in CustomerItem.scan(CustomerItem.memory.exists()))


def timers_of(dev: Deployment, customer: str) -> list[Json]:
    return [one for one in dev.timers() if customer in one["Target"]["Input"]]


def is_open(customers: DynamoCustomers, customer: str) -> bool:
    """Whether a customer is in a journey."""
    return any(one.open for one in customers.load(customer).enrollments.values())


def identity_of(dev: Deployment) -> IdentityKeys:
    """Of the secret, with the salt that the command has moved there."""
    secret = dev.outputs("-Data")["IdentitySecretArn"]
    stored = json.loads(dev.cloud.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    assert stored[IDENTITY_SALT] == SALT
    return identity_keys_from(stored)

"""A story: a local deployment that a test posts events to and lets time pass in, in the product's words."""

import gc
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests import laws
from tests.printed import Printed
from tests.skips import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401  hooks

if TYPE_CHECKING:
    from infra.local.deployment import LocalDeployment

laws.register()

JOURNEYS = Path(__file__).parents[1] / "layers" / "journeys"
POLICY = Path(__file__).parents[1] / "policy.toml"
SOURCES = Path(__file__).parents[1] / "sources.toml"
SHORT_JOURNEY = Path(__file__).parent / "journeys"
"""One journey of a few hours with one step of each kind: text, wait, e-mail, wait, call."""

MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)

ALL_CONSENTS = [
    {"channel": channel, "purpose": "marketing", "status": "granted", "source": "form"} for channel in ("sms", "email")
]

Json = dict[str, Any]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Printed]:
    """What functions print in this test."""
    from cairn.telemetry import logger

    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    logged = StringIO()
    stream = logger.registered_handler.setStream(logged)  # type: ignore[attr-defined]
    yield Printed(capsys, logged)
    logger.registered_handler.setStream(stream)  # type: ignore[attr-defined]


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--hypothesis-profile") == laws.PROVE:
        laws.explore()


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what lasts: sixteen thousand tests and all modules."""
    gc.freeze()


@dataclass(frozen=True, slots=True, order=True)
class Sent:
    """One message that a provider accepted, as the provider received it."""

    channel: str
    address: str
    text: str


OF_MEMBERS = "@northside.example.com"
"""The end of the addresses of members in people.toml."""


@dataclass(frozen=True, slots=True)
class Story:
    """What tests do with a local deployment and read from it."""

    deployment: "LocalDeployment"

    def posts(self, body: bytes, source: str = "track", headers: dict[str, str] | None = None) -> Json:
        """Post a body as it is and return the receiver's answer; without headers, it is signed as its vendor signs."""
        from authoring.sources.samples import path_of, signed_headers
        from infra.local.signing import LOCAL_SECRET

        signed = signed_headers(source, body, LOCAL_SECRET, self.deployment.now()) if headers is None else headers
        url = f"https://localhost{path_of(source)}"
        return self.deployment.request("POST", url, signed, body, "" if source == "track" else source)

    def happens(self, event_type: str, event_id: str = "", **event: Any) -> Json:
        """Track an event, and do all work that is due now."""
        answer = self.posts(json.dumps({"id": event_id or event_type, "type": event_type, **event}).encode())
        self.deployment.settle()
        return answer

    def signs_up(self, number: int = 1, **event: Any) -> Json:
        """Start the short journey for a customer who has consented to messages."""
        return self.happens("trial.signup", f"signup-{number}", **(_member(number) | event))

    def erases(self, user_id: str) -> None:
        """An operator's order to erase a customer, as /manage queues it."""
        from cairn.adapters.documents.json_text import to_json
        from cairn.domain.event import Event, event_to_wire

        (customer,) = self.deployment.customer_ids(user_id)
        now = self.deployment.now()
        event = Event(f"erase {user_id}", "operators", "customer.erasure_requested", now, customer_id=customer)
        self.deployment.cloud.client("sqs").send_message(
            QueueUrl=self.deployment.cloud.urls["events"],
            MessageBody=to_json(event_to_wire(event)),
            MessageGroupId=customer,
            MessageDeduplicationId=event.key,
        )
        self.deployment.settle()

    def passes(self, length: str) -> None:
        from cairn.domain.shared.instants import duration

        self.deployment.advance_to(self.deployment.now() + duration(length))

    def timeline(self, *kinds: str, of: str | None = None) -> list[Json]:
        """The timeline entries of these kinds, of one customer or of all."""
        return [line for line in self.deployment.timeline(of) if not kinds or line["kind"] in kinds]

    def sent(self) -> list[Sent]:
        """The messages really sent to customers, read from the providers and not from our table."""
        from moto.sns.models import sns_backends

        from infra.local.shapes import ACCOUNT, REGION

        texts = sns_backends[ACCOUNT][REGION].sms_messages.values()
        mails = self.deployment.cloud.sent_mails()
        return [Sent("sms", number, text) for number, text in texts] + [
            Sent("email", address, subject) for address, subject in mails if not address.endswith(OF_MEMBERS)
        ]

    def ses_reports(self, kind: str, *, of: tuple[str, str], address: str, **detail: Any) -> None:
        """SES reports the status of a mail, through SNS. `of` is the message's id and its customer's id."""
        message, customer = of
        mail = {
            "messageId": f"ses-{message}",
            "destination": [address],
            "tags": {"message": [message], "customer": [customer]},
        }
        envelope = {
            "Type": "Notification",
            "MessageId": f"{kind}-{message}",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:feedback",
            "Timestamp": f"{self.deployment.now():%Y-%m-%dT%H:%M:%S}.000Z",
            "Message": json.dumps({"eventType": kind, "mail": mail, kind.lower(): detail}),
        }
        self.deployment.cloud.send("feedback", json.dumps(envelope))
        self.deployment.settle()

    def link(self, kind: str, address: str, *, known: bool = True) -> str:
        """A link as in our e-mails to this address, signed for its customer or for an unknown one."""
        from cairn.adapters.pages.links import SECRET, SignedLinks
        from cairn.domain.shared.channels import Channel
        from infra.local.cloud import IDENTITY_KEYS, LINKS_SECRET
        from tests.unit.fakes import Secrets
        from tests.unit.makers import message

        (customer,) = self.deployment.customer_ids(address) if known else ["c_nobody"]
        links = SignedLinks(
            Secrets({SECRET: (LINKS_SECRET,)}), key=IDENTITY_KEYS.suppressions, public_url="https://localhost"
        )
        got = message(customer=customer, decided_at=self.deployment.now())
        return links.of(got, Channel.EMAIL, address)[kind]

    def dead_letters(self, queue: str) -> list[tuple[str, str]]:
        """(body, reason) of each dead letter. They stay in their queue, but are invisible for a while."""
        found = self.deployment.cloud.receive(f"{queue}-dead-letters", 10)
        return [
            (one["Body"], one.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "")) for one in found
        ]

    def deletes_all_items(self) -> None:
        """Empty the table and its stream, which moto copies for every transaction; and delete their schedules."""
        from moto.dynamodb.models import dynamodb_backends
        from moto.scheduler.models import scheduler_backends

        from infra.local.shapes import ACCOUNT, REGION

        table = dynamodb_backends[ACCOUNT][REGION].tables[self.deployment.cloud.table]
        table.items.clear()
        table.stream_shard.starting_sequence_number += len(table.stream_shard.items)
        table.stream_shard.items.clear()
        scheduler_backends[ACCOUNT][REGION].schedule_groups[self.deployment.cloud.group].schedules.clear()

    def redrives(self, queue: str) -> None:
        """Move dead letters back to their source queue, as `aws sqs start-message-move-task` does."""
        cloud = self.deployment.cloud
        for one in cloud.receive(f"{queue}-dead-letters", 10):
            group = one["Attributes"].get("MessageGroupId")
            fifo = {"MessageGroupId": group, "MessageDeduplicationId": one["MessageId"]} if group else {}
            cloud.client("sqs").send_message(QueueUrl=cloud.urls[queue], MessageBody=one["Body"], **fifo)
            cloud.delete(f"{queue}-dead-letters", [one])
        self.deployment.settle()


def _member(number: int = 1) -> Json:
    """Customer, attributes and consent of an event: a trial member who has consented to messages."""
    return {
        "customer": {
            "user_id": f"member-{number}",
            "email": f"mia.{number}@example.com",
            "phone": f"+1201555{number:04d}",
        },
        "attributes": {"first_name": "Mia", "time_zone": "America/New_York"},
        "consent": ALL_CONSENTS,
    }


@pytest.fixture
def member() -> Any:
    """Customer, attributes and consent of an event: `member(7)` is another customer than `member()`."""
    return _member


@dataclass
class Interrupted:
    """The customers' port; it runs `meanwhile` once, between a read and its commit."""

    real: Any
    meanwhile: Callable[[], Any] | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def commit(self, commit: Any) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        self.real.commit(commit)


@pytest.fixture
def interrupted() -> Callable[..., Any]:
    """ProcessEvent that runs `meanwhile` once, between its read and its commit."""

    def interrupt(process: Any, meanwhile: Callable[[], Any]) -> Any:
        return replace(process, customers=Interrupted(process.customers, meanwhile))

    return interrupt


@pytest.fixture
def short_journey() -> Path:
    """The folder of the short journey."""
    return SHORT_JOURNEY


@pytest.fixture(scope="session", autouse=True)
def dynamodb_endpoint() -> Iterator[str | None]:
    """The value of AWS_ENDPOINT_URL_DYNAMODB. Only the contracts of the table use it; all other tests run on moto."""
    with pytest.MonkeyPatch.context() as patch:
        endpoint = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB")
        patch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
        yield endpoint


class Begins(Protocol):
    def __call__(
        self,
        journeys: Path = SHORT_JOURNEY,
        *,
        at: datetime = MONDAY,
        policy: Path = POLICY,
        configuration: Path = SOURCES,
    ) -> Story: ...


@pytest.fixture(autouse=True)
def _in_the_same_folder() -> Iterator[None]:
    """A command may change the folder of its process, which the next test is in, too."""
    here = Path.cwd()
    yield
    os.chdir(here)


@pytest.fixture
def a_story() -> Iterator[Begins]:
    """Begin a story: a local deployment with these journeys, at this instant."""
    from infra.local.deployment import local_deployment
    from infra.local.signing import local_secrets

    with ExitStack() as stack:

        def begin(
            journeys: Path = SHORT_JOURNEY,
            *,
            at: datetime = MONDAY,
            policy: Path = POLICY,
            configuration: Path = SOURCES,
        ) -> Story:
            made = local_deployment(
                journeys, start=at, secrets=local_secrets({}), policy=policy, configuration=configuration
            )
            return Story(stack.enter_context(made))

        yield begin


@pytest.fixture
def story(a_story: Begins) -> Story:
    """A story with the short journey."""
    return a_story()

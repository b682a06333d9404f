"""Every scenario comes out as expected, its facts are right, and its logs contain no personal data at any level.

No address, no name, no text of a message: all scenarios run with every library at its lowest log level; then all logs
and metrics are searched for the personal data that the table contains.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from authoring.stories import load
from authoring.stories.models import FIELDS
from bench.calls import Call, watched
from cairn.domain.shared.channels import Channel
from cairn.telemetry import count, logger
from infra.local import cloud
from infra.local.scenario import deployed, run_scenario
from infra.local.shapes import ACCOUNT, REGION
from infra.local.signing import local_secrets
from tests.stories.test_facts_of_every_story import compared_with_the_table, the_flow_adds_up

ROOT = Path(__file__).parents[2]
JOURNEYS = ROOT / "layers" / "journeys"
SCENARIOS = sorted((ROOT / "events" / "scenarios").glob("*.yaml"))

NAMES = ("first_name", "last_name", "email", "phone", "child_name", "guest")
SPOKEN = ("text", "body", "subject", "address", "comment", "note")
SHORTEST = 3
A_SENTENCE = 10
"""Characters. A shorter line of a message could be the name of a step or a template."""


@dataclass
class Overheard:
    """All that was logged and printed, and the personal data of the customers in it."""

    printed: pytest.CaptureFixture[str]
    logged: StringIO = field(default_factory=StringIO)
    personal: set[str] = field(default_factory=set)

    def learn(self, deployment: Any) -> None:
        self.personal |= personal_data_of(deployment)

    @property
    def output(self) -> str:
        self.logged.write("".join(self.printed.readouterr()))
        return self.logged.getvalue()

    @property
    def leaks(self) -> list[str]:
        """The lines with personal data."""
        wanted = [re.escape(one[:60]) for one in sorted(self.personal) if len(one) >= SHORTEST]
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(wanted)})(?!\w)", re.IGNORECASE)
        return [line for line in self.output.splitlines() if pattern.search(line)]


def personal_data_of(deployment: Any) -> set[str]:
    """Names, addresses and texts of customers that stand in the table of a local deployment."""
    found: set[str] = set()
    for item in deployment.cloud.client("dynamodb").scan(TableName=deployment.cloud.table)["Items"]:
        for name, value in item.items():
            if name in {"profile", "body", "held", "enrollments"} and "S" in value:
                found |= set(_personal(json.loads(value["S"])))
    return found


def _personal(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for one in document:
            yield from _personal(one)
        kind = document[0] if len(document) == 2 else None
        if isinstance(kind, str) and kind in {"user_id", "email", "phone"} and document[1] not in set(Channel):
            yield str(document[1])  # an identifier, not a pair of channels
        return
    if not isinstance(document, dict):
        return
    for name, value in document.items():
        if name in NAMES:
            yield from _texts(value)
        if name in SPOKEN:
            yield from (line for line in _texts(value) if len(line) >= A_SENTENCE)
        yield from _personal(value)


def _texts(value: Any) -> Iterator[str]:
    """A text, or an attribute with a text: value and instant."""
    if isinstance(value, str):
        yield from (line.strip() for line in value.splitlines() if line.strip())
    elif isinstance(value, list) and value:
        yield from _texts(value[0])


@pytest.fixture
def overheard(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Overheard]:
    """All logs at DEBUG level, all printed output and all metrics."""
    heard = Overheard(capsys)
    monkeypatch.setitem(cloud.SANDBOX, "POWERTOOLS_METRICS_DISABLED", "false")
    root, ours = logging.getLogger(), logging.getLogger("cairn")
    all_logs = logging.StreamHandler(heard.logged)
    levels = root.level, logger.log_level
    streams = {handler: handler.setStream(heard.logged) for handler in ours.handlers if _is_stream(handler)}
    root.addHandler(all_logs)
    root.setLevel(logging.DEBUG)
    logger.setLevel("DEBUG")
    yield heard
    root.removeHandler(all_logs)
    root.setLevel(levels[0])
    logger.setLevel(levels[1])
    for handler, stream in streams.items():
        handler.setStream(stream)


def _is_stream(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_comes_out_as_expected_and_is_counted_and_logged_without_personal_data(
    path: Path, overheard: Overheard
) -> None:
    """One run for all three, since most of a minute goes into the runs."""
    scenario, secrets = load(path), local_secrets({})
    with deployed(path, scenario, secrets) as made:
        result = run_scenario(path, scenario, made, secrets)
        count("Stuck")  # most scenarios write no metric: this one shows that they would be found
        overheard.learn(made)
        facts = made.facts()
        the_flow_adds_up(made.catalogue, result.lines, facts)
    assert result.difference == ""
    assert {name for line in result.lines for name in line} <= {"at", "kind", *FIELDS}, "expectations may name each"
    compared_with_the_table(result, facts, {one for one in overheard.personal if len(one) >= SHORTEST})
    for post in scenario.posts:  # an erasure leaves nothing of them in the table
        document = json.loads((path.parent / post.file).read_bytes()) if post.file else post.event
        overheard.personal |= set(_personal(document)) if post.source == "track" else set()

    output = overheard.output
    assert len(overheard.personal) >= 2
    assert '"message":"event processed"' in output
    assert '"Namespace":"Cairn"' in output
    assert overheard.leaks == []


POISON = "cannot serve mia.1@example.com (Mia, +12015550001): Hello Mia"


@pytest.fixture
def reasons(story: Any) -> Callable[[], str]:
    """The attributes of all dead letters, without their bodies."""

    def of_all() -> str:
        from moto.sqs.models import sqs_backends

        texts = [
            attribute.get("string_value")
            for queue in sqs_backends[ACCOUNT][REGION].queues.values()
            for message in queue._messages  # noqa: SLF001
            for attribute in message.message_attributes.values()
        ]
        assert story.deployment
        return "\n".join(map(str, texts))

    return of_all


@pytest.mark.parametrize("function", ["process_event", "deliver_message", "relay_effects", "record_feedback"])
def test_an_error_that_quotes_personal_data_is_logged_without_it(
    story: Any, overheard: Overheard, reasons: Callable[[], str], function: str
) -> None:
    """A library raises an error with personal data in its message, at each of five attempts, until the dead letter."""

    def fail(call: Call) -> None:
        # BatchGetItem reads for the whole batch, so it is no failure of one record.
        if call.function == function and call.operation != "BatchGetItem":
            raise RuntimeError(POISON)

    with watched(story.deployment, before=fail):
        story.signs_up()
        story.ses_reports("Delivery", of=("m", "c_nobody"), address="mia.1@example.com")
        story.passes("20m" if function != "relay_effects" else "1m")
    overheard.personal |= {"mia.1@example.com", "Mia", "+12015550001", "Hello Mia", "12015550001"}

    assert overheard.output
    assert overheard.leaks == []
    assert "mia" not in reasons().lower()
    assert "2015550001" not in reasons()


def test_a_reason_that_names_a_field_contains_no_value_of_it(story: Any, overheard: Overheard) -> None:
    event = {"id": "1", "source": "track", "type": "a.b", "customer": {"mia.1@example.com": 1, "+1 (201) 555-0001": 2}}
    queue = story.deployment.cloud.urls["events"]
    story.deployment.cloud.client("sqs").send_message(
        QueueUrl=queue, MessageBody=json.dumps(event), MessageGroupId="g", MessageDeduplicationId="d"
    )
    story.deployment.settle()

    [(_, reason)] = story.dead_letters("events")
    assert reason.startswith("InvalidEventError: ")
    assert "unknown field; known are email" in reason
    assert "mia" not in reason
    assert "555" not in reason
    overheard.personal |= {"mia.1@example.com", "555-0001"}
    assert overheard.leaks == []


def test_libraries_log_no_info_at_any_log_level(overheard: Overheard, story: Any) -> None:
    story.signs_up()

    assert overheard.output
    assert not any(logging.getLogger(name).isEnabledFor(logging.INFO) for name in _loggers())


def _loggers() -> list[str]:
    libraries = ("botocore", "pynamodb", "urllib3", "boto3")
    return [name for name in logging.root.manager.loggerDict if name.split(".")[0] in libraries]

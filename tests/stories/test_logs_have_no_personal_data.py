"""Whoever may read the logs learns nothing about a person: no address, no name, no text, whatever level is asked for.

All scenarios are told with everything logged that any library has to say; then all that came out, logs and metrics, is
searched for whatever the table holds of the people in them.
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

from bench.calls import Call, watched
from cairn.domain.shared.channels import Channel
from cairn.telemetry import logger
from infra.local import cloud
from infra.local.scenario import load, run_scenario
from infra.local.shapes import ACCOUNT, REGION
from infra.local.signing import local_secrets

ROOT = Path(__file__).parents[2]
JOURNEYS = ROOT / "layers" / "journeys"
SCENARIOS = sorted((ROOT / "events" / "scenarios").glob("*.yaml"))

NAMES = ("first_name", "last_name", "email", "phone", "child_name", "guest")
SPOKEN = ("text", "body", "subject", "address", "comment", "note")
SHORTEST = 3
A_SENTENCE = 10
"""Characters of a line of a message that is told from the words that steps and templates are named by."""


@dataclass
class Overheard:
    """Everything that was logged and printed, and the personal data of whoever it was about."""

    printed: pytest.CaptureFixture[str]
    logged: StringIO = field(default_factory=StringIO)
    personal: set[str] = field(default_factory=set)

    def learn(self, deployment: Any) -> None:
        """What the world's table knows about people."""
        for item in deployment.cloud.client("dynamodb").scan(TableName=deployment.cloud.table)["Items"]:
            for name, value in item.items():
                if name in {"profile", "body", "held", "enrollments"} and "S" in value:
                    self.personal |= set(_personal(json.loads(value["S"])))

    @property
    def output(self) -> str:
        self.logged.write("".join(self.printed.readouterr()))
        return self.logged.getvalue()

    @property
    def told(self) -> list[str]:
        """The lines in which any of it is."""
        wanted = [re.escape(one[:60]) for one in sorted(self.personal) if len(one) >= SHORTEST]
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(wanted)})(?!\w)", re.IGNORECASE)
        return [line for line in self.output.splitlines() if pattern.search(line)]


def _personal(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for one in document:
            yield from _personal(one)
        kind = document[0] if len(document) == 2 else None
        if isinstance(kind, str) and kind in {"user_id", "email", "phone"} and document[1] not in set(Channel):
            yield str(document[1])  # an identifier, and no two channels
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
    """A text, or an attribute's: value and instant."""
    if isinstance(value, str):
        yield from (line.strip() for line in value.splitlines() if line.strip())
    elif isinstance(value, list) and value:
        yield from _texts(value[0])


@pytest.fixture
def overheard(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Overheard]:
    """What is logged at DEBUG by anybody, printed by anybody, and counted."""
    heard = Overheard(capsys)
    monkeypatch.setitem(cloud.SANDBOX, "POWERTOOLS_METRICS_DISABLED", "false")
    root, ours = logging.getLogger(), logging.getLogger("cairn")
    everything = logging.StreamHandler(heard.logged)
    levels = root.level, logger.log_level
    streams = {handler: handler.setStream(heard.logged) for handler in ours.handlers if _is_stream(handler)}
    root.addHandler(everything)
    root.setLevel(logging.DEBUG)
    logger.setLevel("DEBUG")
    yield heard
    root.removeHandler(everything)
    root.setLevel(levels[0])
    logger.setLevel(levels[1])
    for handler, stream in streams.items():
        handler.setStream(stream)


def _is_stream(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_no_story_leaves_anything_personal_in_logs_or_metrics(path: Path, overheard: Overheard) -> None:
    from infra.local.deployment import local_deployment

    scenario, secrets = load(path), local_secrets({})
    with local_deployment(JOURNEYS, start=scenario.starts, secrets=secrets) as made:
        run_scenario(path, scenario, made, secrets)
        overheard.learn(made)

    output = overheard.output
    assert len(overheard.personal) >= 2
    assert '"message":"event processed"' in output
    assert '"Namespace":"Cairn"' in output
    assert overheard.told == []


POISON = "cannot serve mia.1@example.com (Mia, +12015550001): Hello Mia"


@pytest.fixture
def reasons(story: Any) -> Callable[[], str]:
    """What all dead letters say besides what they carry."""

    def of_all() -> str:
        from moto.sqs.models import sqs_backends

        told = [
            attribute.get("string_value")
            for queue in sqs_backends[ACCOUNT][REGION].queues.values()
            for message in queue._messages  # noqa: SLF001
            for attribute in message.message_attributes.values()
        ]
        assert story.deployment
        return "\n".join(map(str, told))

    return of_all


@pytest.mark.parametrize("function", ["process_event", "deliver_message", "relay_effects", "record_feedback"])
def test_a_failure_that_quotes_a_person_is_told_without_them(
    story: Any, overheard: Overheard, reasons: Callable[[], str], function: str
) -> None:
    """Whatever goes wrong in a library, and whatever its message says, five times over and until it is parked."""

    def fail(call: Call) -> None:
        if call.function == function and call.operation != "BatchGetItem":  # a whole batch's: not one record's failure
            raise RuntimeError(POISON)

    with watched(story.deployment, before=fail):
        story.signs_up()
        story.ses_reports("Delivery", of=("m", "c_nobody"), address="mia.1@example.com")
        story.passes("20m" if function != "relay_effects" else "1m")
    overheard.personal |= {"mia.1@example.com", "Mia", "+12015550001", "Hello Mia", "12015550001"}

    assert overheard.output
    assert overheard.told == []
    assert "mia" not in reasons().lower()
    assert "2015550001" not in reasons()


def test_a_reason_that_names_a_field_says_nothing_of_who_is_in_it(story: Any, overheard: Overheard) -> None:
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
    assert overheard.told == []


def test_libraries_keep_quiet_whatever_level_is_asked_for(overheard: Overheard, story: Any) -> None:
    story.signs_up()

    assert overheard.output
    assert not any(logging.getLogger(name).isEnabledFor(logging.INFO) for name in _loggers())


def _loggers() -> list[str]:
    libraries = ("botocore", "pynamodb", "urllib3", "boto3")
    return [name for name in logging.root.manager.loggerDict if name.split(".")[0] in libraries]

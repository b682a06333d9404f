"""The dead letters of a laptop's server or of a deployment, for the operator who is signed in there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from cairn.adapters.sqs.dead_letters import (
    MESSAGES,
    NAMES,
    STREAM,
    WAIT_SECONDS,
    DeadLetterQueue,
    DeadLetters,
)
from cairn.application.operations.manage_dead_letters import ManageDeadLetters
from cairn.application.operations.operator_commands import Attribution
from cairn.application.ports import Audit
from cairn.compose.dead_letters import redrive_effects, redrive_position
from cairn.domain.measurement.facts import Stored
from cairn.domain.operations.actor import Actor
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.errors import DeadLettersError, ServiceBusyError

Json = dict[str, Any]


class DeadLetterTool(Protocol):
    """The port DeadLetters, of an operator."""

    def summary(self) -> list[Json]:
        """As the port."""

    def show(self, queue: str, limit: int, *, reveal: bool) -> Json:
        """As the port."""

    def redrive(self, queue: str, reason: str, limit: int | None, id_: str = "") -> Json:
        """As the port."""


@dataclass(frozen=True, slots=True)
class AuditedDeadLetters:
    """Implements DeadLetterTool for one operator."""

    dead_letters: DeadLetters
    audit: Audit
    actor: Actor

    def summary(self) -> list[Json]:
        return self._manage.summary()

    def show(self, queue: str, limit: int, *, reveal: bool) -> Json:
        return self._manage.show(queue, limit, self._attribution, reveal=reveal)

    def redrive(self, queue: str, reason: str, limit: int | None, id_: str = "") -> Json:
        return self._manage.redrive(queue, reason, limit, id_, self._attribution)

    @property
    def _manage(self) -> ManageDeadLetters:
        return ManageDeadLetters(self.dead_letters, _Audit(self.audit))

    @property
    def _attribution(self) -> Attribution:
        return Attribution(self.actor, "", datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class _Audit:
    """An audit whose table may be out of reach of these credentials."""

    audit: Audit

    def write(self, entry: AuditEntry) -> None:
        from pynamodb.exceptions import PynamoDBException  # noqa: PLC0415  slow to import

        try:
            self.audit.write(entry)
        except PynamoDBException as error:
            raise ServiceBusyError(str(error)) from error

    def latest(self, limit: int, before: str = "") -> Any:
        return self.audit.latest(limit, before)


def of_stack(name: str) -> AuditedDeadLetters:
    """The dead outcomes of a deployment, found by the outputs of its two stacks, with the environment's credentials.

    These name the actor of the audit, as AWS knows them.

    Raises DeadLettersError where there is no such stack.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  slow to import

    from cairn.adapters import aws  # noqa: PLC0415
    from cairn.adapters.dynamodb import table  # noqa: PLC0415
    from cairn.adapters.dynamodb.audit import DynamoAudit  # noqa: PLC0415
    from cairn.adapters.dynamodb.redrive import RedriveFacts  # noqa: PLC0415
    from cairn.adapters.firehose import FactLog  # noqa: PLC0415
    from cairn.adapters.s3 import Overflow  # noqa: PLC0415

    try:
        cloudformation, sqs = aws.client("cloudformation"), aws.client("sqs")
        outputs = _stack_outputs(cloudformation, f"{name}-Data") | _stack_outputs(cloudformation, name)
    except (BotoCoreError, ClientError) as error:
        raise DeadLettersError(f"stack {name}: {error}. Is it this account's, and this region's?") from None
    if missing := [key for key in _required_outputs() if key not in outputs]:
        raise DeadLettersError(f"stack {name} does not put out {', '.join(missing)}: is it Cairn's, and up to date?")
    table.bind(outputs["TableName"], sqs.meta.region_name)
    overflow = Overflow(lambda: aws.client("s3"), outputs["OverflowBucket"])
    queues = {
        queue: DeadLetterQueue(
            outputs[f"{queue.title()}DeadLettersUrl"],
            outputs.get(f"{queue.title()}QueueUrl", ""),
            outputs["MarketingQueueUrl"] if queue == MESSAGES else "",
        )
        for queue in NAMES
    }
    effects = redrive_effects(sqs, outputs["EffectsQueueUrl"])
    stored = {Stored.LONG: outputs["FactsLongStream"], Stored.SHORT: outputs["FactsShortStream"]}
    facts = RedriveFacts(FactLog(aws.client("firehose"), stored), outputs["LogFactsArn"])
    position = redrive_position(effects, facts, aws.client("dynamodbstreams"))
    dead_letters = DeadLetters(sqs, queues, effects, position, WAIT_SECONDS, overflow.fetch)
    caller = aws.client("sts").get_caller_identity()
    actor = Actor.of_aws(arn=caller["Arn"], account=caller["Account"], user_id=caller["UserId"])
    return AuditedDeadLetters(dead_letters, DynamoAudit(), actor)


def _stack_outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}


def _required_outputs() -> Iterator[str]:
    yield from (
        "TableName",
        "OverflowBucket",
        "MarketingQueueUrl",
        "FactsLongStream",
        "FactsShortStream",
        "LogFactsArn",
    )
    for queue in NAMES:
        yield f"{queue.title()}DeadLettersUrl"
        if queue != STREAM:
            yield f"{queue.title()}QueueUrl"

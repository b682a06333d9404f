"""Promise 5: a crash between any two AWS calls loses nothing and sends nothing twice.

The story runs once without a fault. Then a branch of it begins at every AWS call that its functions make, and the
process dies before that call reaches AWS. At the last call of every invocation another branch dies after AWS has acted,
before the answer is read. (A crash after any other call is a crash before the next one.) Time goes on, queues and
stream deliver again, and the story must end as it did without the fault.

There is one exception: SES and SNS take no idempotency key, so after a crash between the claim and the record a sender
cannot know whether its provider sent the message. Marketing is not sent again then, transactional is.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bench.calls import Call, watched
from cairn.domain.shared.channels import Purpose
from tests.stories.forks import Crash, Forks

PROVIDER_CALLS = {"Publish": Purpose.TRANSACTIONAL, "SendEmail": Purpose.MARKETING}
"""The story's text is transactional, its e-mail is marketing."""


@dataclass(frozen=True)
class Ending:
    """How a story ended for one customer: messages sent and timeline entries recorded."""

    sent: Counter[str]
    recorded: Counter[tuple[str, ...]]

    def __sub__(self, other: "Ending") -> str:
        missing, more = other.recorded - self.recorded, self.recorded - other.recorded
        return f"sent {dict(self.sent)}, expected {dict(other.sent)}; missing: {dict(missing)}; extra: {dict(more)}"


def run_story(story: Any, number: int, calls: list[Call]) -> Ending:
    """A lead leaves an address, signs up under another identifier, is merged, and gets a text, a mail and a call.

    Like a vendor, the sender sends each event again until it is acknowledged.
    """
    lead, member = f"lead.{number}@example.com", f"member-{number}"

    def sends(event_type: str, **event: Any) -> None:
        while story.happens(event_type, f"{event_type}-{number}", **event)["statusCode"] != 202:
            story.passes("6m")

    sends("lead.captured", customer={"email": lead}, attributes={"first_name": "Mia"}, consent=[MAY_MAIL])
    story.passes("20m")
    sends("trial.signup", customer={"user_id": member, "phone": f"+1201555{number:04d}"})
    story.passes("1h")
    sends("profile.completed", customer={"user_id": member, "email": lead})
    story.passes("2h")
    if [one for one in story.sent() if one.address == lead]:
        tags = next(call.arguments["EmailTags"] for call in calls if call.operation == "SendEmail")
        story.ses_reports("Delivery", of=(tags[0]["Value"], tags[1]["Value"]), address=lead)
    story.passes("20h40m")  # a day in all: the next story begins at the same hour

    lines = story.timeline(of=member)
    addresses = {lead, f"+1201555{number:04d}"}
    return Ending(
        Counter(one.channel for one in story.sent() if one.address in addresses),
        Counter(tuple(str(line[name]) for name in RECORDED if line.get(name)) for line in lines),
    )


SPINE = {
    *("receive_webhook", "process_event", "relay_effects", "deliver_message", "record_feedback", "notify_subscriber"),
    "log_facts",
}
"""The functions that this story uses. The story of erasure has its own crashes."""

RECORDED = ("kind", "type", "step", "status", "reason", "outcome", "queue")
MAY_MAIL = {"channel": "email", "purpose": "marketing", "status": "granted", "source": "form"}


def surviving(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """What AWS does when a process dies: the caller gets no answer, every record of the batch is delivered again."""

    def run(event: Any, context: Any) -> Any:
        try:
            return handler(event, context)
        except Crash:
            records = event.get("Records", ())
            ids = [record.get("messageId") or record["dynamodb"]["SequenceNumber"] for record in records]
            failures = [{"itemIdentifier": one} for one in ids]
            return {"batchItemFailures": failures} if records else {"statusCode": 502, "body": ""}

    return run


@dataclass(frozen=True)
class CrashPoint:
    """Where a process dies: before a call reaches AWS, or after AWS acted and before the caller reads the answer."""

    number: int
    answered: bool = False

    @property
    def instant(self) -> int:
        """The position in the story; equal for two points with nothing between them."""
        return self.number + self.answered


def is_last_of_its_invocation(plan: list[Call], number: int) -> bool:
    return number + 1 == len(plan) or plan[number + 1].invocation != plan[number].invocation


@dataclass(frozen=True)
class Window:
    """The time around one provider's call: after AWS took the claim, before it took the record."""

    purpose: Purpose
    claim: int
    provider: int

    def __contains__(self, point: CrashPoint) -> bool:
        return self.claim < point.instant <= self.provider + 1

    def ending(self, point: CrashPoint, without_fault: Ending) -> Ending:
        """How the story should end after a crash in this window."""
        sent = point.instant > self.provider
        if self.purpose is Purpose.TRANSACTIONAL:
            return Ending(without_fault.sent + Counter(sms=1 if sent else 0), without_fault.recorded)
        recorded = without_fault.recorded - Counter([("message", "tips", "delivered", "granted")])
        if sent:  # undecided, until the provider's report comes; it is an event, since nothing says that it was sent
            reported = [("message", "tips", "delivered", UNDECIDED), ("event", "message.delivered")]
            return Ending(without_fault.sent, recorded + Counter(reported))
        recorded += Counter([("undecided", "tips", "undecided", UNDECIDED)])
        return Ending(without_fault.sent - Counter(email=1), recorded)


UNDECIDED = "crash_around_provider"


def windows(plan: list[Call]) -> Iterator[Window]:
    for number, call in enumerate(plan):
        if call.operation in PROVIDER_CALLS and call.function == "deliver_message":
            claim = max(earlier for earlier in range(number) if plan[earlier].operation == "UpdateItem")
            yield Window(PROVIDER_CALLS[call.operation], claim, number)


def run_again(story: Any, journey: Path, number: int, **watchers: Callable[[Call], None]) -> tuple[Ending, list[Call]]:
    """Run the story in fresh processes; those of a branch die where the watchers say."""
    story.deletes_all_items()
    story.deployment.deploy(journey)
    story.deployment.facts()  # of the run before: the log gathers facts for minutes
    with watched(story.deployment, **watchers) as calls:
        handlers = story.deployment.handlers
        story.deployment.handlers = {name: surviving(handler) for name, handler in handlers.items()}
        return run_story(story, number, calls), calls


def test_a_crash_at_any_aws_call_loses_nothing_and_sends_nothing_twice(story: Any, short_journey: Path) -> None:
    without_fault, plan = run_again(story, short_journey, 0)
    undecidable = list(windows(plan))
    assert without_fault.sent == Counter(sms=1, email=1)
    assert without_fault.recorded["task", "call", "open", "coaches"] == 1
    assert {call.function for call in plan} == SPINE

    forks, numbers, answers = Forks(), count(), count()

    def before(_: Call) -> None:
        if forks.branch(CrashPoint(next(numbers))):
            raise Crash

    def after(_: Call) -> None:
        number = next(answers)
        if (
            forks.point is None
            and is_last_of_its_invocation(plan, number)
            and forks.branch(CrashPoint(number, answered=True))
        ):
            raise Crash

    with forks.branching() as result:
        ending, calls = run_again(story, short_journey, 1, before=before, after=after)
        result.append((ending, [story.dead_letters(queue) for queue in DEAD_LETTERS]))
    assert ending == without_fault
    assert len(forks.results) > len(plan) == len(calls)

    wrong = []
    for point, (ending, dead_letters) in forks.results:
        window = next((one for one in undecidable if point in one), None)
        expected = window.ending(point, without_fault) if window else without_fault
        if ending != expected or any(dead_letters):
            wrong.append(f"{point.number}. {plan[point.number]}, answered: {point.answered}: {ending - expected}")

    assert not wrong, f"{len(wrong)} crashes\n" + "\n".join(wrong)


DEAD_LETTERS = ("events", "wakes", "messages", "feedback", "effects")

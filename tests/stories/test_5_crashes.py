"""Promise 5: a crash between any two AWS calls loses nothing and sends nothing twice.

One story is told once without a fault. Then it is told again for every AWS call that its functions make, and the
process dies before AWS hears of that call; and for the last call of every invocation once more, where it dies after AWS
did what it was asked and before anybody reads the answer. (After any other call is before the next one.) Time goes on,
queues and stream deliver again, and the story must end as it did without the fault.

The one exception is the window that nobody can see into: SES and SNS take no idempotency key, so after a crash between
the claim and the record a sender cannot know whether its provider acted. Marketing is not sent again then,
transactional is.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bench.calls import Call, watched
from cairn.domain.shared.channels import Purpose

PROVIDER_CALLS = {"Publish": Purpose.TRANSACTIONAL, "SendEmail": Purpose.MARKETING}
"""The story's text is transactional, its e-mail is marketing."""


class Crash(BaseException):
    """The process dies: no `except Exception` of anybody gets to see it."""


@dataclass(frozen=True)
class Ending:
    """How a story ended for one customer: what went out, what colleagues got, what is on record."""

    sent: Counter[str]
    told: Counter[tuple[str, ...]]

    def __sub__(self, other: "Ending") -> str:
        missing, more = other.told - self.told, self.told - other.told
        return f"sent {dict(self.sent)}, expected {dict(other.sent)}; not told: {dict(missing)}; told: {dict(more)}"


def tell(story: Any, number: int, calls: list[Call]) -> Ending:
    """Somebody leaves an address, signs up by another name, turns out to be one person, gets a text and a mail, a call.

    Whoever sends to us does as vendors do: what is not acknowledged is sent again.
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
    story.passes("1d")

    lines = story.timeline(of=member)
    addresses = {lead, f"+1201555{number:04d}"}
    return Ending(
        Counter(one.channel for one in story.sent() if one.address in addresses),
        Counter(tuple(str(line[name]) for name in TOLD if line.get(name)) for line in lines),
    )


SPINE = {"receive_webhook", "process_event", "relay_effects", "deliver_message", "record_feedback"}
"""The functions that every story goes through; the erasure's own story kills that one."""

TOLD = ("kind", "type", "step", "status", "reason", "outcome", "queue")
MAY_MAIL = {"channel": "email", "purpose": "marketing", "status": "granted", "source": "form"}


def surviving(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """What AWS makes of a process that dies: no answer for the caller; every record of its batch comes again."""

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
class Place:
    """Where a process dies: before AWS hears of a call, or after it, and before its caller reads the answer."""

    number: int
    answered: bool = False

    @property
    def instant(self) -> int:
        """Places in the order of a story; equal where nothing happens between them."""
        return self.number + self.answered

    def watchers(self) -> dict[str, Callable[[Call], None]]:
        left = count(self.number, -1)

        def die(_: Call) -> None:
            if next(left) == 0:
                raise Crash

        return {"after" if self.answered else "before": die}


def places(plan: list[Call]) -> Iterator[Place]:
    for number, call in enumerate(plan):
        yield Place(number)
        if number + 1 == len(plan) or plan[number + 1].invocation != call.invocation:
            yield Place(number, answered=True)


@dataclass(frozen=True)
class Window:
    """Around one provider's call: from the claim that AWS took to the record that it has not yet taken."""

    purpose: Purpose
    claim: int
    provider: int

    def __contains__(self, place: Place) -> bool:
        return self.claim < place.instant <= self.provider + 1

    def ending(self, place: Place, without_fault: Ending) -> Ending:
        """What the policy makes of a crash in here."""
        sent = place.instant > self.provider
        if self.purpose is Purpose.TRANSACTIONAL:
            return Ending(without_fault.sent + Counter(sms=1 if sent else 0), without_fault.told)
        told = without_fault.told - Counter([("message", "tips", "delivered", "granted")])
        if sent:  # undecided, until the provider's own word comes
            return Ending(without_fault.sent, told + Counter([("message", "tips", "delivered", UNDECIDED)]))
        told = (
            told - Counter([("event", "message.delivered")]) + Counter([("undecided", "tips", "undecided", UNDECIDED)])
        )
        return Ending(without_fault.sent - Counter(email=1), told)


UNDECIDED = "crash_around_provider"


def windows(plan: list[Call]) -> Iterator[Window]:
    for number, call in enumerate(plan):
        if call.operation in PROVIDER_CALLS:
            claim = max(earlier for earlier in range(number) if plan[earlier].operation == "UpdateItem")
            yield Window(PROVIDER_CALLS[call.operation], claim, number)


@pytest.fixture
def retold(story: Any, short_journey: Path) -> Callable[..., tuple[Ending, list[Call]]]:
    """Tell the story of another customer, in processes that have just started; they die where the watchers say."""
    numbers = count()

    def tell_anew(**watchers: Callable[[Call], None]) -> tuple[Ending, list[Call]]:
        story.forgets_everybody()
        story.deployment.deploy(short_journey)
        with watched(story.deployment, **watchers) as calls:
            handlers = story.deployment.handlers
            story.deployment.handlers = {name: surviving(handler) for name, handler in handlers.items()}
            return tell(story, next(numbers), calls), calls

    return tell_anew


def test_a_crash_at_any_aws_call_loses_nothing_and_sends_nothing_twice(
    story: Any, retold: Callable[..., tuple[Ending, list[Call]]]
) -> None:
    without_fault, plan = retold()
    undecidable = list(windows(plan))
    assert without_fault.sent == Counter(sms=1, email=1)
    assert without_fault.told["task", "call", "open", "coaches"] == 1
    assert {call.function for call in plan} == SPINE

    wrong = []
    for place in places(plan):
        ending, calls = retold(**place.watchers())

        window = next((one for one in undecidable if place in one), None)
        expected = window.ending(place, without_fault) if window else without_fault
        if ending != expected:
            wrong.append(f"{place.number}. {calls[place.number]}, answered: {place.answered}: {ending - expected}")

    assert not wrong, f"{len(wrong)} crashes\n" + "\n".join(wrong)
    assert [story.dead_letters(queue) for queue in DEAD_LETTERS] == [[]] * len(DEAD_LETTERS)


DEAD_LETTERS = ("events", "wakes", "messages", "feedback", "effects")

"""Compares an ending with the one without faults, and says in words what differs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from cairn.application.message.deliver_message import PERHAPS_SENT
from cairn.domain.shared.channels import Purpose
from infra.local.faults import Call, Fault
from prove.attacks import Attack
from prove.ending import Ending, Message, TimelineKey

PROVIDER_CALLS = frozenset(
    {
        ("sns", "Publish"),
        ("sesv2", "SendEmail"),
        ("pinpoint-sms-voice-v2", "SendTextMessage"),
        ("socialmessaging", "SendWhatsAppMessage"),
    }
)
SENDER = "deliver_message"
WRITES = ("UpdateItem", "PutItem", "TransactWriteItems")

ENDS_AFTER = frozenset({Fault.DIES_AFTER, Fault.TIME_LIMIT})
"""Faults that end the process when AWS has acted."""

OF_A_MESSAGE = frozenset({"message", "undecided", "failed", "suppressed"})
"""Timeline entries that depend on what the provider did with one message."""
REPORTS = ("message.delivered", "message.bounced", "message.failed", "message.complained", "message.opened")
OF_RETRIES = frozenset({"deferred", "waiting"})
"""Entries that say how long something took."""


PAGES = "serve_preferences"
"""The function behind the buttons of messages."""

UNSEEN = 2
"""Sends that may be in their declared window without a fault of their own that shows it."""

EARLIER, LATER = timedelta(minutes=1), timedelta(hours=1)
"""How far a short fault may shift something."""


class Outcome(StrEnum):
    SAME = "same"
    WINDOW = "declared window"
    """As declared: a transactional message twice, or a marketing message undecided."""
    INVARIANTS = "promises kept"
    """After a long fault, instants and branches may be others; nothing is lost, doubled or stuck."""
    LOST = "lost"
    DOUBLED = "doubled"
    STUCK = "stuck"
    DEAD_LETTERED = "dead-lettered"
    WRONG = "sent though it must not be"
    DIFFERS = "differs"
    BROKEN = "did not end"

    @property
    def good(self) -> bool:
        return self in {Outcome.SAME, Outcome.WINDOW, Outcome.INVARIANTS}


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    words: tuple[str, ...] = ()
    calls: int = 0
    """How many calls the functions made."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How a story ends without faults, and how where its people must do something else."""

    ending: Ending
    pressed_again: tuple[Ending, ...] = ()
    """One for each button: where it is pressed twice, as people do who get no answer."""
    not_pressed: Mapping[str, Ending] = field(default_factory=dict)
    """By the step of each button: where its message was not sent, and so nobody can press it."""

    def endings(self, ending: Ending, struck: str) -> Iterator[Ending]:
        """Those that this one may be equal to, after a fault of the function `struck`."""
        yield self.ending
        if struck == PAGES:
            yield from self.pressed_again
        undecided = {line[1] for line in ending.lines if line[0] == "undecided"}
        sent = {self.ending.steps.get((channel, "", text)) for channel, _, text in ending.sent}
        yield from (one for step, one in self.not_pressed.items() if step in undecided - sent)


@dataclass(frozen=True, slots=True)
class Window:
    """Around one send: from when AWS has taken the claim until it has taken the record."""

    claim: int
    provider: int
    record: int | None
    """None where the invocation ended before."""
    last: int
    """The last call of the invocation."""

    def struck_by(self, number: int, fault: Fault) -> bool:
        if number == self.claim:
            return fault in ENDS_AFTER
        if number == self.record:
            return fault not in ENDS_AFTER
        return self.claim < number <= (self.last if self.record is None else self.record)


def windows(calls: Sequence[Call]) -> list[Window]:
    """Every send of a story. A batch may end before its record; then everything that follows in it is inside."""
    found = []
    for call in calls:
        if call.function != SENDER or (call.service, call.operation) not in PROVIDER_CALLS:
            continue
        same = [one for one in calls if one.invocation == call.invocation]
        writes = [one.number for one in same if one.service == "dynamodb" and one.operation in WRITES]
        claim = max((one for one in writes if one < call.number), default=call.number)
        record = min((one for one in writes if one > call.number), default=None)
        found.append(Window(claim, call.number, record, same[-1].number))
    return found


def compare(  # noqa: PLR0913, PLR0917  both endings, and what was done in between
    attack: Attack,
    expected: Expected,
    ending: Ending,
    reference_calls: Sequence[Call],
    calls: Sequence[Call],
    struck: Iterable[tuple[Call, Fault]],
    *,
    slow: bool = False,
) -> Verdict:
    """`slow`: calls took time, so that a process may have reached its limit at any of them."""
    hit = list(struck)
    function = reference_calls[attack.at].function if attack.at < len(reference_calls) else ""
    verdicts = [
        _compare(attack, one, ending, reference_calls, calls, hit, slow=slow)
        for one in expected.endings(ending, function)
    ]
    return min(verdicts, key=lambda verdict: (not verdict.outcome.good, len(verdict.words)))


def _compare(  # noqa: PLR0913, PLR0917  the same
    attack: Attack,
    expected: Ending,
    ending: Ending,
    reference_calls: Sequence[Call],
    calls: Sequence[Call],
    hit: Sequence[tuple[Call, Fault]],
    *,
    slow: bool,
) -> Verdict:
    is_another_story = _delays_a_post(attack, reference_calls) or _reads_an_old_switch(attack, reference_calls)
    exact = attack.short and not is_another_story
    if exact:
        fault = Fault.__members__.get(attack.fault)
        declared = fault is not None and any(one.struck_by(attack.at, fault) for one in windows(reference_calls))
        problems = dict(_exact(expected, ending, declared=declared))
    else:
        in_windows = sum(one.struck_by(call.number, fault) for one in windows(calls) for call, fault in hit)
        if attack.service == "dynamodb" or slow:  # the record of what was sent, or its answer, comes too late
            in_windows += UNSEEN
        problems = dict(_invariants(expected, ending, in_windows))
    for outcome, lines in _always(ending):
        problems[outcome] = [*problems.get(outcome, ()), *lines]
    for outcome in Outcome:
        if outcome in problems and not outcome.good:
            words = tuple(line for each, lines in problems.items() if not each.good for line in lines)
            return Verdict(outcome, words, len(calls))
    good = Outcome.SAME if exact else Outcome.INVARIANTS
    return Verdict(Outcome.WINDOW if Outcome.WINDOW in problems else good, (), len(calls))


def _delays_a_post(attack: Attack, reference_calls: Sequence[Call]) -> bool:
    """A webhook that is refused comes again later, perhaps after the next one: the story is another one then."""
    return attack.at < len(reference_calls) and reference_calls[attack.at].function == "receive_webhook"


def _reads_an_old_switch(attack: Attack, reference_calls: Sequence[Call]) -> bool:
    """A switch counts within a minute: read as of before, a step goes on, and the gate holds its message instead."""
    if attack.fault != Fault.READS_OLD.name or attack.at >= len(reference_calls):
        return False
    return "switches" in str(reference_calls[attack.at])


def _always(ending: Ending) -> Iterator[tuple[Outcome, list[str]]]:
    if ending.dead_letters:
        yield Outcome.DEAD_LETTERED, [f"dead letter in {one}" for one in ending.dead_letters]
    if ending.stuck:
        yield Outcome.STUCK, list(ending.stuck)
    if ending.lost:
        yield Outcome.LOST, list(ending.lost)
    if ending.wrong:
        yield Outcome.WRONG, list(ending.wrong)


def _exact(expected: Ending, ending: Ending, *, declared: bool) -> Iterator[tuple[Outcome, list[str]]]:
    missing, extra = expected.sent - ending.sent, ending.sent - expected.sent
    gone, new = _lines(expected.lines - ending.lines), _lines(ending.lines - expected.lines)
    if declared and (missing or extra or gone or new) and _as_declared(expected, missing, extra, gone, new):
        yield Outcome.WINDOW, []
        return
    if missing:
        yield Outcome.LOST, [f"not sent: {_words(one)}" for one in missing]
    if extra:
        yield Outcome.DOUBLED, [f"sent once more: {_words(one)}" for one in extra]
    differences = [f"missing in the timeline: {' '.join(one)}" for one in gone]
    differences += [f"only with the fault, in the timeline: {' '.join(one)}" for one in new]
    differences += [f"missing in the table: {one}" for one in expected.state - ending.state]
    differences += [f"only with the fault, in the table: {one}" for one in ending.state - expected.state]
    if not differences:
        differences = list(_shifted(expected, ending))
    if any(one[:1] == ("event",) for one in gone):
        yield Outcome.LOST, differences
    elif differences:
        yield Outcome.DIFFERS, differences


def _shifted(expected: Ending, ending: Ending) -> Iterator[str]:
    """What happened earlier than without the fault, or later than retries explain."""
    for line, instants in expected.instants.items():
        if line[0] in OF_RETRIES:
            continue
        for before, after in zip(instants, ending.instants.get(line, ()), strict=False):
            if not before - EARLIER <= after <= before + LATER:
                yield f"at {after:%d %B %H:%M} instead of {before:%d %B %H:%M}: {' '.join(line)}"


def _lines(lines: Counter[TimelineKey]) -> Counter[TimelineKey]:
    return Counter({line: count for line, count in lines.items() if line[0] not in OF_RETRIES})


def _as_declared(
    expected: Ending,
    missing: Counter[Message],
    extra: Counter[Message],
    gone: Counter[TimelineKey],
    new: Counter[TimelineKey],
) -> bool:
    """One message: transactional at least once, marketing at most once, and the status says which."""
    about_one = all(
        line[0] in OF_A_MESSAGE or (line[0] == "event" and line[1] in REPORTS) or line[0] == "consent"
        for line in [*gone, *new]
    )
    once_more = extra.total() <= 1 and all(_purpose(expected, one) != Purpose.MARKETING for one in extra)
    not_sent = missing.total() <= 1 and all(_purpose(expected, one) == Purpose.MARKETING for one in missing)
    said = not missing or any(PERHAPS_SENT["reason"] in line for line in new)  # a report may have come since
    return about_one and once_more and not_sent and said


def _purpose(expected: Ending, message: Message) -> str:
    return expected.purposes.get((message[0], "", message[2]), Purpose.TRANSACTIONAL.value)


def _invariants(expected: Ending, ending: Ending, in_windows: int) -> Iterator[tuple[Outcome, list[str]]]:
    """What holds however long a fault lasts."""
    lost = [
        f"accepted and not in the timeline: {' '.join(line)}"
        for line in expected.lines - ending.lines
        if line[0] == "event" and line[1] not in REPORTS and not line[1].startswith("message.")
    ]
    if lost:
        yield Outcome.LOST, lost
    twice = [
        f"sent {count} times: {_words(one)}"
        for one, count in ending.sent.items()
        if count > max(1, expected.sent[one])
        and (_purpose(expected, one) == Purpose.MARKETING or count > max(1, expected.sent[one]) + in_windows)
    ]
    if twice:
        yield Outcome.DOUBLED, twice


def _words(message: Message) -> str:
    channel, address, text = message
    return f"{channel} to {address}: {text[:60]!r}"

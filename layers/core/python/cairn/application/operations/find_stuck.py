"""Find what is stuck: it is overdue although its timer should have set it going. It is set going again, and counted.

This decides nothing about customers: a wake-up with an old number is ignored, a message is claimed before it is sent,
an erasure that is done finds nothing left. So nothing is done twice that was only late.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal, assert_never

from cairn.application.ports import DueTimes, Erasures, MessageQueue, SwitchBoard
from cairn.application.values.waiting import (
    StuckEnrollment,
    StuckTask,
    UnreadableItem,
    Waiting,
    WaitingEnrollments,
    WaitingErasure,
    WaitingMessages,
    WaitingTask,
)
from cairn.domain.customer.overdue import (
    GRACE,
    PERSONS_REST,
    look_again,
    overdue_enrollments,
    overdue_messages,
)
from cairn.domain.operations.pauses import Pause
from cairn.domain.shared.channels import Purpose
from cairn.settings import RESUME_EVERY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Kind = Literal["enrollment", "message", "erasure", "task_timer", "task", "lost_message", "unreadable"]
"""The first four are set going. A task is a person's. The last two cannot be set going."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was stuck, by ids that say nothing about a person."""

    kind: Kind
    customer: str
    id: str


@dataclass(frozen=True, slots=True)
class FindStuck:
    due_times: DueTimes
    switches: SwitchBoard
    wake_now: Callable[[Sequence[StuckEnrollment | StuckTask]], None]
    """Wake these enrollments and tasks at once. Raises where any wake-up may be missing."""
    wakes_are_behind: Callable[[], bool]
    """Whether so many wake-ups wait that more of them help nobody."""
    messages: MessageQueue
    lane_is_behind: Callable[[Purpose], bool]
    erasures: Erasures

    def __call__(self, now: datetime, has_time: Callable[[], bool]) -> list[Found]:
        """The items that were found. The next run continues where time was up.

        Each item is put off after it was set going: a crash in between sets it going twice, and loses nothing.
        """
        run = _Run(self, now)
        for page in self.due_times.past(now - GRACE, int((now - EPOCH) / RESUME_EVERY)):
            if not has_time():
                break
            run.handle(page)
        return run.found


@dataclass(slots=True)
class _Run:
    """One run: it asks for pauses and queues once, and only where something was found."""

    to: FindStuck
    now: datetime
    found: list[Found] = field(default_factory=list)
    _pauses: tuple[Pause, ...] | None = None
    _behind: dict[str, bool] = field(default_factory=dict)

    def handle(self, page: Sequence[Waiting]) -> None:  # noqa: C901  one branch a kind
        put_off: list[tuple[Waiting, datetime | None, list[str]]] = []
        wakes: list[StuckEnrollment | StuckTask] = []
        for one in page:
            match one:
                case WaitingEnrollments():
                    woken, until = self._enrollments(one)
                    wakes += woken
                    put_off.append((one, until, []))
                case WaitingMessages():
                    put_off.append((one, *self._messages(one)))
                case WaitingErasure():
                    self.to.erasures.put(one.customer, one.order, timedelta())
                    self.found.append(Found("erasure", one.customer, one.order.id))
                    put_off.append((one, look_again(one.due_at, self.now), []))
                case WaitingTask(customer, id_, due_at, sequence) if sequence:
                    if not self._is_behind("wakes", self.to.wakes_are_behind):
                        wakes.append(StuckTask(customer, id_, sequence))
                        self.found.append(Found("task_timer", customer, id_))
                    put_off.append((one, look_again(due_at, self.now), []))
                case WaitingTask():
                    self.found.append(Found("task", one.customer, one.id))
                    put_off.append((one, self.now + PERSONS_REST, []))
                case UnreadableItem():
                    self.found.append(Found("unreadable", one.customer, f"{one.kind} {one.error}"))
                    put_off.append((one, self.now + PERSONS_REST, []))
                case _:
                    assert_never(one)
        if wakes:
            self.to.wake_now(wakes)
        for what, until, ended in put_off:
            self.to.due_times.put_off(what, until, ended)

    def _enrollments(self, waiting: WaitingEnrollments) -> tuple[list[StuckEnrollment], datetime | None]:
        overdue = overdue_enrollments(waiting.enrollments, self.pauses, self.now)
        if overdue.stuck and self._is_behind("wakes", self.to.wakes_are_behind):
            return [], overdue.look_at
        self.found += [Found("enrollment", waiting.customer, one.id) for one in overdue.stuck]
        return [StuckEnrollment(waiting.customer, one.id, one.sequence) for one in overdue.stuck], overdue.look_at

    def _messages(self, waiting: WaitingMessages) -> tuple[datetime | None, list[str]]:
        overdue = overdue_messages(waiting.messages, self.pauses, self.now)
        for one in overdue.stuck:
            purpose = one.deferral.purpose
            if not self._is_behind(purpose.value, partial(self.to.lane_is_behind, purpose)):
                self.to.messages.put_deferred(waiting.customer, one.id, purpose)
                self.found.append(Found("message", waiting.customer, one.id))
        self.found += [Found("lost_message", waiting.customer, one.id) for one in overdue.lost]
        return overdue.look_at, [one.id for one in (*overdue.over, *overdue.lost)]

    @property
    def pauses(self) -> tuple[Pause, ...]:
        if self._pauses is None:
            self._pauses = tuple(one.pause for one in self.to.switches.board().pauses)
        return self._pauses

    def _is_behind(self, queue: str, ask: Callable[[], bool]) -> bool:
        if queue not in self._behind:
            self._behind[queue] = ask()
        return self._behind[queue]

"""The targets that operators stopped and paused, and why. Pure: each method returns the new state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from cairn.domain.operations.pauses import Pause, PausePolicy
from cairn.domain.shared.errors import AlreadySwitchedError, InvalidSwitchError
from cairn.domain.shared.instants import instant_to_wire

MAX_WINDOW = timedelta(days=7)
"""The longest window of SPREAD; work that becomes due in it comes on top."""

LONGEST_MESSAGE_WAIT = timedelta(days=60)
"""How long an ended pause is stored: longer than any message is deferred, and than any timer is late."""

LONGEST_TIMER_WAIT = timedelta(days=400)
"""The same for a pause that moves waits: a wait may end months later, and needs the pause then."""

MAX_PAUSES = 500
"""Ended pauses that are stored. The item, which every sender reads, stays far below DynamoDB's 400 KB."""

MAX_REASON_LENGTH = 500
"""Characters of a reason or a name."""


@dataclass(frozen=True, slots=True)
class SwitchRecord:
    """The person who switched it, the time and the reason."""

    by: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class PauseRecord:
    """A pause, and who asked for it."""

    pause: Pause
    record: SwitchRecord


@dataclass(frozen=True, slots=True)
class SwitchState:
    """Current stops and pauses, and ended pauses whose policy still applies to waiting work."""

    stopped: Mapping[str, SwitchRecord] = field(default_factory=dict)
    pauses: tuple[PauseRecord, ...] = ()
    version: int = 0
    """Grows with every change; the optimistic lock."""

    def stopping(self, target: str, record: SwitchRecord) -> Self:
        """Nothing of the target goes out. Raises AlreadySwitchedError, unless this same order has stopped it."""
        if target not in self.stopped:
            return replace(self, stopped={**self.stopped, target: record})
        return self._unless_by_another(target, "stopped", self.stopped[target], record)

    def starting(self, target: str) -> Self:
        """Raises InvalidSwitchError if the target is not stopped."""
        if target not in self.stopped:
            raise InvalidSwitchError(f"{target} is not stopped; {_named('stopped', self.stopped)}")
        return replace(self, stopped={name: record for name, record in self.stopped.items() if name != target})

    def pausing(self, target: str, record: SwitchRecord, policy: PausePolicy, window: timedelta) -> Self:
        """Everything of the target waits. Raises AlreadySwitchedError, unless this same order has paused it."""
        paused = self.paused(target, record.at)
        if paused is not None:
            return self._unless_by_another(target, "paused", paused.record, record)
        pause = Pause(target, record.at, None, policy, window)
        return replace(self, pauses=(*self.pauses, PauseRecord(pause, record)))

    def resuming(self, target: str, now: datetime, policy: PausePolicy | None, window: timedelta | None) -> Self:
        """Ends the target's pause, with this policy, else with the policy that it began with.

        Raises InvalidSwitchError if the target is not paused.
        """
        paused = self.paused(target, now)
        if paused is None:
            on = [one.pause.target for one in self.pauses if one.pause.is_active(now)]
            raise InvalidSwitchError(f"{target} is not paused; {_named('paused', on)}")
        over = replace(
            paused.pause, until=now, policy=policy or paused.pause.policy, window=window or paused.pause.window
        )
        return replace(self, pauses=tuple(replace(one, pause=over) if one is paused else one for one in self.pauses))

    def _unless_by_another(self, target: str, what: str, first: SwitchRecord, record: SwitchRecord) -> Self:
        """An order whose answer was lost finds itself."""
        if first == record:
            return self
        raise AlreadySwitchedError(f"{target} is {what} already, since {instant_to_wire(first.at)} by {first.by}")

    def paused(self, target: str, now: datetime) -> PauseRecord | None:
        return next((one for one in self.pauses if one.pause.target == target and one.pause.is_active(now)), None)

    def resumed(self, by: datetime) -> tuple[str, ...]:
        """Targets whose last pause ended at that instant or before."""
        ended = [one.pause for one in self.pauses if one.pause.until is not None and one.pause.until <= by]
        targets = dict.fromkeys(pause.target for pause in sorted(ended, key=lambda pause: pause.since))
        on = {one.pause.target for one in self.pauses if one.pause not in ended}
        return tuple(target for target in targets if target not in on)

    def pruned(self, now: datetime) -> Self:
        """Without the ended pauses that no work can still wait for."""
        dropped = [one for one in self.pauses if one.pause.until is not None and not _matters(one.pause, now)]
        ended = [one for one in self.pauses if one.pause.until is not None and one not in dropped]
        dropped += sorted(ended, key=lambda one: one.pause.until or now)[:-MAX_PAUSES]
        return replace(self, pauses=tuple(one for one in self.pauses if one not in dropped))


def switch_record(by: str, why: str, now: datetime) -> SwitchRecord:
    """Raises InvalidSwitchError if the person or the reason is missing."""
    by, why = by.strip(), why.strip()
    if not by:
        raise InvalidSwitchError("say who does it")
    if not why:
        raise InvalidSwitchError("say why: whoever finds it switched in a week will want to know")
    if max(len(by), len(why)) > MAX_REASON_LENGTH:
        raise InvalidSwitchError(f"say it in at most {MAX_REASON_LENGTH} characters")
    return SwitchRecord(by, now, why)


def window_of(window: timedelta) -> timedelta:
    """Raises InvalidSwitchError if it is no window for SPREAD."""
    if timedelta() < window <= MAX_WINDOW:
        return window
    raise InvalidSwitchError(f"a window is longer than nothing and at most {MAX_WINDOW.days} days")


def _matters(pause: Pause, now: datetime) -> bool:
    moves = pause.policy in {PausePolicy.ACTIVE_TIME, PausePolicy.RESTART}
    return pause.until is not None and now - pause.until < (LONGEST_TIMER_WAIT if moves else LONGEST_MESSAGE_WAIT)


def _named(what: str, targets: "Mapping[str, SwitchRecord] | list[str]") -> str:
    return f"{what} is {', '.join(sorted(targets))}" if targets else f"nothing is {what}"

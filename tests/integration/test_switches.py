"""The contracts of the switches and of the paused work, run on moto and on an independent store."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.dynamodb.items import AUDIT, MESSAGE, PAUSED, SETTINGS, SWITCHES, DocumentItem, RecordItem
from cairn.adapters.dynamodb.paused_work import PAGE, DynamoPausedWork
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.application.operations.switch import Switch
from cairn.application.values.paused import PausedEnrollment, PausedMessage, PausedWork
from cairn.domain.effects import PauseEnrollment
from cairn.domain.operations.pauses import Pause, PausePolicy
from cairn.domain.operations.switches import SwitchState
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import ConflictError
from cairn.settings import SWITCH_TTL

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, 0, 0, 123, tzinfo=UTC)
HOUR = timedelta(hours=1)
OPERATOR: dict[str, Any] = {"by": "ada@example.com", "why": "a wrong price"}
TARGET = "journey:visit"
PAUSED_WORK = DynamoPausedWork()


def test_no_switch_is_set_at_first() -> None:
    assert DynamoSwitches().board() == SwitchState()
    assert DynamoSwitches().current(NOW).stopped == frozenset()


def test_the_switches_are_read_as_they_were_written() -> None:
    switch = Switch(DynamoSwitches())
    switch.stop("channel:sms", **OPERATOR, now=NOW)
    switch.pause(TARGET, **OPERATOR, now=NOW, policy=PausePolicy.ACTIVE_TIME)
    switch.resume(TARGET, **OPERATOR, now=NOW + HOUR)
    written = switch.pause("all", **OPERATOR, now=NOW, policy=PausePolicy.SPREAD, window=90 * HOUR)

    assert DynamoSwitches().board() == written
    assert written.version == 4


def test_senders_read_the_switches_and_the_policy() -> None:
    policy = Policy(max_hold=HOUR)
    Switch(DynamoSwitches()).stop("all", **OPERATOR, now=NOW)
    Switch(DynamoSwitches()).pause(TARGET, **OPERATOR, now=NOW)

    settings = DynamoSwitches(policy).current(NOW)

    assert settings.policy is policy
    assert settings.stopped == {"all"}
    assert settings.pauses == (Pause(TARGET, NOW),)


def test_senders_see_a_switch_after_half_a_minute_and_read_nothing_until_then() -> None:
    sender = DynamoSwitches()
    assert sender.current(NOW).stopped == frozenset()
    Switch(DynamoSwitches()).stop("all", **OPERATOR, now=NOW)

    assert sender.current(NOW + SWITCH_TTL - timedelta(seconds=1)).stopped == frozenset()
    assert sender.current(NOW + SWITCH_TTL).stopped == {"all"}


def test_every_switch_change_is_audited_in_order_of_time() -> None:
    switch = Switch(DynamoSwitches())
    switch.stop("all", **OPERATOR, now=NOW)
    switch.start("all", by="bob", why="mended", now=NOW + HOUR)

    entries = list(RecordItem.query(AUDIT))

    assert [item.body for item in entries] == [
        {"who": "ada@example.com", "what": "stop", "target": "all", "why": "a wrong price"},
        {"who": "bob", "what": "start", "target": "all", "why": "mended"},
    ]
    assert [item.expires_at for item in entries] == [None, None], "the proof is kept"


def test_a_change_from_an_old_read_conflicts_and_writes_nothing() -> None:
    switches = DynamoSwitches()
    read = switches.board()
    Switch(switches).stop("all", **OPERATOR, now=NOW)
    late = Switch(_Stale(read))

    with pytest.raises(ConflictError):
        late.stop("channel:sms", by="bob", why="late", now=NOW)

    assert switches.board().stopped.keys() == {"all"}
    assert len(list(RecordItem.query(AUDIT))) == 1


def test_switches_stored_without_a_version_can_be_changed() -> None:
    DocumentItem(SETTINGS, SWITCHES, body={}).save()

    Switch(DynamoSwitches()).stop("all", **OPERATOR, now=NOW)

    assert DynamoSwitches().board().version == 1


@pytest.mark.atomic_writes
def test_concurrent_switch_changes_are_all_stored() -> None:
    targets = [f"journey:j{number}" for number in range(6)]

    def stop(target: str) -> None:
        for _ in range(20):
            try:
                Switch(DynamoSwitches()).stop(target, **OPERATOR, now=NOW)
            except ConflictError:
                continue
            return

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(stop, targets))

    assert DynamoSwitches().board().stopped.keys() == set(targets)
    assert len(list(RecordItem.query(AUDIT))) == len(targets)


class _Stale(DynamoSwitches):
    """Switches that read an old state."""

    def __init__(self, board: SwitchState) -> None:
        super().__init__()
        self._board = board

    def board(self) -> SwitchState:
        return self._board


def pause_enrollment(
    enrollment: str = "enr", *, sequence: int = 3, commit: str = "000000007", due: datetime = NOW
) -> None:
    PAUSED_WORK.add("c_ada", commit, PauseEnrollment("id", enrollment, sequence, TARGET), due)


def pause_message(message: str = "enr-hello-1", *, at: str = "2026-03-02T13:00:00Z") -> None:
    """Store a paused message, as the sender does."""
    body = {"purpose": "marketing", "journey": "visit"}
    RecordItem("c_ada", MESSAGE + message, body=body, status="held", gsi1pk=PAUSED + TARGET, gsi1sk=at).save()


def paused_work() -> list[PausedWork]:
    return [one for page in PAUSED_WORK.pages(TARGET) for one in page]


def test_paused_work_is_found_by_its_target_only() -> None:
    pause_enrollment()
    pause_message()

    assert paused_work() == [
        PausedMessage("c_ada", "enr-hello-1", Purpose.MARKETING, "2026-03-02T13:00:00Z"),
        PausedEnrollment("c_ada", "enr", 3, "parked#enr#000000007"),
    ]
    assert list(PAUSED_WORK.pages("all")) == []


def test_paused_work_is_ordered_by_due_time() -> None:
    pause_enrollment("later", due=NOW + HOUR)
    pause_enrollment("sooner", due=NOW)

    assert [one.enrollment for one in paused_work() if isinstance(one, PausedEnrollment)] == ["sooner", "later"]


def test_an_enrollment_that_is_paused_twice_is_stored_once() -> None:
    pause_enrollment()
    pause_enrollment()

    assert len(paused_work()) == 1


def test_removed_work_is_paused_no_longer_and_its_message_stays() -> None:
    pause_enrollment()
    pause_message()

    PAUSED_WORK.remove(TARGET, paused_work())

    assert paused_work() == []
    assert RecordItem.get("c_ada", f"{MESSAGE}enr-hello-1").status == "held"
    assert not list(RecordItem.query("c_ada", RecordItem.sk.startswith("parked#")))


@pytest.mark.parametrize(
    "pause_again",
    [lambda: pause_enrollment(commit="000000008"), lambda: pause_message(at="2026-03-02T15:00:00Z")],
    ids=["timer", "message"],
)
def test_work_that_is_paused_again_meanwhile_stays_paused(pause_again: Callable[[], None]) -> None:
    pause_enrollment()
    pause_message()
    seen = paused_work()
    pause_again()

    PAUSED_WORK.remove(TARGET, seen)

    assert len(paused_work()) == 1


def test_a_message_that_was_sent_meanwhile_is_left_alone() -> None:
    pause_message()
    seen = paused_work()
    RecordItem("c_ada", f"{MESSAGE}enr-hello-1", status="sent").save()

    PAUSED_WORK.remove(TARGET, seen)

    assert RecordItem.get("c_ada", f"{MESSAGE}enr-hello-1").status == "sent"


def test_paused_work_is_read_and_removed_in_pages() -> None:
    for number in range(PAGE + 5):
        pause_enrollment(f"enr-{number}", due=NOW + number * HOUR)

    pages = [list(page) for page in PAUSED_WORK.pages(TARGET)]
    for page in pages:
        PAUSED_WORK.remove(TARGET, page)

    assert [len(page) for page in pages] == [PAGE, 5]
    assert paused_work() == []

"""The contracts of the switchboard and of the waiting room, held against moto and against an independent store."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.dynamodb.items import AUDIT, MESSAGE, PAUSED, SETTINGS, SWITCHES, DocumentItem, RecordItem
from cairn.adapters.dynamodb.paused_work import PAGE, DynamoPausedWork
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.application.operations.switch import Switch
from cairn.application.ports import PausedEnrollment, PausedMessage, PausedWork
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
TELLS: dict[str, Any] = {"by": "ada@example.com", "why": "a wrong price"}
TARGET = "journey:visit"
ROOM = DynamoPausedWork()


def test_nothing_is_switched_where_nobody_ever_did() -> None:
    assert DynamoSwitches().board() == SwitchState()
    assert DynamoSwitches().current(NOW).stopped == frozenset()


def test_the_board_is_read_as_it_was_written() -> None:
    switch = Switch(DynamoSwitches())
    switch.stop("channel:sms", **TELLS, now=NOW)
    switch.pause(TARGET, **TELLS, now=NOW, policy=PausePolicy.ACTIVE_TIME)
    switch.resume(TARGET, **TELLS, now=NOW + HOUR)
    written = switch.pause("all", **TELLS, now=NOW, policy=PausePolicy.SPREAD, window=90 * HOUR)

    assert DynamoSwitches().board() == written
    assert written.version == 4


def test_senders_get_what_is_switched_and_the_policy_of_the_deployment() -> None:
    policy = Policy(max_hold=HOUR)
    Switch(DynamoSwitches()).stop("all", **TELLS, now=NOW)
    Switch(DynamoSwitches()).pause(TARGET, **TELLS, now=NOW)

    settings = DynamoSwitches(policy).current(NOW)

    assert settings.policy is policy
    assert settings.stopped == {"all"}
    assert settings.pauses == (Pause(TARGET, NOW),)


def test_a_switch_is_heeded_half_a_minute_later_and_costs_no_read_until_then() -> None:
    sender = DynamoSwitches()
    assert sender.current(NOW).stopped == frozenset()
    Switch(DynamoSwitches()).stop("all", **TELLS, now=NOW)

    assert sender.current(NOW + SWITCH_TTL - timedelta(seconds=1)).stopped == frozenset()
    assert sender.current(NOW + SWITCH_TTL).stopped == {"all"}


def test_every_change_is_audited_in_the_order_of_time() -> None:
    switch = Switch(DynamoSwitches())
    switch.stop("all", **TELLS, now=NOW)
    switch.start("all", by="bob", why="mended", now=NOW + HOUR)

    entries = list(RecordItem.query(AUDIT))

    assert [item.body for item in entries] == [
        {"who": "ada@example.com", "what": "stop", "target": "all", "why": "a wrong price"},
        {"who": "bob", "what": "start", "target": "all", "why": "mended"},
    ]
    assert [item.expires_at for item in entries] == [None, None], "the proof is kept"


def test_of_two_who_read_the_same_board_one_is_told_so_and_leaves_no_trace() -> None:
    switches = DynamoSwitches()
    read = switches.board()
    Switch(switches).stop("all", **TELLS, now=NOW)
    late = Switch(_Stale(read))

    with pytest.raises(ConflictError):
        late.stop("channel:sms", by="bob", why="late", now=NOW)

    assert switches.board().stopped.keys() == {"all"}
    assert len(list(RecordItem.query(AUDIT))) == 1


def test_a_board_of_before_revisions_is_turned_like_any_other() -> None:
    DocumentItem(SETTINGS, SWITCHES, body={}).save()

    Switch(DynamoSwitches()).stop("all", **TELLS, now=NOW)

    assert DynamoSwitches().board().version == 1


@pytest.mark.atomic_writes
def test_of_many_at_once_no_order_is_lost() -> None:
    targets = [f"journey:j{number}" for number in range(6)]

    def stop(target: str) -> None:
        for _ in range(20):
            try:
                Switch(DynamoSwitches()).stop(target, **TELLS, now=NOW)
            except ConflictError:
                continue
            return

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(stop, targets))

    assert DynamoSwitches().board().stopped.keys() == set(targets)
    assert len(list(RecordItem.query(AUDIT))) == len(targets)


class _Stale(DynamoSwitches):
    """Somebody who goes on reading what was there before."""

    def __init__(self, board: SwitchState) -> None:
        super().__init__()
        self._board = board

    def board(self) -> SwitchState:
        return self._board


def parks(enrollment: str = "enr", *, sequence: int = 3, revision: int = 7, due: datetime = NOW) -> None:
    ROOM.add("c_ada", revision, PauseEnrollment("id", enrollment, sequence, TARGET), due)


def holds(message: str = "enr-hello-1", *, at: str = "2026-03-02T13:00:00Z") -> None:
    """As the sender writes a message that is paused."""
    body = {"purpose": "marketing", "journey": "visit"}
    RecordItem("c_ada", MESSAGE + message, body=body, status="held", gsi1pk=PAUSED + TARGET, gsi1sk=at).save()


def there() -> list[PausedWork]:
    return [one for page in ROOM.pages(TARGET) for one in page]


def test_who_waits_is_found_by_what_is_paused_and_by_nothing_else() -> None:
    parks()
    holds()

    assert there() == [
        PausedMessage("c_ada", "enr-hello-1", Purpose.MARKETING, "2026-03-02T13:00:00Z"),
        PausedEnrollment("c_ada", "enr", 3, "parked#enr#000000007"),
    ]
    assert list(ROOM.pages("all")) == []


def test_who_was_due_first_comes_first() -> None:
    parks("later", due=NOW + HOUR)
    parks("sooner", due=NOW)

    assert [one.enrollment for one in there() if isinstance(one, PausedEnrollment)] == ["sooner", "later"]


def test_parking_twice_is_parking_once() -> None:
    parks()
    parks()

    assert len(there()) == 1


def test_who_was_set_going_waits_no_longer_and_a_message_is_still_there() -> None:
    parks()
    holds()

    ROOM.remove(TARGET, there())

    assert there() == []
    assert RecordItem.get("c_ada", f"{MESSAGE}enr-hello-1").status == "held"
    assert not list(RecordItem.query("c_ada", RecordItem.sk.startswith("parked#")))


@pytest.mark.parametrize(
    "comes_back", [lambda: parks(revision=8), lambda: holds(at="2026-03-02T15:00:00Z")], ids=["timer", "message"]
)
def test_who_came_back_meanwhile_goes_on_waiting(comes_back: Callable[[], None]) -> None:
    parks()
    holds()
    seen = there()
    comes_back()

    ROOM.remove(TARGET, seen)

    assert len(there()) == 1


def test_a_message_that_went_out_meanwhile_is_left_alone() -> None:
    holds()
    seen = there()
    RecordItem("c_ada", f"{MESSAGE}enr-hello-1", status="sent").save()

    ROOM.remove(TARGET, seen)

    assert RecordItem.get("c_ada", f"{MESSAGE}enr-hello-1").status == "sent"


def test_a_crowd_comes_in_pages_and_goes_in_pages() -> None:
    for number in range(PAGE + 5):
        parks(f"enr-{number}", due=NOW + number * HOUR)

    pages = [list(page) for page in ROOM.pages(TARGET)]
    for page in pages:
        ROOM.remove(TARGET, page)

    assert [len(page) for page in pages] == [PAGE, 5]
    assert there() == []

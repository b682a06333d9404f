"""The measures of a team are counted from the lines of tasks, each as a person would count it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.people.measures import Measures, of_stages, of_tasks
from cairn.domain.shared.instants import instant_to_wire

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=9)


def at(minutes: int) -> str:
    return instant_to_wire(NOON + timedelta(minutes=minutes))


def task(*history: tuple[int, str], status: str = "done", due: int = 60, **more: Any) -> dict[str, Any]:
    lines = [{"at": at(minutes), "by": "ana", "what": what} for minutes, what in ((0, "opened"), *history)]
    done = {"done_at": at(history[-1][0])} if status == "done" else {}
    known = {"kind": "task", "at": at(0), "queue": "sales", "owner": "ana", "due_at": at(due), "status": status}
    return {**known, **done, "history": lines, **more}


def test_of_a_queue() -> None:
    lines = [
        task((10, "claimed"), (30, "done"), outcome="booked"),
        task((50, "claimed"), (90, "done"), outcome="lost"),  # too late
        task((60, "reassigned"), (100, "done"), outcome="booked", due=120),  # in time, by another one
        task((60, "overdue"), (120, "escalated"), status="open", now_in="managers"),
        task((5, "withdrawn"), status="withdrawn"),
        task(status="open", due=60 * 24 * 30),
        {"kind": "event", "at": at(0)},
    ]
    sales = of_tasks(lines, "queue", frozenset({"booked"}), LATER)["sales"]
    assert sales == Measures(
        opened=5,
        done=3,
        withdrawn=1,
        overdue=0,
        first_response=timedelta(minutes=50),
        close=timedelta(minutes=90),
        in_time=1 / 3,
        reassigned=1,
        escalated=0,
        booked=2 / 3,
    )
    managers = of_tasks(lines, "queue", frozenset({"booked"}), LATER)["managers"]
    assert (managers.overdue, managers.escalated, managers.in_time, managers.booked) == (1, 1, 0, None)


def test_by_owner_and_by_source() -> None:
    lines = [task((1, "done"), source="fair"), task((1, "done"), owner=""), task((1, "done"), owner="ben")]
    assert list(of_tasks(lines, "owner", frozenset(), LATER)) == ["ana", "ben", "nobody"]
    assert list(of_tasks(lines, "source", frozenset(), LATER)) == ["fair", "unknown"]


HISTORIES = st.lists(
    st.tuples(
        st.integers(0, 500), st.sampled_from(["claimed", "noted", "again", "reassigned", "escalated", "overdue"])
    ),
    max_size=5,
)


@given(
    st.lists(st.builds(task, st.integers(1, 9).map(lambda m: (m, "claimed")), st.tuples(st.just(900), st.just("done"))))
)
def test_the_parts_of_any_division_add_up(lines: list[dict[str, Any]]) -> None:
    whole = of_tasks(lines, "queue", frozenset(), LATER)
    parts = of_tasks([{**one, "owner": f"o{n % 3}"} for n, one in enumerate(lines)], "owner", frozenset(), LATER)
    assert sum(one.opened for one in parts.values()) == sum(one.opened for one in whole.values()) == len(lines)


@given(HISTORIES, st.sampled_from(["open", "done", "withdrawn"]))
def test_no_history_raises_and_shares_are_shares(history: list[tuple[int, str]], status: str) -> None:
    (one,) = of_tasks([task(*sorted(history), (600, "done"), status=status)], "queue", frozenset(), LATER).values()
    assert all(share is None or 0 <= share <= 1 for share in (one.in_time, one.booked))
    assert one.first_response is None or one.first_response >= timedelta()


def test_the_time_in_a_stage() -> None:
    def staged(customer: str, minutes: int, stage: str) -> dict[str, Any]:
        return {"kind": "staged", "customer": customer, "at": at(minutes), "pipeline": "sales", "stage": stage}

    found = of_stages(
        [
            staged("a", 0, "new"),
            staged("b", 5, "new"),
            staged("a", 60, "met"),
            staged("b", 25, "met"),
            staged("a", 70, "won"),
        ]
    )
    assert {stage: (one.left, one.here, one.time) for (_, stage), one in found.items()} == {
        "new": (2, 0, timedelta(minutes=40)),
        "met": (1, 1, timedelta(minutes=10)),
        "won": (0, 1, None),
    }

"""The function: each of its jobs is done whatever the others meet; what is found has a log line, and is counted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cairn.application.operations.find_stuck import Found
from cairn.application.operations.watch_queues import DeadLettersLie, QueueIsLate, QueueUnwatched
from cairn.domain.shared.errors import ServiceBusyError
from functions.sweep import handler
from tests.printed import Printed

BUSY = ServiceBusyError("sqs is busy")


def counted(printed: Printed) -> list[tuple[str, float]]:
    """The metrics without dimensions: each is one series, whichever function writes it."""
    return [(one.name, one.value) for one in printed.metrics() if not one.dimensions]


@pytest.mark.parametrize("failing", [{0}, {1}, {2}, {3}, {4}, {5}, {0, 1}, {0, 1, 2, 3, 4, 5}], ids=str)
def test_a_job_that_fails_keeps_no_other_from_its_work(
    monkeypatch: pytest.MonkeyPatch, printed: Printed, failing: set[int]
) -> None:
    done: list[int] = []

    def job(number: int, answer: Any) -> Callable[..., Any]:
        def run(*_: object) -> Any:
            done.append(number)
            if number in failing:
                raise ServiceBusyError(f"job {number}")
            return answer

        return run

    monkeypatch.setattr(handler, "jobs", lambda: (job(0, 0), job(1, []), job(2, []), job(3, []), job(4, 0), job(5, [])))

    with pytest.raises(ServiceBusyError, match=f"job {min(failing)}"):  # so that Lambda counts an error
        handler.handler({}, None)

    assert done == [0, 1, 2, 3, 4, 5]
    jobs = ("resume_paused", "find_stuck", "watch_queues", "choose_winners", "pass_on_removed", "watch_signs")
    assert [line["job"] for line in printed.logs()] == [jobs[number] for number in sorted(failing)]


def test_a_run_that_finds_nothing_writes_nothing(monkeypatch: pytest.MonkeyPatch, printed: Printed) -> None:
    """A metric is billed by the hour in which it has data."""
    monkeypatch.setattr(handler, "jobs", lambda: (lambda *_: 0, *[lambda *_: []] * 3, lambda *_: 0, lambda *_: []))

    handler.handler({}, None)

    assert printed.logs() == printed.metrics() == []


def test_dead_letters_have_a_line_for_each_queue_and_are_counted_together(printed: Printed) -> None:
    handler.report_queues([DeadLettersLie("wakes", 2), DeadLettersLie("stream", 1)])

    lines = printed.logs()
    assert [(line["queue"], line["dead_letters"]) for line in lines] == [("wakes", 2), ("stream", 1)]
    assert lines[0]["do"] == "cairn dlq show wakes"
    assert counted(printed) == [("DeadLetters", 3)]


def test_a_late_queue_is_named_with_its_age(printed: Printed) -> None:
    handler.report_queues([QueueIsLate("events", timedelta(minutes=11))])

    (line,) = printed.logs()
    assert (line["queue"], line["waited_seconds"]) == ("events", 660)
    assert counted(printed) == [("Waiting", 660)]


def test_a_queue_that_cannot_be_asked_is_named_and_fails_the_run_once_all_is_reported(printed: Printed) -> None:
    with pytest.raises(ServiceBusyError):
        handler.report_queues([QueueUnwatched("events", BUSY), DeadLettersLie("wakes", 1)])

    lines = printed.logs()
    assert [line["queue"] for line in lines] == ["events", "wakes"]
    assert lines[0]["error"] == "sqs is busy"
    assert counted(printed) == [("DeadLetters", 1)]


def test_who_is_stuck_and_which_task_is_overdue_need_a_person(printed: Printed) -> None:
    handler.report([Found("enrollment", "c_a", "e"), Found("task", "c_b", "t"), Found("unreadable", "c_c", "x")])

    lines = printed.logs()
    assert [(line["person_needed"], line["customer"], line["stuck"], line["kind"]) for line in lines] == [
        ("TaskOverdue", "c_b", "t", "task"),
        ("Stuck", "c_a", "e", "enrollment"),
        ("Stuck", "c_c", "x", "unreadable"),
    ]
    assert all(line["do"] and line["level"] == "ERROR" for line in lines)
    assert lines[0]["location"].startswith("report:"), "the caller's line, not the helper's"
    assert counted(printed) == [("TaskOverdue", 1), ("PersonNeeded", 1), ("Stuck", 2), ("PersonNeeded", 2)]

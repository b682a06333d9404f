"""What people make of tasks in a simulation, by people.toml."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authoring.preflight.samples import MIDDAY
from authoring.simulation.outcomes import InvalidEventError
from authoring.simulation.paths import all_paths
from authoring.simulation.planned import Planned, to_the_end, unnamed
from authoring.simulation.run import Simulation
from cairn.domain.effects import Fact, OpenTask
from cairn.domain.event import Event
from cairn.domain.people.members import Outcome, People, Queue
from tests.unit.authoring.simulation.test_run import trial
from tests.unit.domain.people.test_routing import OFFICE

PEOPLE = People(
    {
        "sales": Queue(
            "sales",
            "Sales",
            calendar=OFFICE,
            due=timedelta(hours=1),
            outcomes={
                "booked": Outcome("booked", "Booked", event="visit.booked"),
                "no_answer": Outcome("no_answer", "No answer", again=timedelta(hours=3), event="lead.tried"),
            },
        )
    }
)
CALL = {
    "id": "call",
    "task": {"queue": "sales", "title": "Call", "then": {"booked": [], "no_answer": [{"id": "lost", "exit": "lost"}]}},
}
AT_NIGHT = MIDDAY + timedelta(hours=12)


def begun(**more: Any) -> Simulation:
    return replace(trial(CALL, **more), people=PEOPLE).begin(AT_NIGHT)


def walked(*events: str) -> Simulation:
    return to_the_end(begun(), [Planned.read(one) for one in events]).simulation


def tasks(simulation: Simulation) -> list[OpenTask]:
    return [entry.what for entry in simulation.entries if isinstance(entry.what, OpenTask)]


def events(simulation: Simulation) -> list[str]:
    return [entry.what.type for entry in simulation.entries if isinstance(entry.what, Event)][1:]


def test_a_task_is_due_in_the_working_hours_of_its_queue() -> None:
    (task,) = tasks(begun())

    assert task.due_at == OFFICE.after(AT_NIGHT, timedelta(hours=1), trial(CALL).zone)
    assert task.due_at - AT_NIGHT > timedelta(hours=1)


def test_after_some_outcomes_the_task_comes_back_and_the_journey_waits_on() -> None:
    simulation = walked('task.done@1h:{"outcome": "no_answer"}', 'task.done@20h:{"outcome": "booked"}')

    assert len(tasks(simulation)) == 2
    assert events(simulation) == ["lead.tried", "task.done", "visit.booked"]
    assert simulation.enrollment.outcome == "completed"


def test_the_fifth_time_it_comes_back_is_the_last() -> None:
    simulation = walked(*(f'task.done@{day}d:{{"outcome": "no_answer"}}' for day in range(1, 7)))

    assert len(tasks(simulation)) == 6
    assert simulation.enrollment.outcome == "lost"


def test_an_outcome_that_the_queue_does_not_have_is_named_with_the_near_one() -> None:
    with pytest.raises(InvalidEventError, match=r'the queue sales has no outcome "boked"\. Did you mean booked\?'):
        walked('task.done@1h:{"outcome": "boked"}')


def test_every_path_has_an_outcome_when_it_may_come() -> None:
    paths = all_paths(replace(trial(CALL), people=PEOPLE), AT_NIGHT, most=9)

    said = {}
    for one in paths.shown:
        for entry in one.entries:
            if isinstance(entry.what, Fact) and entry.what.kind == "done":
                said[entry.what.detail["outcome"]] = entry.at
    assert said.keys() == {"booked", "no_answer"}
    assert said["no_answer"] - AT_NIGHT > timedelta(days=1)


def test_a_journey_that_waits_for_a_task_names_its_events() -> None:
    planned = [Planned.read("task.done@1h"), Planned.read("task.withdrawn@1h"), Planned.read("order.paid@1h")]

    assert [type_ for type_, _ in unnamed(planned, {"steps": [CALL]})] == ["order.paid"]
